import { NEVER } from 'rxjs';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { CancelFrame, EndFrame, type LifecycleFrame, StartFrame } from '../../src/frames/lifecycle.ts';
import { silentLogger } from '../../src/lib/logger.ts';
import { Pipeline } from '../../src/pipeline/pipeline.ts';
import { TerminalWatch } from '../../src/pipeline/terminal-watch.ts';
import type { FrameProcessor } from '../../src/processors/frame-processor.ts';
import { noMonitor } from '../../src/processors/frame-processor-setup.ts';
import { IdentityFilter } from '../../src/processors/identity-filter.ts';
import { pass, Troublemaker } from './troublemakers.ts';

describe('TerminalWatch', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  /** A started pipeline with a frame on its way, watched. */
  const watches = async (
    frame: LifecycleFrame,
    limitMs: number | null,
    ...processors: readonly FrameProcessor[]
  ) => {
    const arrived: LifecycleFrame[] = [];
    const lost: LifecycleFrame[] = [];
    const pipeline = new Pipeline(processors, {
      downstream: (one) => {
        if (one === frame) arrived.push(frame);
      },
      upstream: () => {},
    });
    void pipeline.setup({
      lifecycle$: NEVER,
      onExit: () => {},
      fail: () => {},
      logger: silentLogger,
      audioInSampleRate: 16_000,
      audioOutSampleRate: 24_000,
      signal: new AbortController().signal,
      reportProgress: () => {},
      cleanupTimeoutMs: null,
      monitor: noMonitor,
    });
    pipeline.queueFrame(new StartFrame());
    await pass(0);
    const watch = new TerminalWatch(frame, pipeline, limitMs, (one) => lost.push(one));
    pipeline.queueFrame(frame);
    await pass(0);
    return { watch, pipeline, arrived, lost };
  };

  it('leaves alone what comes through', async () => {
    const { watch, arrived, lost } = await watches(new EndFrame(), 1_000, new IdentityFilter());
    expect(arrived).toHaveLength(1);
    watch.stop();
    expect(vi.getTimerCount()).toBe(0);
    expect(lost).toEqual([]);
  });

  it.each(['hangs', 'swallows'] as const)('forces the one that %s at the limit', async (misdeed) => {
    const { watch, arrived } = await watches(new EndFrame(), 1_000, new Troublemaker(misdeed, 'end'));
    await pass(999);
    expect(arrived).toEqual([]);
    await pass(1);
    expect(arrived).toHaveLength(1);
    watch.stop();
  });

  it('begins anew with the limit of an EndFrame when something moves', async () => {
    const { watch, arrived } = await watches(new EndFrame(), 1_000, new Troublemaker('hangs', 'end'));
    await pass(900);
    watch.progress();
    await pass(999);
    expect(arrived).toEqual([]);
    await pass(1);
    expect(arrived).toHaveLength(1);
    watch.stop();
  });

  it('gives a CancelFrame no more time when something moves', async () => {
    const { watch, arrived } = await watches(new CancelFrame(), 1_000, new Troublemaker('hangs', 'cancel'));
    await pass(900);
    watch.progress();
    await pass(100);
    expect(arrived).toHaveLength(1);
    watch.stop();
  });

  it('gives all of the others together less than a second, once one had to be forced', async () => {
    const stuck = Array.from({ length: 20 }, () => new Troublemaker('hangs', 'end'));
    const { watch, arrived } = await watches(new EndFrame(), 20_000, ...stuck);
    await pass(20_000);
    await pass(799);
    expect(arrived).toEqual([]);
    await pass(1);
    expect(arrived).toHaveLength(1);
    watch.stop();
  });

  it('waits for one that takes its time behind one that had to be forced', async () => {
    const slow = new (class extends IdentityFilter {
      protected override async process(
        ...[frame, direction]: Parameters<IdentityFilter['process']>
      ): Promise<void> {
        if (frame instanceof EndFrame) await new Promise((resolve) => setTimeout(resolve, 700));
        this.push(frame, direction);
      }
    })();
    const errors: unknown[] = [];
    slow.on('error', (error) => errors.push(error));
    const { watch, arrived } = await watches(new EndFrame(), 1_000, new Troublemaker('hangs', 'end'), slow);
    await pass(1_000);
    await pass(700);
    expect(arrived).toHaveLength(1);
    expect(errors).toEqual([]);
    watch.stop();
  });

  it('gives up a frame that cannot be forced', async () => {
    const keeps = new (class extends IdentityFilter {
      override push(): void {}
    })();
    const frame = new EndFrame();
    const { watch, lost } = await watches(frame, 100, new Troublemaker('hangs', 'start'), keeps);
    for (let ms = 0; ms < 2_000; ms += 20) await pass(20);
    expect(lost).toEqual([frame]);
    watch.stop();
    expect(vi.getTimerCount()).toBe(0);
  });

  it('forces all of them at once when the time is up', async () => {
    const stuck = [1, 2, 3].map(() => new Troublemaker('hangs', 'end'));
    const { watch, arrived } = await watches(new EndFrame(), null, ...stuck);
    await pass(60_000);
    expect(arrived).toEqual([]);
    watch.force();
    await pass(0);
    expect(arrived).toHaveLength(1);
    watch.stop();
  });

  it('forces the innermost one that has it', async () => {
    const stuck = new Troublemaker('hangs', 'end');
    const errors: unknown[] = [];
    stuck.on('error', (error) => errors.push(error));
    const { watch, arrived } = await watches(new EndFrame(), 100, new Pipeline([new Pipeline([stuck])]));
    await pass(100);
    expect(arrived).toHaveLength(1);
    expect(errors).toMatchObject([{ processor: stuck }]);
    watch.stop();
  });

  it('tells when nobody has it any more', async () => {
    const loses = new (class extends IdentityFilter {
      override queueFrame(): void {}
    })();
    const frame = new EndFrame();
    const { watch, lost } = await watches(frame, 100, loses);
    await pass(100);
    expect(lost).toEqual([frame]);
    watch.stop();
    expect(vi.getTimerCount()).toBe(0);
  });
});
