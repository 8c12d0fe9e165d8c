import { describe, expect, it } from 'vitest';
import { InterruptionFrame } from '../../src/frames/interruption.ts';
import { CancelFrame, EndFrame, StopFrame } from '../../src/frames/lifecycle.ts';
import { LLMFullResponseEndFrame, LLMFullResponseStartFrame } from '../../src/frames/llm.ts';
import { UserStartedSpeakingFrame } from '../../src/frames/speaking.ts';
import { TextFrame } from '../../src/frames/text.ts';
import { GatedAggregator, type GatedAggregatorOptions } from '../../src/processors/gated-aggregator.ts';
import { runTest, SleepFrame } from '../../src/testing/run-test.ts';
import { useVirtualTime } from '../support/fake-time.ts';
import { startPipeline, textsOf } from '../support/start-pipeline.ts';

const gate = (options: Partial<GatedAggregatorOptions> = {}): GatedAggregator =>
  new GatedAggregator({
    open: (frame) => frame instanceof LLMFullResponseStartFrame,
    close: (frame) => frame instanceof LLMFullResponseEndFrame,
    ...options,
  });

describe('GatedAggregator', () => {
  useVirtualTime();

  it('lets the opening frame go first, then what was kept, then the rest', async () => {
    const { downFrames } = await runTest(gate(), {
      framesToSend: [
        new TextFrame('kept 1'),
        new TextFrame('kept 2'),
        new SleepFrame(5),
        new LLMFullResponseStartFrame(),
        new TextFrame('later'),
      ],
    });
    expect(downFrames).toMatchObject([
      expect.any(LLMFullResponseStartFrame),
      { text: 'kept 1' },
      { text: 'kept 2' },
      { text: 'later' },
    ]);
  });

  it('keeps the closing frame', async () => {
    await runTest(gate({ startOpen: true }), {
      framesToSend: [new TextFrame('a'), new LLMFullResponseEndFrame(), new TextFrame('b')],
      expectedDownFrames: [TextFrame],
    });
  });

  it('passes system frames', async () => {
    await runTest(gate(), {
      framesToSend: [new TextFrame('kept'), new UserStartedSpeakingFrame()],
      expectedDownFrames: [UserStartedSpeakingFrame],
    });
  });

  it('passes frames of the other direction, and is not moved by them', async () => {
    await runTest(gate({ direction: 'upstream' }), {
      framesToSend: [new LLMFullResponseStartFrame(), new TextFrame('a')],
      expectedDownFrames: [LLMFullResponseStartFrame, TextFrame],
    });
    await runTest(gate({ direction: 'upstream' }), {
      framesToSend: [new TextFrame('a'), new LLMFullResponseStartFrame()],
      framesToSendDirection: 'upstream',
      expectedUpFrames: [LLMFullResponseStartFrame, TextFrame],
    });
  });

  it.each([new EndFrame(), new StopFrame(), new CancelFrame()])(
    'lets a %s pass while closed',
    async (last) => {
      const { downFrames, result } = await runTest(gate(), {
        framesToSend: [new TextFrame('kept'), last],
        sendEndFrame: false,
      });
      expect(downFrames).toEqual([last]);
      expect(result.forced).toBe(false);
    },
  );

  it('lets what it kept go before an EndFrame that opens it', async () => {
    const { downFrames } = await runTest(gate({ open: (frame) => frame instanceof EndFrame }), {
      framesToSend: [new TextFrame('kept'), new EndFrame('goodbye')],
      sendEndFrame: false,
    });
    expect(downFrames).toMatchObject([{ text: 'kept' }, { reason: 'goodbye' }]);
  });

  it.each(['downstream', 'upstream'] as const)(
    'forgets what it kept at an interruption going %s, except what is uninterruptible',
    async (direction) => {
      const { task, down, run } = await startPipeline([gate()]);
      const lasting = new TextFrame('lasting');
      lasting.uninterruptible = true;
      task.queueFrames([new TextFrame('old'), lasting]);
      await task.flush();
      task.queueFrame(new InterruptionFrame(), direction);
      await task.flush();
      task.queueFrames([new TextFrame('new'), new LLMFullResponseStartFrame(), new EndFrame()]);
      await run;
      expect(textsOf(down.frames)).toEqual(['lasting', 'new']);
    },
  );

  it('forgets what it kept at the end of the run', async () => {
    const gated = gate({ startOpen: true });
    await runTest(gated, { framesToSend: [new LLMFullResponseEndFrame(), new TextFrame('old')] });
    await runTest(gated, {
      framesToSend: [
        new TextFrame('open again'),
        new LLMFullResponseEndFrame(),
        new LLMFullResponseStartFrame(),
      ],
      expectedDownFrames: [TextFrame, LLMFullResponseStartFrame, LLMFullResponseEndFrame],
    });
  });
});
