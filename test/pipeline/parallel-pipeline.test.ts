import { describe, expect, it } from 'vitest';
import { InvalidOptionError } from '../../src/errors.ts';
import type { Frame, FrameDirection } from '../../src/frames/frame.ts';
import { UserStartedSpeakingFrame } from '../../src/frames/interruption.ts';
import { CancelFrame, EndFrame, StartFrame, StopFrame } from '../../src/frames/lifecycle.ts';
import { TextFrame, TTSStartedFrame } from '../../src/frames/text.ts';
import { ParallelPipeline } from '../../src/pipeline/parallel-pipeline.ts';
import { FrameProcessor } from '../../src/processors/frame-processor.ts';
import { IdentityFilter } from '../../src/processors/identity-filter.ts';
import { runTest } from '../../src/testing/run-test.ts';
import { classesOf, textsOf } from '../support/start-pipeline.ts';

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

  it('refuses no branch at all, and what is no branch', () => {
    expect(() => new ParallelPipeline()).toThrow(InvalidOptionError);
    expect(() => new ParallelPipeline(new IdentityFilter() as unknown as [])).toThrow(InvalidOptionError);
  });
});
