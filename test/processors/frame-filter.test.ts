import { describe, expect, it } from 'vitest';
import { CancelFrame, EndFrame, StopFrame } from '../../src/frames/lifecycle.ts';
import { LLMTextFrame } from '../../src/frames/llm.ts';
import { TTSSpeakFrame, TTSStartedFrame, UserStartedSpeakingFrame } from '../../src/frames/speaking.ts';
import { TextFrame } from '../../src/frames/text.ts';
import { FrameFilter } from '../../src/processors/frame-filter.ts';
import { runTest } from '../../src/testing/run-test.ts';

describe('FrameFilter', () => {
  it('passes the listed classes and their subclasses', async () => {
    await runTest(new FrameFilter([TextFrame]), {
      framesToSend: [
        new TextFrame('a'),
        new TTSSpeakFrame('b'),
        new LLMTextFrame('c'),
        new TTSStartedFrame(),
      ],
      expectedDownFrames: [TextFrame, LLMTextFrame],
    });
  });

  it('passes system frames, whatever is listed', async () => {
    await runTest(new FrameFilter([]), {
      framesToSend: [new TextFrame('a'), new UserStartedSpeakingFrame()],
      expectedDownFrames: [UserStartedSpeakingFrame],
    });
  });

  it('filters both directions', async () => {
    await runTest(new FrameFilter([TTSStartedFrame]), {
      framesToSend: [new TextFrame('a'), new TTSStartedFrame()],
      framesToSendDirection: 'upstream',
      expectedUpFrames: [TTSStartedFrame],
    });
  });

  it.each([new EndFrame(), new StopFrame(), new CancelFrame()])('passes a %s', async (last) => {
    const { downFrames, result } = await runTest(new FrameFilter([]), {
      framesToSend: [last],
      sendEndFrame: false,
    });
    expect(downFrames).toEqual([last]);
    expect(result.forced).toBe(false);
  });
});
