import { NEVER } from 'rxjs';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Frame, FrameDirection } from '../../src/frames/frame.ts';
import { CancelFrame, EndFrame, type LifecycleFrame, StartFrame } from '../../src/frames/lifecycle.ts';
import { silentLogger } from '../../src/lib/logger.ts';
import { LifecycleWatchdog } from '../../src/pipeline/lifecycle-watchdog.ts';
import { ParallelPipeline } from '../../src/pipeline/parallel-pipeline.ts';
import { Pipeline } from '../../src/pipeline/pipeline.ts';
import type { PipelineTaskOptions } from '../../src/pipeline/pipeline-task-options.ts';
import { noHooks } from '../../src/processors/core/processor-types.ts';
import { FrameProcessor, type FrameProcessorOptions } from '../../src/processors/frame-processor.ts';
import { IdentityFilter } from '../../src/processors/identity-filter.ts';
import { useFakeTime } from '../support/fake-time.ts';
import { expectOneEnd, FaultyProcessor, pass, startRun } from './faults.ts';

describe('LifecycleWatchdog', () => {
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
      claims: new Set(),
      reportProgress: () => {},
      cleanupTimeoutMs: null,
      hooks: noHooks,
    });
    pipeline.queueFrame(new StartFrame());
    await pass(0);
    const watch = new LifecycleWatchdog({
      frame,
      pipeline,
      limitMs,
      logger: silentLogger,
      onLost: (one) => lost.push(one),
    });
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

  it.each(['hangs', 'swallows'] as const)('forces the one that %s at the limit', async (fault) => {
    const { watch, arrived } = await watches(new EndFrame(), 1_000, new FaultyProcessor(fault, 'end'));
    await pass(999);
    expect(arrived).toEqual([]);
    await pass(1);
    expect(arrived).toHaveLength(1);
    watch.stop();
  });

  it('begins anew with the limit of an EndFrame when something moves', async () => {
    const { watch, arrived } = await watches(new EndFrame(), 1_000, new FaultyProcessor('hangs', 'end'));
    await pass(900);
    watch.progress();
    await pass(999);
    expect(arrived).toEqual([]);
    await pass(1);
    expect(arrived).toHaveLength(1);
    watch.stop();
  });

  it('gives a CancelFrame no more time when something moves', async () => {
    const { watch, arrived } = await watches(
      new CancelFrame(),
      1_000,
      new FaultyProcessor('hangs', 'cancel'),
    );
    await pass(900);
    watch.progress();
    await pass(100);
    expect(arrived).toHaveLength(1);
    watch.stop();
  });

  it('gives all of the others together less than a second, once one had to be forced', async () => {
    const stuck = Array.from({ length: 20 }, () => new FaultyProcessor('hangs', 'end'));
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
    const { watch, arrived } = await watches(
      new EndFrame(),
      1_000,
      new FaultyProcessor('hangs', 'end'),
      slow,
    );
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
    const { watch, lost } = await watches(frame, 100, new FaultyProcessor('hangs', 'start'), keeps);
    for (let ms = 0; ms < 2_000; ms += 20) await pass(20);
    expect(lost).toEqual([frame]);
    watch.stop();
    expect(vi.getTimerCount()).toBe(0);
  });

  it('forces all of them at once when the time is up', async () => {
    const stuck = [1, 2, 3].map(() => new FaultyProcessor('hangs', 'end'));
    const { watch, arrived } = await watches(new EndFrame(), null, ...stuck);
    await pass(60_000);
    expect(arrived).toEqual([]);
    watch.force();
    await pass(0);
    expect(arrived).toHaveLength(1);
    watch.stop();
  });

  it('forces the innermost one that has it', async () => {
    const stuck = new FaultyProcessor('hangs', 'end');
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

type OnStart = (push: () => void) => void | Promise<void>;

/** Does what the test says with the StartFrame, and passes everything else on. */
class OnStartFrame extends FrameProcessor {
  readonly #onStart: OnStart;

  constructor(onStart: OnStart = () => {}, options?: FrameProcessorOptions) {
    super(options);
    this.#onStart = onStart;
  }

  protected override process(frame: Frame, direction: FrameDirection): void | Promise<void> {
    if (frame instanceof StartFrame) return this.#onStart(() => this.push(frame));
    this.push(frame, direction);
  }
}

const forgets = (): OnStartFrame => new OnStartFrame();

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

async function starts(processors: readonly FrameProcessor[], options?: PipelineTaskOptions) {
  const warn = vi.fn();
  const started = vi.fn();
  const errors = vi.fn();
  const run = await startRun(processors, { logger: { ...silentLogger, warn }, ...options });
  run.task.on('started', started);
  run.task.on('error', errors);
  const isNamed = (name: string): boolean =>
    warn.mock.calls.some(
      ([fields, text]) => (fields as { processor: string }).processor === name && /StartFrame/.test(text),
    );
  /** Ends the run, and expects that it ends well. */
  const ends = async (): Promise<boolean | undefined> => {
    run.task.stopWhenDone();
    await run.pass(0);
    expectOneEnd(run, 'ended');
    return run.results[0]?.forced;
  };
  return { ...run, started, errors, isNamed, ends };
}

describe('a processor that does not pass the StartFrame on', () => {
  useFakeTime();

  it.each([
    ['returns', () => new OnStartFrame(() => {}, { name: 'forgetful' })],
    ['resolves', () => new OnStartFrame(async () => {}, { name: 'forgetful' })],
    ['returns in direct mode', () => new OnStartFrame(() => {}, { name: 'forgetful', directMode: true })],
    [
      'resolves in direct mode',
      () => new OnStartFrame(async () => {}, { name: 'forgetful', directMode: true }),
    ],
  ])('and %s is named after a second, and the frame goes on without it after five', async (_how, make) => {
    const { pass, isNamed, started, errors, ends } = await starts([make()]);
    await pass(999);
    expect(isNamed('forgetful')).toBe(false);
    await pass(1);
    expect(isNamed('forgetful')).toBe(true);
    await pass(3_999);
    expect(started).not.toHaveBeenCalled();
    await pass(1);
    expect(started).toHaveBeenCalledOnce();
    expect(errors.mock.calls).toMatchObject([
      [{ error: expect.stringMatching(/^forgetful did not pass on/) }],
    ]);
    expect(await ends()).toBe(true);
  });

  it('costs a quarter of the start’s limit', async () => {
    const { pass, started, ends } = await starts([forgets()], { startTimeoutMs: 1_000 });
    await pass(250);
    expect(started).toHaveBeenCalledOnce();
    await ends();
  });

  it('is named in a branch as well, and the branches start', async () => {
    const forgetful = [forgets(), forgets()] as const;
    const { pass, isNamed, started, ends } = await starts([
      new ParallelPipeline([forgetful[0]], [forgetful[1]], []),
    ]);
    await pass(1_000);
    for (const { name } of forgetful) expect(isNamed(name)).toBe(true);
    expect(isNamed('ParallelPipeline#0')).toBe(false);
    await pass(4_000);
    expect(started).toHaveBeenCalledOnce();
    await ends();
  });

  it('costs a second more at most, however many there are', async () => {
    const { pass, started, ends } = await starts(Array.from({ length: 10 }, forgets));
    await pass(6_000);
    expect(started).toHaveBeenCalledOnce();
    await ends();
  });

  it('is waited for while it is busy with it', async () => {
    const connects = new OnStartFrame(async (push) => {
      await sleep(15_000);
      push();
    });
    const { pass, isNamed, started, ends } = await starts([connects]);
    await pass(14_999);
    expect(isNamed(connects.name)).toBe(false);
    expect(started).not.toHaveBeenCalled();
    await pass(1);
    expect(started).toHaveBeenCalledOnce();
    expect(await ends()).toBe(false);
  });

  it('counts from when it is through with it', async () => {
    const late = new OnStartFrame(async () => sleep(3_000));
    const { pass, isNamed, started, ends } = await starts([late]);
    await pass(3_999);
    expect(isNamed(late.name)).toBe(false);
    await pass(1);
    expect(isNamed(late.name)).toBe(true);
    await pass(4_000);
    expect(started).toHaveBeenCalledOnce();
    await ends();
  });

  it('may pass it on later by a callback', async () => {
    const later = new OnStartFrame((push) => void setTimeout(push, 4_900));
    const { pass, started, ends } = await starts([
      later,
      new OnStartFrame((push) => void setTimeout(push, 4_900)),
    ]);
    await pass(9_799);
    expect(started).not.toHaveBeenCalled();
    await pass(1);
    expect(started).toHaveBeenCalledOnce();
    expect(await ends()).toBe(false);
  });

  it('keeps it for good where there are no limits, and is named all the same', async () => {
    const forgetful = forgets();
    const { task, pass, isNamed, started, ...run } = await starts([forgetful], {
      startTimeoutMs: null,
      endStallTimeoutMs: null,
    });
    await pass(100_000);
    expect(isNamed(forgetful.name)).toBe(true);
    expect(started).not.toHaveBeenCalled();
    task.cancel();
    await pass(0);
    expectOneEnd({ task, pass, ...run }, 'cancelled');
  });

  it('leaves no timer behind a cancel', async () => {
    const run = await starts([forgets()]);
    run.task.cancel();
    await run.pass(0);
    expectOneEnd(run, 'cancelled');
    expect(run.isNamed('OnStartFrame#0')).toBe(false);
  });
});
