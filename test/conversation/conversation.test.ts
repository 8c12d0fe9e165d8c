import { describe, expect, it } from 'vitest';
import { LLMContext } from '../../src/conversation/llm-context.ts';
import { LLMContextAggregatorPair } from '../../src/conversation/llm-context-aggregator-pair.ts';
import { type LLMPart, LLMService } from '../../src/conversation/services/llm-service.ts';
import type { TTSPart } from '../../src/conversation/services/sentence-synthesis.ts';
import { TTSService } from '../../src/conversation/services/tts-service.ts';
import type { Tools } from '../../src/conversation/tools.ts';
import { ErrorFrame } from '../../src/frames/error-frame.ts';
import { EndFrame } from '../../src/frames/lifecycle.ts';
import { LLMMessagesTransformFrame, LLMRunFrame } from '../../src/frames/llm.ts';
import {
  TTSSpeakFrame,
  VADUserStartedSpeakingFrame,
  VADUserStoppedSpeakingFrame,
} from '../../src/frames/speaking.ts';
import { TranscriptionFrame } from '../../src/frames/text.ts';
import { passes, sleep, useFakeTime } from '../support/fake-time.ts';
import { startPipeline } from '../support/start-pipeline.ts';

class ScriptedLLM extends LLMService {
  requests = 0;
  readonly #answers: LLMPart[][];

  constructor(answers: LLMPart[][]) {
    super();
    this.#answers = answers;
  }

  protected override async *generate(): AsyncGenerator<LLMPart> {
    this.requests += 1;
    yield* this.#answers.shift() ?? [];
  }
}

async function setup(answers: LLMPart[][], tools: Tools = {}) {
  const context = new LLMContext({ tools });
  const { user, assistant } = new LLMContextAggregatorPair(context);
  const llm = new ScriptedLLM(answers);
  const pipeline = await startPipeline([user, llm, assistant]);
  return { ...pipeline, context, llm };
}

const call = (toolCallId: string, toolName: string): LLMPart => ({
  type: 'tool-call',
  toolCallId,
  toolName,
  input: {},
});

describe('a conversation', () => {
  useFakeTime();

  it('keeps all words that come at once, although the first ones start a turn that interrupts', async () => {
    const { task, context } = await setup([]);
    task.queueFrames([new TranscriptionFrame('First half'), new TranscriptionFrame('second half.')]);
    await passes(700);
    expect(context.messages).toEqual([{ role: 'user', content: 'First half second half.' }]);
  });

  it('goes on with a failed call where a result is no JSON', async () => {
    const { task, context, llm, up } = await setup([[call('c1', 'id')]], { id: { execute: () => 12n } });
    task.queueFrame(new LLMRunFrame());
    await passes(10);
    expect(context.messages.at(-1)).toMatchObject({
      role: 'tool',
      content: expect.stringContaining('failed'),
    });
    expect(up.framesOf(ErrorFrame)).toMatchObject([{ category: 'application' }]);
    expect(llm.requests).toBe(2);
  });

  it('answers a result although the last call of the same answer has none', async () => {
    const { task, llm } = await setup([[call('a', 'sky'), call('b', 'note')]], {
      sky: { execute: () => 'blue' },
      note: { execute: () => sleep(100) },
    });
    task.queueFrame(new LLMRunFrame());
    await passes(50);
    expect(llm.requests).toBe(1);
    await passes(100);
    expect(llm.requests).toBe(2);
  });

  it('writes a result in its place although the messages were copied meanwhile', async () => {
    const { task, context } = await setup([[call('a', 'sky')]], {
      sky: { execute: () => sleep(100).then(() => 1) },
    });
    task.queueFrame(new LLMRunFrame());
    await passes(10);
    task.queueFrame(new LLMMessagesTransformFrame((messages) => structuredClone(messages)));
    await passes(200);
    expect(context.messages.at(-1)).toMatchObject({ role: 'tool', content: '1' });
  });

  it('lets a turn end only when nobody speaks any more', async () => {
    const { task, llm } = await setup([]);
    task.queueFrame(new VADUserStartedSpeakingFrame(200, 'ada'));
    task.queueFrame(new VADUserStartedSpeakingFrame(200, 'bob'));
    await passes(0);
    task.queueFrame(new TranscriptionFrame('hello', 'ada'));
    task.queueFrame(new VADUserStoppedSpeakingFrame(200, 'ada'));
    await passes(3_000);
    expect(llm.requests).toBe(0);
    task.queueFrame(new VADUserStoppedSpeakingFrame(200, 'bob'));
    await passes(700);
    expect(llm.requests).toBe(1);
  });
});

class BrokenVoice extends TTSService {
  protected override async *synthesize(text: string): AsyncGenerator<TTSPart> {
    const audio = text === 'Bytes.' ? (Buffer.alloc(4) as unknown as Int16Array) : new Int16Array(160);
    yield { type: 'audio', audio, sampleRate: 16_000 };
  }
}

describe('a voice', () => {
  useFakeTime();

  it('that gives bytes for samples is reported, and the next text is spoken', async () => {
    const { task, up, down, run } = await startPipeline([new BrokenVoice()]);
    task.queueFrames([new TTSSpeakFrame('Bytes.'), new TTSSpeakFrame('Sound.'), new EndFrame()]);
    await passes(10);
    expect(await run).toMatchObject({ reason: 'ended', forced: false });
    expect(up.framesOf(ErrorFrame)).toHaveLength(1);
    expect([...down.frames].map(({ constructor: { name } }) => name)).toContain('TTSTextFrame');
  });
});
