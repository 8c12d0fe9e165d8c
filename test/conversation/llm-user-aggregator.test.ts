import { describe, expect, it } from 'vitest';
import { LLMContext } from '../../src/conversation/llm-context.ts';
import { LLMContextAggregatorPair } from '../../src/conversation/llm-context-aggregator-pair.ts';
import type { LLMUserAggregatorOptions } from '../../src/conversation/llm-user-aggregator.ts';
import { LLMContextFrame } from '../../src/frames/llm.ts';
import { TranscriptionFrame } from '../../src/frames/text.ts';
import { InvalidOptionError } from '../../src/lib/errors.ts';
import type { FrameProcessor } from '../../src/processors/frame-processor.ts';
import { VADProcessor } from '../../src/vad/vad-processor.ts';
import { passes, useFakeTime } from '../support/fake-time.ts';
import { classesOf, startPipeline } from '../support/start-pipeline.ts';
import { heardFrom, hum, pieces, type Sound, silence } from '../vad/sounds.ts';

async function setup(options: LLMUserAggregatorOptions = {}, ahead: readonly FrameProcessor[] = []) {
  const context = new LLMContext();
  const { user } = new LLMContextAggregatorPair(context, { user: options });
  const events: string[] = [];
  user.on('userTurnStarted', () => void events.push('started'));
  user.on('userTurnStopped', ({ content, userId }) => void events.push(`stopped ${userId}: ${content}`));
  const pipeline = await startPipeline([...ahead, user]);
  const says = async (userId: string, sound: Sound, durationMs: number): Promise<void> => {
    for (const piece of pieces([[sound, durationMs]], 16_000))
      pipeline.task.queueFrame(heardFrom(userId, piece, 16_000));
    await passes(0);
  };
  const told = (): string[] =>
    classesOf(pipeline.down.frames).filter((name) => !/AudioRaw|StartFrame|^UserSpeakingFrame/.test(name));
  return { ...pipeline, context, events, says, told };
}

const wholeTurn = [
  'VADUserStartedSpeakingFrame',
  'UserStartedSpeakingFrame',
  'InterruptionFrame',
  'VADUserStoppedSpeakingFrame',
  'UserStoppedSpeakingFrame',
  'LLMContextUserTurnFrame',
  'LLMContextFrame',
];

describe('LLMUserAggregator', () => {
  useFakeTime();

  it.each([
    ['itself', { vad: {} }, () => []],
    ['by a VADProcessor in front of it, which announces no turns', {}, () => [new VADProcessor()]],
  ] as const)(
    'detects voice activity %s: a turn ends 200 ms and 600 ms after its last sound',
    async (_, options, ahead) => {
      const { says, told, task, context, events } = await setup(options, ahead());
      await says('ada', hum(), 400);
      task.queueFrame(new TranscriptionFrame('good morning', 'ada'));
      await says('ada', silence, 320);
      await passes(580);
      expect(events).toEqual(['started']);
      await passes(40);
      expect(events).toEqual(['started', 'stopped ada: good morning']);
      expect(told().toSorted()).toEqual(wholeTurn.toSorted());
      expect(context.messages).toEqual([{ role: 'user', content: 'good morning' }]);
    },
  );

  it('asks the model with the context that it shares with the other half', async () => {
    const { task, down, context } = await setup();
    task.queueFrame(new TranscriptionFrame('hello'));
    await passes(700);
    const asked = [...down.frames].filter((frame) => frame instanceof LLMContextFrame);
    expect(asked.map((frame) => frame.context)).toEqual([context]);
  });

  it('refuses options that can never work, by name', () => {
    const make = (user: LLMUserAggregatorOptions) => () =>
      new LLMContextAggregatorPair(new LLMContext(), { user });
    expect(make({ turnStopTimeoutMs: -1 })).toThrow(InvalidOptionError);
    expect(make({ idleTimeoutMs: Number.NaN })).toThrow(/user\.idleTimeoutMs/);
    expect(make({ emptyTurn: { inARow: -1 } })).toThrow(/user\.emptyTurn\.inARow/);
    expect(() => new LLMContextAggregatorPair({ messages: [] } as unknown as LLMContext)).toThrow(
      /LLMContext/,
    );
    expect(() => new LLMContext({ messages: [{ role: 'robot' }] as never })).toThrow(/robot/);
  });
});
