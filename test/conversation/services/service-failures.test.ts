import { describe, expect, it, vi } from 'vitest';
import { LLMContext } from '../../../src/conversation/llm-context.ts';
import { type LLMPart, LLMService } from '../../../src/conversation/services/llm-service.ts';
import type { TTSPart } from '../../../src/conversation/services/sentence-synthesis.ts';
import { TTSService } from '../../../src/conversation/services/tts-service.ts';
import { ErrorFrame } from '../../../src/frames/error-frame.ts';
import type { Frame } from '../../../src/frames/frame.ts';
import { InterruptionFrame } from '../../../src/frames/interruption.ts';
import { EndFrame } from '../../../src/frames/lifecycle.ts';
import {
  LLMContextFrame,
  LLMFullResponseEndFrame,
  LLMFullResponseStartFrame,
} from '../../../src/frames/llm.ts';
import { TTSSpeakFrame } from '../../../src/frames/speaking.ts';
import type { FrameProcessor } from '../../../src/processors/frame-processor.ts';
import { passes, useFakeTime } from '../../support/fake-time.ts';
import { startPipeline } from '../../support/start-pipeline.ts';

type Answer<Part> = (signal: AbortSignal) => AsyncGenerator<Part>;

class OneLLM extends LLMService {
  readonly #answer: Answer<LLMPart>;

  constructor(answer: Answer<LLMPart>) {
    super({ silenceTimeoutMs: 5_000 });
    this.#answer = answer;
  }

  protected override generate(
    _: LLMContext,
    { signal }: { readonly signal: AbortSignal },
  ): AsyncGenerator<LLMPart> {
    return this.#answer(signal);
  }
}

class OneTTS extends TTSService {
  readonly #answer: Answer<TTSPart>;

  constructor(answer: Answer<TTSPart>) {
    super({ silenceTimeoutMs: 5_000 });
    this.#answer = answer;
  }

  protected override synthesize(
    _: string,
    { signal }: { readonly signal: AbortSignal },
  ): AsyncGenerator<TTSPart> {
    return this.#answer(signal);
  }
}

const failing = (status: number | undefined) =>
  async function* (): AsyncGenerator<never> {
    yield* [];
    throw Object.assign(new Error('failed'), status === undefined ? {} : { statusCode: status });
  };
async function* cut(): AsyncGenerator<never> {
  yield* [];
  throw Object.assign(new TypeError('terminated'), {
    cause: Object.assign(new Error(), { code: 'UND_ERR_SOCKET' }),
  });
}
async function* hanging(): AsyncGenerator<never> {
  yield* [];
  await new Promise(() => {});
}

const services: readonly (readonly [string, (answer: Answer<never>) => FrameProcessor, () => Frame])[] = [
  ['a language model', (answer) => new OneLLM(answer), () => new LLMContextFrame(new LLMContext())],
  ['speech synthesis', (answer) => new OneTTS(answer), () => new TTSSpeakFrame('Hello.')],
];

describe.each(services)('%s', (_, make, request) => {
  useFakeTime();

  it.each([
    ['answers 401', failing(401), 'authentication'],
    ['answers 429', failing(429), 'rate_limit'],
    ['answers 500', failing(500), 'server'],
    ['has its stream cut', cut, 'connectivity'],
    ['throws', failing(undefined), 'unknown'],
    ['says nothing for 5 s', hanging, 'connectivity'],
  ] as const)('that %s is reported by category, and the run goes on', async (_, answer, category) => {
    const { task, up, down, run } = await startPipeline([make(answer)], {
      processorUnusablePolicy: 'continue',
    });
    task.queueFrame(request());
    task.queueFrame(new EndFrame());
    await passes(5_000);
    expect(await run).toMatchObject({ reason: 'ended', forced: false });
    expect(up.framesOf(ErrorFrame).map((frame) => frame.category)).toEqual([category]);
    expect(down.framesOf(LLMFullResponseEndFrame)).toHaveLength(
      down.framesOf(LLMFullResponseStartFrame).length,
    );
    expect(vi.getTimerCount()).toBe(0);
  });

  it('has its request aborted by an interruption at once, and nothing is reported', async () => {
    const aborted: boolean[] = [];
    const { task, up } = await startPipeline([
      make(async function* (signal) {
        signal.addEventListener('abort', () => aborted.push(true));
        yield* hanging();
      }),
    ]);
    task.queueFrame(request());
    await passes(10);
    task.queueFrame(new InterruptionFrame());
    await passes(0);
    expect(aborted).toEqual([true]);
    expect(up.framesOf(ErrorFrame)).toEqual([]);
    expect(vi.getTimerCount()).toBe(0);
  });
});
