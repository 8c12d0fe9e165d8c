/** Hooks, listeners, observers and loggers that hang or throw: none of them keeps a run from its end. */

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Frame, FrameDirection } from '../../src/frames/frame.ts';
import { StopFrame } from '../../src/frames/lifecycle.ts';
import { TextFrame } from '../../src/frames/text.ts';
import type { Logger } from '../../src/lib/logger.ts';
import { silentLogger } from '../../src/lib/logger.ts';
import { Pipeline } from '../../src/pipeline/pipeline.ts';
import { PipelineTask } from '../../src/pipeline/pipeline-task.ts';
import { FrameProcessor } from '../../src/processors/frame-processor.ts';
import type { FrameProcessorSetup } from '../../src/processors/frame-processor-setup.ts';
import { IdentityFilter } from '../../src/processors/identity-filter.ts';
import { expectOneEnd, FaultyProcessor, never, Recorder, startRun, WithExitHook } from './faults.ts';

class WithCleanup extends IdentityFilter {
  readonly #cleanup: () => void | Promise<void>;

  constructor(cleanup: () => void | Promise<void>) {
    super();
    this.#cleanup = cleanup;
  }

  override cleanup(): void | Promise<void> {
    super.cleanup();
    return this.#cleanup();
  }
}

class WithSetup extends IdentityFilter {
  readonly #setup: (setup: FrameProcessorSetup) => void | Promise<void>;

  constructor(setup: (setup: FrameProcessorSetup) => void | Promise<void>) {
    super();
    this.#setup = setup;
  }

  override setup(setup: FrameProcessorSetup): void | Promise<void> {
    super.setup(setup);
    return this.#setup(setup);
  }
}

const fails = (): never => {
  throw new Error('thrown on purpose');
};
const rejects = (): Promise<never> => Promise.reject(new Error('rejected on purpose'));
const hangs = (): Promise<never> => never;
const troubles = [
  ['throws', fails],
  ['rejects', rejects],
  ['hangs', hangs],
] as const;

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

// row E
describe.each(troubles)('a cleanup that %s', (_name, cleanup) => {
  it.each(['ended', 'cancelled'] as const)('does not keep a run from being %s', async (reason) => {
    const other = new Recorder();
    const run = await startRun([new WithCleanup(cleanup), new Pipeline([new WithCleanup(cleanup)]), other]);
    if (reason === 'ended') run.task.stopWhenDone();
    else run.task.cancel();
    await run.pass(2_100);
    expectOneEnd(run, reason);
    expect(other.cleanups).toBe(1);
  });
});

// row F
describe.each(troubles)('a listener that %s', (_name, listener) => {
  it.each(['started', 'finished', 'error', 'idleTimeout', 'frameReachedDownstream'] as const)(
    'to %s does not keep a run from its end',
    async (event) => {
      const culprit = new FaultyProcessor('throws', 'end');
      culprit.on('beforeProcessFrame', listener);
      culprit.on('afterPushFrame', listener);
      const run = await startRun([culprit], {
        idleTimeoutMs: 100,
        cancelOnIdleTimeout: false,
        reachedDownstreamFilter: [TextFrame],
      });
      run.task.on(event, listener);
      run.task.queueFrame(new TextFrame('hello'));
      await run.pass(250);
      run.task.stopWhenDone();
      await run.pass(10);
      expectOneEnd(run, 'ended');
    },
  );

  it('to finished and started from the beginning does not keep a run from its end', async () => {
    const task = new PipelineTask(new IdentityFilter(), { logger: silentLogger });
    task.on('started', listener).on('finished', listener).stopWhenDone();
    await expect(task.run()).resolves.toMatchObject({ reason: 'ended', forced: false });
  });
});

describe.each(troubles)('an exit hook that %s', (_name, hook) => {
  it('keeps neither the run from its end nor others from theirs', async () => {
    const calls: string[] = [];
    const run = await startRun([
      new WithExitHook(() => void calls.push('first')),
      new WithExitHook(hook, { timeoutMs: 300 }),
      new WithExitHook(() => void calls.push('last')),
    ]);
    run.task.cancel();
    await run.pass(500);
    expectOneEnd(run, 'cancelled');
    expect(calls).toEqual(['last', 'first']);
  });
});

// row G
describe.each(troubles)('an observer that %s', (_name, method) => {
  it('at its cleanup does not keep the processors from theirs', async () => {
    const processor = new Recorder();
    const run = await startRun([processor], { observers: [{ cleanup: method }] });
    run.task.stopWhenDone();
    await run.pass(2_100);
    expectOneEnd(run, 'ended');
    expect(processor.cleanups).toBe(1);
  });

  it('at every frame does not keep a run from its end', async () => {
    const run = await startRun([new IdentityFilter()], {
      observers: [
        {
          onPushFrame: method,
          onProcessFrame: method,
          onProcessorSetup: method,
          onPipelineStarted: method,
          cleanup: method,
        },
      ],
    });
    run.task.stopWhenDone();
    await run.pass(4_200);
    expectOneEnd(run, 'ended');
  });
});

// row H
describe('a setup', () => {
  it('that never ends fails the run within the limit', async () => {
    const other = new Recorder();
    const run = await startRun([new WithSetup(hangs), other]);
    await run.pass(20_100);
    expectOneEnd(run, 'failed');
    expect(run.results[0]?.error).toMatchObject({ message: expect.stringContaining('20000 ms') });
    expect(other.cleanups).toBe(1);
  });

  it('that never ends can be cancelled', async () => {
    const run = await startRun([new WithSetup(hangs)]);
    run.task.cancel();
    await run.pass(10);
    expectOneEnd(run, 'cancelled');
  });

  it.each([fails, rejects])('that fails lets the others run', async (setup) => {
    const other = new Recorder();
    const run = await startRun([new WithSetup(setup), other]);
    const errors: unknown[] = [];
    run.task.on('error', (error) => errors.push(error));
    run.task.stopWhenDone();
    await run.pass(10);
    expectOneEnd(run, 'ended');
    expect(other.seen).toHaveLength(2);
  });

  it.each([fails, rejects])('that fails ends the run where the policy says so', async (setup) => {
    const run = await startRun([new WithSetup(setup)], { processorUnusablePolicy: 'cancel' });
    await run.pass(10);
    expectOneEnd(run, 'cancelled');
  });

  it('has its exit hook run when it is registered after the end', async () => {
    const lateHook = vi.fn();
    const slow = new WithSetup(async (setup) => {
      await new Promise((resolve) => setTimeout(resolve, 100));
      setup.onExit('late', lateHook);
    });
    const run = await startRun([slow]);
    run.task.cancel();
    await run.pass(200);
    expectOneEnd(run, 'cancelled');
    expect(lateHook).toHaveBeenCalledOnce();
  });
});

it('a StartFrame that never comes out fails the run within the limit', async () => {
  const run = await startRun([new FaultyProcessor('hangs', 'start')]);
  await run.pass(20_100);
  expectOneEnd(run, 'failed');
  expect(run.results[0]?.error).toMatchObject({ message: expect.stringContaining('StartFrame') });
});

it('a start that is cancelled within its limit is cancelled, not failed', async () => {
  const run = await startRun([new FaultyProcessor('hangs', 'start', 'cancel')], {
    startTimeoutMs: 1_000,
    cancelTimeoutMs: 2_000,
  });
  await run.pass(900);
  run.task.cancel();
  await run.pass(2_100);
  expectOneEnd(run, 'cancelled');
});

// row N
describe('a StopFrame', () => {
  it('keeps the processors for a next run, whose end cleans them up once', async () => {
    const processor = new Recorder();
    const inner = new Recorder();
    const pipeline = (): Pipeline => new Pipeline([processor, new Pipeline([inner])]);
    const first = new PipelineTask(pipeline(), { logger: silentLogger });
    first.queueFrames([new TextFrame('one'), new StopFrame()]);
    await expect(first.run()).resolves.toMatchObject({ reason: 'stopped' });
    expect([processor.cleanups, inner.cleanups]).toEqual([0, 0]);
    const second = new PipelineTask(pipeline(), { logger: silentLogger });
    second.queueFrame(new TextFrame('two'));
    second.stopWhenDone();
    await expect(second.run()).resolves.toMatchObject({ reason: 'ended', forced: false });
    expect([processor.cleanups, inner.cleanups]).toEqual([1, 1]);
    const texts = inner.seen.filter((frame) => frame instanceof TextFrame).map(({ text }) => text);
    expect(texts).toEqual(['one', 'two']);
  });

  it('that was forced leaves nothing behind that would disturb the next run', async () => {
    const stuckOnce = new (class extends FrameProcessor {
      stuck = true;
      protected override process(frame: Frame, direction: FrameDirection): void | Promise<void> {
        if (frame instanceof TextFrame && this.stuck) return never;
        this.push(frame, direction);
      }
    })();
    const behind = new Recorder();
    const first = await startRun([stuckOnce, behind], { endStallTimeoutMs: 100 });
    first.task.queueFrames([new TextFrame('stuck'), new StopFrame()]);
    await first.pass(200);
    expectOneEnd(first, 'stopped');
    stuckOnce.stuck = false;
    const second = await startRun([stuckOnce, behind], { endStallTimeoutMs: 100 });
    second.task.queueFrame(new TextFrame('two'));
    second.task.stopWhenDone();
    await second.pass(10);
    expectOneEnd(second, 'ended');
    expect(second.results[0]?.forced).toBe(false);
  });
});

// row R
describe.each(['debug', 'info', 'warn', 'error'] as const)('a logger whose %s throws', (level) => {
  const logger: Logger = { ...silentLogger, [level]: fails };

  it('does not keep a run with a stuck end from its end', async () => {
    const run = await startRun([new FaultyProcessor('swallows', 'end')], { logger, endStallTimeoutMs: 100 });
    run.task.stopWhenDone();
    await run.pass(200);
    expectOneEnd(run, 'ended');
  });

  it('does not keep a run that fails from its end', async () => {
    const run = await startRun([new WithSetup(hangs)], { logger });
    await run.pass(20_100);
    expectOneEnd(run, 'failed');
  });

  it('does not keep a run whose cleanup and hooks fail from its end', async () => {
    const run = await startRun([new WithCleanup(fails), new WithExitHook(fails), new WithCleanup(hangs)], {
      logger,
      observers: [{ cleanup: fails, onPushFrame: fails }],
    });
    run.task.stopWhenDone();
    await run.pass(2_100);
    expectOneEnd(run, 'ended');
  });

  it('does not keep a processor that throws from going on', async () => {
    const throwsOnText = new (class extends FrameProcessor {
      protected override process(frame: Frame, direction: FrameDirection): void {
        if (frame instanceof TextFrame) fails();
        this.push(frame, direction);
      }
    })();
    const run = await startRun([throwsOnText], { logger, endStallTimeoutMs: 100 });
    run.task.queueFrame(new TextFrame('hello'));
    run.task.stopWhenDone();
    await run.pass(200);
    expectOneEnd(run, 'ended');
  });
});

it('a queueFrame() that throws does not keep a run from its end', async () => {
  const broken = new (class extends IdentityFilter {
    override queueFrame(): void {
      fails();
    }
  })();
  const run = await startRun([new IdentityFilter(), broken], {
    startTimeoutMs: 200,
    endStallTimeoutMs: 100,
  });
  run.task.stopWhenDone();
  await run.pass(1_000);
  expect(run.results).toHaveLength(1);
  expect(run.exits).toHaveLength(1);
  expect(vi.getTimerCount()).toBe(0);
});

// row U
it('a shutdown whose time is up while it cleans up, cleans up once and settles once', async () => {
  const aborted = vi.fn();
  const processor = new Recorder();
  const run = await startRun([
    processor,
    new WithCleanup(hangs),
    new WithExitHook(({ signal }) => new Promise(() => signal.addEventListener('abort', aborted))),
  ]);
  run.task.cancel();
  await run.pass(100);
  run.task.forceShutdown();
  run.task.cancel('again');
  await run.pass(0);
  expect(aborted).toHaveBeenCalledOnce();
  await run.pass(2_000);
  expectOneEnd(run, 'cancelled');
  expect(processor.cleanups).toBe(1);
});

it('a second run of a task is refused, and does not disturb the first', async () => {
  const run = await startRun([new IdentityFilter()]);
  await expect(run.task.run()).rejects.toMatchObject({ name: 'PipelineError' });
  run.task.stopWhenDone();
  await run.pass(10);
  expectOneEnd(run, 'ended');
});

describe('a run that was cancelled before it began', () => {
  it('is over at once, with its exit hooks', async () => {
    const exits: string[] = [];
    const hook = new WithExitHook(({ result }) => void exits.push(result.reason));
    const task = new PipelineTask(hook, { logger: silentLogger });
    task.queueFrame(new TextFrame('unheard'));
    task.cancel('changed my mind');
    await expect(task.run()).resolves.toMatchObject({
      reason: 'cancelled',
      frame: { reason: 'changed my mind' },
    });
    expect(exits).toEqual(['cancelled']);
    expect(vi.getTimerCount()).toBe(0);
  });
});
