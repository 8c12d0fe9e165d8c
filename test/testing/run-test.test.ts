import { AssertionError } from 'node:assert';
import { describe, expect, it } from 'vitest';
import type { Frame, FrameDirection } from '../../src/frames/frame.ts';
import { InterruptionFrame } from '../../src/frames/interruption.ts';
import { CancelFrame, EndFrame, StartFrame, StopFrame } from '../../src/frames/lifecycle.ts';
import { LLMTextFrame } from '../../src/frames/llm.ts';
import { TTSStartedFrame, UserStartedSpeakingFrame } from '../../src/frames/speaking.ts';
import { TextFrame } from '../../src/frames/text.ts';
import { FrameProcessor } from '../../src/processors/frame-processor.ts';
import { IdentityFilter } from '../../src/processors/identity-filter.ts';
import { FrameRecorder, runTest, SleepFrame } from '../../src/testing/run-test.ts';

/** Answers every text upstream, and keeps it. */
class Parrot extends FrameProcessor {
  protected override process(frame: Frame, direction: FrameDirection): void {
    if (frame instanceof TextFrame) this.push(new TextFrame(`${frame.text}!`), 'upstream');
    else this.push(frame, direction);
  }
}

class Mute extends FrameProcessor {
  protected override process(): Promise<void> {
    return new Promise(() => {});
  }
}

describe('runTest', () => {
  it('tells what came out in both directions, without the first and the last frame', async () => {
    const { downFrames, upFrames, result } = await runTest(new Parrot(), {
      framesToSend: [new TextFrame('hi'), new TTSStartedFrame()],
      expectedDownFrames: [TTSStartedFrame],
      expectedUpFrames: [TextFrame],
    });
    expect(downFrames).toHaveLength(1);
    expect(upFrames).toMatchObject([{ text: 'hi!' }]);
    expect(result).toMatchObject({ reason: 'ended', forced: false });
  });

  it('sends frames upstream from behind the processor', async () => {
    await runTest(new IdentityFilter(), {
      framesToSend: [new TextFrame('up')],
      framesToSendDirection: 'upstream',
      expectedDownFrames: [],
      expectedUpFrames: [TextFrame],
    });
  });

  it('shows the StartFrame when asked for it', async () => {
    await runTest(new IdentityFilter(), {
      framesToSend: [],
      ignoreStart: false,
      expectedDownFrames: [StartFrame],
    });
  });

  it.each([new EndFrame(), new StopFrame(), new CancelFrame()])('leaves the end to %s', async (last) => {
    await runTest(new IdentityFilter(), {
      framesToSend: [last],
      sendEndFrame: false,
      expectedDownFrames: [last.constructor as typeof EndFrame],
    });
  });

  it('lets data frames get ahead of a system frame behind a sleep', async () => {
    await runTest(new IdentityFilter(), {
      framesToSend: [new TextFrame('a'), new SleepFrame(5), new UserStartedSpeakingFrame()],
      expectedDownFrames: [TextFrame, UserStartedSpeakingFrame],
    });
  });

  it('takes a subclass for what was expected', async () => {
    await runTest(new IdentityFilter(), {
      framesToSend: [new LLMTextFrame('a')],
      expectedDownFrames: [TextFrame],
    });
  });

  it.each([
    ['too few', [TextFrame, TextFrame]],
    ['too many', []],
    ['another class', [InterruptionFrame]],
  ])('fails when %s came out', async (_, expectedDownFrames) => {
    const test = runTest(new IdentityFilter(), { framesToSend: [new TextFrame('a')], expectedDownFrames });
    await expect(test).rejects.toThrow(AssertionError);
    await expect(test).rejects.toMatchObject({ actual: ['TextFrame'] });
  });

  it('fails when the run does not start', async () => {
    const test = runTest(new Mute(), { framesToSend: [], taskOptions: { startTimeoutMs: 20 } });
    await expect(test).rejects.toThrow('The run failed');
  });

  it('fails when nothing ends the run', async () => {
    const test = runTest(new IdentityFilter(), { framesToSend: [], sendEndFrame: false, timeoutMs: 20 });
    await expect(test).rejects.toThrow('did not end within 20 ms');
  });
});

function setup(direction?: 'downstream' | 'upstream') {
  const recorder = new FrameRecorder(direction === undefined ? {} : { direction });
  const below = new FrameRecorder();
  recorder.link(below);
  recorder.queueFrame(new TextFrame('down'), 'downstream');
  recorder.queueFrame(new TextFrame('up'), 'upstream');
  recorder.queueFrame(new TTSStartedFrame());
  return { recorder, below };
}

describe('FrameRecorder', () => {
  it('records both directions', () => {
    expect(setup().recorder.frames).toMatchObject([{ text: 'down' }, { text: 'up' }, {}]);
  });

  it('records one direction only when asked to', () => {
    expect(setup('upstream').recorder.frames).toMatchObject([{ text: 'up' }]);
    expect(setup('downstream').recorder.frames).toHaveLength(2);
  });

  it('passes everything on in the same breath', () => {
    expect(setup('upstream').below.frames).toMatchObject([{ text: 'down' }, {}]);
  });

  it('finds frames by class, and forgets them', () => {
    const { recorder } = setup();
    expect(recorder.framesOf(TextFrame).map(({ text }) => text)).toEqual(['down', 'up']);
    recorder.clear();
    expect(recorder.frames).toEqual([]);
  });
});
