import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Frame, FrameDirection } from '../../src/frames/frame.ts';
import { CancelFrame, EndFrame, isTerminalFrame, StartFrame, StopFrame } from '../../src/frames/lifecycle.ts';
import {
  BotStoppedSpeakingFrame,
  TTSSpeakFrame,
  TTSStartedFrame,
  UserStartedSpeakingFrame,
} from '../../src/frames/speaking.ts';
import { TextFrame } from '../../src/frames/text.ts';
import { InvalidOptionError } from '../../src/lib/errors.ts';
import { ParallelPipeline } from '../../src/pipeline/parallel-pipeline.ts';
import { FrameProcessor } from '../../src/processors/frame-processor.ts';
import { IdentityFilter } from '../../src/processors/identity-filter.ts';
import { runTest } from '../../src/testing/run-test.ts';
import { classesOf, textsOf } from '../support/start-pipeline.ts';
import { Recorder, startRun } from './faults.ts';

/** Greets as soon as it sees the StartFrame, and says goodbye at the end. */
class Polite extends FrameProcessor {
  protected override process(frame: Frame, direction: FrameDirection): void {
    if (frame instanceof EndFrame) this.push(new TextFrame('goodbye'));
    this.push(frame, direction);
    if (frame instanceof StartFrame) this.push(new TextFrame('hello'));
  }
}

class Late extends FrameProcessor {
  protected override async process(frame: Frame, direction: FrameDirection): Promise<void> {
    await new Promise((done) => setTimeout(done, 10));
    this.push(frame, direction);
  }
}

/** Says goodbye at the end. */
class SaysGoodbye extends FrameProcessor {
  protected override process(frame: Frame, direction: FrameDirection): void {
    if (isTerminalFrame(frame)) this.push(new TextFrame('goodbye'));
    this.push(frame, direction);
  }
}

/** Takes its time for the end. */
class TakesTime extends FrameProcessor {
  readonly #ms: number;

  constructor(ms: number) {
    super();
    this.#ms = ms;
  }

  protected override async process(frame: Frame, direction: FrameDirection): Promise<void> {
    if (isTerminalFrame(frame)) await new Promise((resolve) => setTimeout(resolve, this.#ms));
    this.push(frame, direction);
  }
}

describe('ParallelPipeline', () => {
  it('takes a frame through one branch', async () => {
    await runTest(new ParallelPipeline([new IdentityFilter()]), {
      framesToSend: [new TextFrame('a')],
      expectedDownFrames: [TextFrame],
    });
  });

  it('lets one copy out of two branches', async () => {
    await runTest(new ParallelPipeline([new IdentityFilter()], [new IdentityFilter()]), {
      framesToSend: [new TextFrame('a')],
      expectedDownFrames: [TextFrame],
    });
  });

  it('keeps what a branch pushes at the start until the StartFrame has left', async () => {
    const branches = new ParallelPipeline([new Polite()], [new Late()]);
    const { downFrames } = await runTest(branches, {
      framesToSend: [new TTSStartedFrame()],
      ignoreStart: false,
    });
    expect(classesOf(downFrames)).toEqual(['StartFrame', 'TextFrame', 'TTSStartedFrame', 'TextFrame']);
    expect(textsOf(downFrames)).toEqual(['hello', 'goodbye']);
  });

  it.each([new EndFrame(), new StopFrame(), new CancelFrame()])('lets one %s out', async (last) => {
    const { downFrames } = await runTest(new ParallelPipeline([new Late()], [], [new IdentityFilter()]), {
      framesToSend: [new UserStartedSpeakingFrame(), last],
      sendEndFrame: false,
    });
    expect(downFrames.filter((frame) => frame === last)).toHaveLength(1);
    expect(downFrames.at(-1)).toBe(last);
  });

  it('lets one copy out upstream as well', async () => {
    await runTest(new ParallelPipeline([new IdentityFilter()], [new IdentityFilter()]), {
      framesToSend: [new TextFrame('a')],
      framesToSendDirection: 'upstream',
      expectedUpFrames: [TextFrame],
    });
  });

  describe('while an end is under way', () => {
    beforeEach(() => void vi.useFakeTimers());
    afterEach(() => void vi.useRealTimers());

    const seenBy = ({ seen }: Recorder): string[] =>
      seen.map((frame) => (frame instanceof TextFrame ? frame.text : frame.constructor.name));
    const ends = [
      ['EndFrame', () => new EndFrame()],
      ['StopFrame', () => new StopFrame()],
    ] as const;

    it.each(ends)(
      'lets out what a branch says at once, and the %s when all are through',
      async (name, make) => {
        const behind = new Recorder();
        const run = await startRun([
          new ParallelPipeline([new SaysGoodbye()], [new TakesTime(3_000)]),
          behind,
        ]);
        run.task.queueFrame(make());
        await run.pass(50);
        expect(seenBy(behind)).toEqual(['StartFrame', 'goodbye']);
        await run.pass(3_000);
        expect(seenBy(behind)).toEqual(['StartFrame', 'goodbye', name]);
      },
    );

    it.each(ends)(
      'lets system frames into the branches: a voice waits for the bot to stop before its %s',
      async (_name, make) => {
        // says its text, and waits until it was played
        const voice = new (class extends FrameProcessor {
          #played = (): void => {};
          protected override process(frame: Frame, direction: FrameDirection): void | Promise<void> {
            if (frame instanceof BotStoppedSpeakingFrame) this.#played();
            if (frame.frameRole === 'end' || frame.frameRole === 'stop') return this.#sayGoodbye(frame);
            this.push(frame, direction);
          }
          async #sayGoodbye(last: Frame): Promise<void> {
            const played = new Promise<void>((resolve) => {
              this.#played = resolve;
            });
            this.push(new TextFrame('goodbye'));
            await played;
            this.push(last);
          }
        })();
        const output = new (class extends FrameProcessor {
          protected override process(frame: Frame, direction: FrameDirection): void {
            if (frame instanceof TextFrame)
              setTimeout(() => this.push(new BotStoppedSpeakingFrame(), 'upstream'), 1_000);
            this.push(frame, direction);
          }
        })();
        const run = await startRun([new ParallelPipeline([voice], [new IdentityFilter()]), output]);
        run.task.queueFrame(make());
        await run.pass(1_000);
        expect(run.results).toMatchObject([{ forced: false }]);
      },
    );

    it.each(ends)('lets upstream frames through the branches', async (_name, make) => {
      const before = new Recorder();
      const asks = new (class extends FrameProcessor {
        protected override process(frame: Frame, direction: FrameDirection): void {
          this.push(frame, direction);
          if (frame instanceof TextFrame) this.push(new TTSSpeakFrame('an answer'), 'upstream');
        }
      })();
      const run = await startRun([
        before,
        new ParallelPipeline([new SaysGoodbye()], [new TakesTime(3_000)]),
        asks,
      ]);
      run.task.queueFrame(make());
      await run.pass(50);
      expect(seenBy(before)).toEqual(['StartFrame', expect.any(String), 'TTSSpeakFrame']);
      await run.pass(3_000);
      expect(run.results).toMatchObject([{ forced: false }]);
    });

    it.each(ends)('keeps what comes behind the %s behind it', async (name, make) => {
      const talksOn = new (class extends FrameProcessor {
        protected override process(frame: Frame, direction: FrameDirection): void {
          this.push(frame, direction);
          if (isTerminalFrame(frame)) this.push(new TextFrame('too late'));
        }
      })();
      const behind = new Recorder();
      const run = await startRun([
        talksOn,
        new ParallelPipeline([new SaysGoodbye()], [new TakesTime(3_000)]),
        behind,
      ]);
      run.task.queueFrame(make());
      await run.pass(3_050);
      expect(seenBy(behind).slice(0, 3)).toEqual(['StartFrame', 'goodbye', name]);
    });
  });

  it('refuses no branch at all, and what is no branch', () => {
    expect(() => new ParallelPipeline()).toThrow(InvalidOptionError);
    expect(() => new ParallelPipeline(new IdentityFilter() as unknown as [])).toThrow(InvalidOptionError);
  });
});
