import { describe, expect, it, vi } from 'vitest';
import type { Frame, FrameDirection } from '../../src/frames/frame.ts';
import { StartFrame } from '../../src/frames/lifecycle.ts';
import { silentLogger } from '../../src/lib/logger.ts';
import { ParallelPipeline } from '../../src/pipeline/parallel-pipeline.ts';
import type { PipelineTaskOptions } from '../../src/pipeline/pipeline-task-options.ts';
import { FrameProcessor, type FrameProcessorOptions } from '../../src/processors/frame-processor.ts';
import { useFakeTime } from '../support/fake-time.ts';
import { expectOneEnd, startRun } from './troublemakers.ts';

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
