import { describe, expect, it, vi } from 'vitest';
import { ErrorFrame } from '../../src/frames/error-frame.ts';
import { CancelFrame, EndFrame, StartFrame, StopFrame } from '../../src/frames/lifecycle.ts';
import { BotStartedSpeakingFrame, UserStartedSpeakingFrame } from '../../src/frames/speaking.ts';
import { TextFrame } from '../../src/frames/text.ts';
import { FunctionFilter } from '../../src/processors/function-filter.ts';
import { runTest } from '../../src/testing/run-test.ts';
import { textsOf } from '../support/start-pipeline.ts';

const nothing = (): boolean => false;

describe('FunctionFilter', () => {
  it('passes what the function agrees to', async () => {
    await runTest(new FunctionFilter(() => true), {
      framesToSend: [new TextFrame('a')],
      expectedDownFrames: [TextFrame],
    });
  });

  it('keeps what the function does not agree to', async () => {
    await runTest(new FunctionFilter(nothing), {
      framesToSend: [new TextFrame('a')],
      expectedDownFrames: [],
    });
  });

  it.each(['downstream', 'upstream'] as const)('filters %s frames in both directions', async (direction) => {
    await runTest(new FunctionFilter(nothing, { direction: 'both' }), {
      framesToSend: [new TextFrame('a')],
      framesToSendDirection: direction,
      expectedDownFrames: [],
      expectedUpFrames: [],
    });
  });

  it('passes upstream frames when it filters downstream', async () => {
    await runTest(new FunctionFilter(nothing, { direction: 'downstream' }), {
      framesToSend: [new TextFrame('a')],
      framesToSendDirection: 'upstream',
      expectedUpFrames: [TextFrame],
    });
  });

  it('passes downstream frames when it filters upstream', async () => {
    await runTest(new FunctionFilter(nothing, { direction: 'upstream' }), {
      framesToSend: [new TextFrame('a')],
      expectedDownFrames: [TextFrame],
    });
  });

  it('passes system frames', async () => {
    await runTest(new FunctionFilter(nothing), {
      framesToSend: [new UserStartedSpeakingFrame()],
      expectedDownFrames: [UserStartedSpeakingFrame],
    });
  });

  it('filters system frames when asked to', async () => {
    const filter = new FunctionFilter((frame) => frame instanceof BotStartedSpeakingFrame, {
      filterSystemFrames: true,
    });
    await runTest(filter, {
      framesToSend: [new UserStartedSpeakingFrame(), new BotStartedSpeakingFrame()],
      expectedDownFrames: [BotStartedSpeakingFrame],
    });
  });

  it.each([new EndFrame(), new StopFrame(), new CancelFrame()])('always passes a %s', async (last) => {
    const { downFrames, result } = await runTest(
      new FunctionFilter(nothing, { direction: 'both', filterSystemFrames: true }),
      { framesToSend: [last], sendEndFrame: false, ignoreStart: false },
    );
    expect(downFrames).toEqual([expect.any(StartFrame), last]);
    expect(result.forced).toBe(false);
  });

  it('asks about every frame, also about those that pass anyway', async () => {
    const predicate = vi.fn(nothing);
    await runTest(new FunctionFilter(predicate), { framesToSend: [new UserStartedSpeakingFrame()] });
    expect(predicate.mock.calls).toEqual([
      [expect.any(StartFrame), 'downstream'],
      [expect.any(UserStartedSpeakingFrame), 'downstream'],
      [expect.any(EndFrame), 'downstream'],
    ]);
  });

  it('waits for an answer that takes time, and keeps the order', async () => {
    const filter = new FunctionFilter(async (frame) => {
      await Promise.resolve();
      return frame instanceof TextFrame && frame.text !== 'b';
    });
    const { downFrames } = await runTest(filter, {
      framesToSend: ['a', 'b', 'c'].map((text) => new TextFrame(text)),
    });
    expect(textsOf(downFrames)).toEqual(['a', 'c']);
  });

  it('reports a function that throws, and loses the frame', async () => {
    const filter = new FunctionFilter((frame) => {
      if (frame instanceof TextFrame && frame.text === 'bad') throw new Error('no opinion');
      return true;
    });
    const { downFrames, upFrames } = await runTest(filter, {
      framesToSend: [new TextFrame('bad'), new TextFrame('good')],
      expectedUpFrames: [ErrorFrame],
    });
    expect(textsOf(downFrames)).toEqual(['good']);
    expect(upFrames).toMatchObject([{ error: expect.stringContaining('no opinion'), processor: filter }]);
  });
});
