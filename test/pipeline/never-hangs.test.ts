import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ErrorFrame } from '../../src/frames/error-frame.ts';
import type { Frame, FrameDirection } from '../../src/frames/frame.ts';
import { InterruptionTaskFrame } from '../../src/frames/interruption.ts';
import {
  CancelFrame,
  EndFrame,
  isLifecycleFrame,
  StartFrame,
  StopFrame,
} from '../../src/frames/lifecycle.ts';
import { TextFrame } from '../../src/frames/text.ts';
import { ParallelPipeline } from '../../src/pipeline/parallel-pipeline.ts';
import { FrameProcessor } from '../../src/processors/frame-processor.ts';
import { IdentityFilter } from '../../src/processors/identity-filter.ts';
import {
  expectOneEnd,
  FaultyProcessor,
  faults,
  never,
  Recorder,
  startRun,
  type WatchedRun,
} from './faults.ts';

/** Pushes a frame of its own when it gets a certain text. */
class Pusher extends FrameProcessor {
  readonly #make: () => Frame;
  readonly #direction: FrameDirection;

  constructor(make: () => Frame, direction: FrameDirection = 'downstream') {
    super();
    this.#make = make;
    this.#direction = direction;
  }

  protected override process(frame: Frame, direction: FrameDirection): void {
    if (frame instanceof TextFrame) this.push(this.#make(), this.#direction);
    else this.push(frame, direction);
  }
}

describe('a run', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  // row B
  describe.each(faults)('in which a processor %s', (fault) => {
    it('on the EndFrame, ends', async () => {
      const behind = new Recorder();
      const run = await startRun([new FaultyProcessor(fault, 'end'), behind], { endStallTimeoutMs: 500 });
      run.task.stopWhenDone();
      await run.pass(600);
      expectOneEnd(run, 'ended');
      expect(run.results[0]?.forced).toBe(true);
      expect(behind.seen.filter((frame) => frame instanceof EndFrame)).toHaveLength(1);
      expect(behind.cleanups).toBe(1);
    });

    it('on the StopFrame, stops', async () => {
      const behind = new Recorder();
      const run = await startRun([new FaultyProcessor(fault, 'stop'), behind], { endStallTimeoutMs: 500 });
      run.task.queueFrame(new StopFrame());
      await run.pass(600);
      expectOneEnd(run, 'stopped');
      expect(run.results[0]?.forced).toBe(true);
      expect(behind.seen.filter((frame) => frame instanceof StopFrame)).toHaveLength(1);
      expect(behind.cleanups).toBe(0);
    });

    it('on the CancelFrame, is cancelled', async () => {
      const behind = new Recorder();
      const run = await startRun([new FaultyProcessor(fault, 'cancel'), behind], { cancelTimeoutMs: 500 });
      run.task.cancel('enough');
      await run.pass(600);
      expectOneEnd(run, 'cancelled');
      expect(run.results[0]).toMatchObject({ forced: true, frame: { reason: 'enough' } });
      expect(behind.seen.filter((frame) => frame instanceof CancelFrame)).toHaveLength(1);
    });

    it('on the StartFrame, starts all the same', async () => {
      const behind = new Recorder();
      const run = await startRun([new FaultyProcessor(fault, 'start'), behind], { endStallTimeoutMs: 500 });
      await run.pass(600);
      run.task.queueFrame(new TextFrame('hello'));
      run.task.stopWhenDone();
      await run.pass(600);
      expectOneEnd(run, 'ended');
      expect(run.results[0]?.forced).toBe(true);
      expect(
        behind.seen.filter((frame) => !(frame instanceof ErrorFrame)).map((frame) => frame.constructor),
      ).toEqual([StartFrame, TextFrame, EndFrame]);
    });

    it('on the EndFrame, in three places, ends', async () => {
      const faulty = [1, 2, 3].map(() => new FaultyProcessor(fault, 'end'));
      const run = await startRun(faulty, { endStallTimeoutMs: 500 });
      run.task.stopWhenDone();
      await run.pass(2_000);
      expectOneEnd(run, 'ended');
    });

    it('on every lifecycle frame, ends', async () => {
      const run = await startRun([new FaultyProcessor(fault, 'start', 'end', 'stop', 'cancel')], {
        startTimeoutMs: 700,
        endStallTimeoutMs: 500,
        cancelTimeoutMs: 200,
      });
      await run.pass(600);
      run.task.stopWhenDone();
      await run.pass(600);
      expectOneEnd(run, 'ended');
    });

    // row W
    it.each(['first', 'last'] as const)('on the EndFrame in the %s branch, ends', async (place) => {
      const branches = [[new FaultyProcessor(fault, 'end')], [new IdentityFilter()], []];
      if (place === 'last') branches.reverse();
      const run = await startRun([new ParallelPipeline(...branches), new Recorder()], {
        endStallTimeoutMs: 500,
      });
      run.task.stopWhenDone();
      await run.pass(2_000);
      expectOneEnd(run, 'ended');
      expect(run.results[0]?.forced).toBe(true);
    });
  });

  /** How a processor pushes a lifecycle frame on. */
  const manners: readonly (readonly [manner: string, pushes: (push: () => void) => void])[] = [
    [
      'twice',
      (push) => {
        push();
        push();
      },
    ],
    [
      'and throws',
      (push) => {
        push();
        throw new Error('thrown on purpose');
      },
    ],
    ['later than it was forced to', (push) => void setTimeout(push, 300)],
  ];

  it.each(manners)(
    'in which a processor pushes lifecycle frames %s, passes each on once',
    async (_how, pushes) => {
      const repeats = new (class extends FrameProcessor {
        protected override process(frame: Frame, direction: FrameDirection): void {
          if (isLifecycleFrame(frame)) pushes(() => this.push(frame, direction));
          else this.push(frame, direction);
        }
      })();
      const behind = new Recorder();
      const run = await startRun([repeats, behind], { startTimeoutMs: 1_000, endStallTimeoutMs: 200 });
      await run.pass(400);
      run.task.stopWhenDone();
      await run.pass(400);
      expectOneEnd(run, 'ended');
      const lifecycle = behind.seen.filter(isLifecycleFrame);
      expect(lifecycle.map(({ frameRole }) => frameRole)).toEqual(['start', 'end']);
    },
  );

  it('says which processor kept the EndFrame', async () => {
    const culprit = new FaultyProcessor('swallows', 'end');
    const run = await startRun([new IdentityFilter(), culprit], { endStallTimeoutMs: 500 });
    const errors: unknown[] = [];
    run.task.on('error', (error) => errors.push(error));
    run.task.stopWhenDone();
    await run.pass(600);
    expect(errors).toMatchObject([{ processor: culprit }]);
  });

  it('is not cut short while something moves', async () => {
    const slow = new (class extends FrameProcessor {
      protected override async process(frame: Frame, direction: FrameDirection): Promise<void> {
        if (frame instanceof TextFrame) await new Promise((resolve) => setTimeout(resolve, 400));
        this.push(frame, direction);
      }
    })();
    const behind = new Recorder();
    const run = await startRun([slow, behind], { endStallTimeoutMs: 500 });
    for (const text of 'abcdefghij') run.task.queueFrame(new TextFrame(text));
    run.task.stopWhenDone();
    await run.pass(3_900);
    expect(run.results).toEqual([]);
    await run.pass(200);
    expectOneEnd(run, 'ended');
    expect(run.results[0]?.forced).toBe(false);
    expect(behind.seen.filter((frame) => frame instanceof TextFrame)).toHaveLength(10);
  });

  it('in which a processor never finishes a frame before the EndFrame, ends', async () => {
    const stuck = new (class extends FrameProcessor {
      protected override process(frame: Frame, direction: FrameDirection): void | Promise<void> {
        if (frame instanceof TextFrame) return never;
        this.push(frame, direction);
      }
    })();
    const run = await startRun([stuck], { endStallTimeoutMs: 500 });
    run.task.queueFrame(new TextFrame('never said'));
    run.task.stopWhenDone();
    await run.pass(600);
    expectOneEnd(run, 'ended');
    expect(run.results[0]?.forced).toBe(true);
  });

  it('in which a processor is paused for ever, ends', async () => {
    const paused = new IdentityFilter();
    const run = await startRun([paused], { endStallTimeoutMs: 500 });
    paused.pauseProcessingFrames();
    paused.pauseProcessingSystemFrames();
    run.task.stopWhenDone();
    await run.pass(600);
    expectOneEnd(run, 'ended');
  });

  // row C
  describe('whose end is stuck', () => {
    const stuck = async (
      processors: readonly FrameProcessor[] = [new FaultyProcessor('hangs', 'end')],
    ): Promise<WatchedRun> => {
      const run = await startRun(processors, { endStallTimeoutMs: null });
      run.task.stopWhenDone();
      await run.pass(30_000);
      expect(run.results).toEqual([]);
      return run;
    };

    it('is cancelled by cancel()', async () => {
      const run = await stuck();
      run.task.cancel('no patience');
      await run.pass(10);
      expectOneEnd(run, 'cancelled');
      expect(run.results[0]).toMatchObject({ frame: { reason: 'no patience' } });
    });

    it('is cancelled by a CancelFrame', async () => {
      const run = await stuck();
      run.task.queueFrame(new CancelFrame());
      await run.pass(10);
      expectOneEnd(run, 'cancelled');
    });

    it('is cancelled by disposal', async () => {
      const run = await stuck();
      await run.task[Symbol.asyncDispose]();
      expectOneEnd(run, 'cancelled');
    });

    it('is cancelled within the limit where the cancel is stuck too', async () => {
      const run = await stuck([new FaultyProcessor('hangs', 'end', 'cancel')]);
      run.task.cancel();
      await run.pass(2_100);
      expectOneEnd(run, 'cancelled');
      expect(run.results[0]?.forced).toBe(true);
    });

    it('is cancelled in every branch', async () => {
      const run = await stuck([new ParallelPipeline([new FaultyProcessor('hangs', 'end')], [])]);
      run.task.cancel();
      await run.pass(10);
      expectOneEnd(run, 'cancelled');
    });

    it('is over at once when the shutdown is', async () => {
      const run = await stuck([1, 2, 3].map(() => new FaultyProcessor('hangs', 'end', 'cancel')));
      run.task.forceShutdown();
      await run.pass(200);
      expectOneEnd(run, 'cancelled');
    });
  });

  it('is cancelled within 2 seconds, however many processors hang on it', async () => {
    const run = await startRun(Array.from({ length: 10 }, () => new FaultyProcessor('hangs', 'cancel')));
    run.task.cancel();
    await run.pass(2_100);
    expectOneEnd(run, 'cancelled');
  });

  it('is cancelled while a processor never finishes a system frame', async () => {
    const run = await startRun([new FaultyProcessor('hangs', 'interruption')]);
    run.task.queueFrame(new InterruptionTaskFrame(), 'upstream');
    await run.pass(10);
    run.task.cancel();
    await run.pass(2_100);
    expectOneEnd(run, 'cancelled');
  });

  it('that is cancelled while it starts, is bounded all the same', async () => {
    const slowStart = new (class extends FrameProcessor {
      protected override async process(frame: Frame, direction: FrameDirection): Promise<void> {
        if (frame instanceof StartFrame) await new Promise((resolve) => setTimeout(resolve, 100));
        this.push(frame, direction);
      }
    })();
    const run = await startRun([slowStart, new FaultyProcessor('hangs', 'cancel')], { idleTimeoutMs: null });
    await run.pass(50);
    run.task.cancel();
    await run.pass(2_200);
    expectOneEnd(run, 'cancelled');
  });

  // row S
  describe.each([
    ['EndFrame', () => new EndFrame('by a processor'), 'ended'],
    ['StopFrame', () => new StopFrame(), 'stopped'],
    ['CancelFrame', () => new CancelFrame('by a processor'), 'cancelled'],
  ] as const)('in which a processor pushes a %s of its own', (_name, make, reason) => {
    it.each(['downstream', 'upstream'] as const)('%s, is over', async (direction) => {
      const run = await startRun([new IdentityFilter(), new Pusher(make, direction), new IdentityFilter()]);
      run.task.queueFrame(new TextFrame('go'));
      await run.pass(10);
      expectOneEnd(run, reason);
    });

    it('in one branch, is over', async () => {
      const run = await startRun([new ParallelPipeline([new Pusher(make)], [new IdentityFilter()])], {
        endStallTimeoutMs: 500,
      });
      run.task.queueFrame(new TextFrame('go'));
      await run.pass(600);
      expectOneEnd(run, reason);
    });

    it.each(faults)('and another %s on it, is over', async (fault) => {
      const run = await startRun(
        [new Pusher(make), new FaultyProcessor(fault, 'end', 'stop', 'cancel'), new IdentityFilter()],
        { endStallTimeoutMs: 500, cancelTimeoutMs: 500 },
      );
      run.task.queueFrame(new TextFrame('go'));
      await run.pass(600);
      expectOneEnd(run, reason);
    });
  });

  it.each(faults)('in which a processor ends it at the start and another %s on it, ends', async (fault) => {
    const endsAtOnce = new (class extends FrameProcessor {
      protected override process(frame: Frame, direction: FrameDirection): void {
        this.push(frame, direction);
        if (frame instanceof StartFrame) this.push(new EndFrame());
      }
    })();
    const run = await startRun([endsAtOnce, new FaultyProcessor(fault, 'end'), new IdentityFilter()], {
      endStallTimeoutMs: 500,
      idleTimeoutMs: null,
    });
    await run.pass(600);
    expectOneEnd(run, 'ended');
  });
});
