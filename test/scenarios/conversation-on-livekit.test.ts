import { beforeAll, expect, it, onTestFinished } from 'vitest';
import { LLMContext } from '../../src/conversation/llm-context.ts';
import { LLMContextAggregatorPair } from '../../src/conversation/llm-context-aggregator-pair.ts';
import { type LLMPart, LLMService } from '../../src/conversation/services/llm-service.ts';
import type { TTSPart } from '../../src/conversation/services/sentence-synthesis.ts';
import { TTSService } from '../../src/conversation/services/tts-service.ts';
import { endCall, tool } from '../../src/conversation/tools.ts';
import { InterruptionTaskFrame } from '../../src/frames/interruption.ts';
import type { LLMMessage } from '../../src/frames/llm.ts';
import { LLMRunFrame } from '../../src/frames/llm.ts';
import { TranscriptionFrame } from '../../src/frames/text.ts';
import { silentLogger } from '../../src/lib/logger.ts';
import { Pipeline } from '../../src/pipeline/pipeline.ts';
import { PipelineTask } from '../../src/pipeline/pipeline-task.ts';
import type { LiveKitServer } from '../../src/testing/start-livekit-server.ts';
import { promised } from '../support/promised.ts';
import { describeWith } from '../support/requirements.ts';
import { roomExists } from '../support/room-service.ts';
import { sharedLiveKit } from '../support/shared-services.ts';
import { call, newTransport, sleep, tone } from '../transports/livekit/call.ts';

const describe = await describeWith('livekit-server', '@livekit/rtc-node');

const wordMs = 200;

/** Answers with what it was given, one after the other. */
class ScriptedModel extends LLMService {
  readonly asked: (readonly LLMMessage[])[] = [];
  readonly #answers: LLMPart[][];

  constructor(...answers: LLMPart[][]) {
    super();
    this.#answers = answers;
  }

  protected override async *generate({ messages }: LLMContext): AsyncGenerator<LLMPart> {
    this.asked.push(messages);
    yield* this.#answers.shift() ?? [];
  }
}

/** A voice that needs 200 ms for each word. */
class ToneVoice extends TTSService {
  protected override async *synthesize(text: string): AsyncGenerator<TTSPart> {
    const words = text.split(' ').length;
    for (const { audio, sampleRate } of tone(words * wordMs)) yield { type: 'audio', audio, sampleRate };
  }
}

describe('a voice agent on LiveKit', () => {
  let server: LiveKitServer;
  beforeAll(async () => {
    server = await sharedLiveKit();
  });

  async function setup(model: ScriptedModel) {
    const transport = newTransport(server);
    const context = new LLMContext({
      tools: { hang_up: tool({ execute: () => endCall({ say: 'Goodbye and thank you.' }) }) },
    });
    const { user, assistant } = new LLMContextAggregatorPair(context);
    const task = new PipelineTask(
      new Pipeline([transport.input(), user, model, new ToneVoice(), transport.output(), assistant]),
      { logger: silentLogger },
    );
    const ada = await call(server, transport.roomName);
    const started = new Promise<void>((resolve) => task.once('started', resolve));
    const result = task.run();
    onTestFinished(async () => {
      task.cancel();
      await result;
    });
    await started;
    return { transport, context, assistant, task, ada, result };
  }

  it('remembers of an answer that is cut what the caller has heard, hangs up by a tool after a goodbye that is heard, and leaves no room', async () => {
    const counting = Array.from({ length: 60 }, (_, index) => `number${index}`).join(' ');
    const model = new ScriptedModel(
      [{ type: 'text', text: `${counting}.` }],
      [{ type: 'tool-call', toolCallId: 'c1', toolName: 'hang_up', input: {} }],
    );
    const { transport, context, assistant, task, ada, result } = await setup(model);
    const cut = new Promise<string>((resolve) =>
      assistant.once('assistantTurnStopped', ({ content }) => resolve(content)),
    );
    task.queueFrame(new LLMRunFrame());
    await ada.waitFor('audioStarted');
    await sleep(1_500);
    task.queueFrame(new InterruptionTaskFrame(), 'upstream');
    const words = (await cut).split(' ').length;
    await sleep(1_000);
    const { heardMs } = await ada.heard();
    // what is on its way to the caller when it is cut: a chunk, the server, the caller's buffer
    expect(Math.abs(words - heardMs / wordMs)).toBeLessThan(promised(2.5, 15));
    expect(context.messages).toEqual([
      { role: 'assistant', content: expect.stringMatching(/^number0 number1/) },
    ]);

    task.queueFrame(new TranscriptionFrame('that is enough', 'ada'));
    expect(await result).toMatchObject({ reason: 'ended', forced: false });
    expect(context.messages.slice(1)).toMatchObject([
      { role: 'user', content: 'that is enough' },
      { role: 'assistant', tool_calls: [{ id: 'c1' }] },
      { role: 'tool', tool_call_id: 'c1' },
      { role: 'assistant', content: 'Goodbye and thank you.' },
    ]);
    expect(await ada.waitFor('disconnected')).toMatchObject({ reason: 'ROOM_DELETED' });
    await ada.exited;
    expect((await ada.heard()).heardMs - heardMs).toBeGreaterThan(promised(4 * wordMs - 100, wordMs));
    expect(await roomExists(server, transport.roomName)).toBe(false);
    expect(model.asked).toHaveLength(2);
  });
});
