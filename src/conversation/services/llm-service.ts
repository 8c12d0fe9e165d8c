/** The base class of language models. */

import { AsyncLocalStorage } from 'node:async_hooks';
import type { Frame, FrameDirection } from '../../frames/frame.ts';
import {
  LLMConfigureOutputFrame,
  LLMContextFrame,
  LLMFullResponseEndFrame,
  LLMFullResponseStartFrame,
  LLMTextFrame,
  LLMThoughtEndFrame,
  LLMThoughtStartFrame,
  LLMThoughtTextFrame,
} from '../../frames/llm.ts';
import { type MetricsData, MetricsFrame } from '../../frames/metrics.ts';
import { isFor, LLMUpdateSettingsFrame } from '../../frames/services.ts';
import { InvalidOptionError } from '../../lib/errors.ts';
import { checkBoolean, checkDurationMs } from '../../lib/options.ts';
import { FrameProcessor, type FrameProcessorOptions } from '../../processors/frame-processor.ts';
import type { FrameProcessorSetup } from '../../processors/frame-processor-setup.ts';
import { LLMContext } from '../llm-context.ts';
import { checkTools, type Tool, type Tools } from '../tools.ts';
import { FunctionCallRunner, type RequestedCall } from './function-call-runner.ts';
import { categoryOf, iterateBounded } from './service-call.ts';

/** A part of an answer. */
export type LLMPart =
  /** Text, with its white space. */
  | { readonly type: 'text'; readonly text: string }
  /** Reasoning: neither spoken nor remembered. */
  | { readonly type: 'reasoning'; readonly text: string }
  /** A call of a tool; `input` is an object, or JSON of one. */
  | {
      readonly type: 'tool-call';
      readonly toolCallId: string;
      readonly toolName: string;
      readonly input: unknown;
    }
  /** What the answer has cost, in tokens. */
  | {
      readonly type: 'usage';
      readonly promptTokens: number;
      readonly completionTokens: number;
      readonly cachedTokens?: number | undefined;
    };

/** Options of a language model. */
export interface LLMServiceOptions extends Omit<FrameProcessorOptions, 'directMode'> {
  /** Whether the calls of one answer run at the same time; otherwise one after the other. Default true. */
  readonly runInParallel?: boolean | undefined;
  /** Whether the model runs once for all calls of one answer; otherwise after each. Default true. */
  readonly groupParallelTools?: boolean | undefined;
  /** Limit of a call, in milliseconds; `null` for none. Default `null`. */
  readonly functionCallTimeoutMs?: number | null | undefined;
  /** Tools that it runs beside those of the context; the model does not get to know of them by that. */
  readonly tools?: Tools | undefined;
  /** Longest silence within an answer, in milliseconds; `null` for no limit. Default 30,000. */
  readonly silenceTimeoutMs?: number | null | undefined;
}

/** An answer being generated. */
interface Answer {
  readonly responseId: string;
  readonly controller: AbortController;
  isThinking: boolean;
}

let answers = 0;

/**
 * Answers contexts. A subclass generates the parts of an answer; frames, calls of tools, metrics, errors and interruptions
 * are done here.
 *
 * Frames in: {@link LLMContextFrame} of either direction, which goes no further; {@link LLMConfigureOutputFrame}.
 * Frames out: {@link LLMFullResponseStartFrame}, {@link LLMTextFrame}s, {@link LLMFullResponseEndFrame}, which always
 * pair; thoughts; function calls in both directions. What is queued behind a context waits for its answer.
 *
 * An interruption aborts the answer and the calls without a result. Calls of an answer begin when it is complete, so an
 * answer that was cut or has failed has none.
 *
 * @example
 * class EchoLLM extends LLMService {
 *   protected override async *generate({ messages }: LLMContext): AsyncGenerator<LLMPart> {
 *     yield { type: 'text', text: `You said: ${messages.at(-1)?.content}` };
 *   }
 * }
 *
 * @throws {InvalidOptionError} An option is invalid.
 * @see Pipecat `services/llm_service.py`, `LLMService`
 */
export abstract class LLMService extends FrameProcessor {
  readonly #silenceMs: number | null;
  readonly #tools = new Map<string, Tool>();
  readonly #calls: FunctionCallRunner;
  #answer: Answer | undefined;
  #skipTTS = false;
  /** Runs code outside of the call of `process()` that it is started in, which an interruption abandons. */
  #detached: <T>(work: () => T) => T = (work) => work();

  constructor(options: LLMServiceOptions = {}) {
    super(options);
    const { runInParallel = true, groupParallelTools = true, functionCallTimeoutMs = null } = options;
    const { tools = {}, silenceTimeoutMs = 30_000 } = options;
    checkBoolean('runInParallel', runInParallel);
    checkBoolean('groupParallelTools', groupParallelTools);
    if (functionCallTimeoutMs !== null) {
      checkDurationMs('functionCallTimeoutMs', functionCallTimeoutMs, { or: 'null' });
    }
    if (silenceTimeoutMs !== null) checkDurationMs('silenceTimeoutMs', silenceTimeoutMs, { or: 'null' });
    this.#silenceMs = silenceTimeoutMs;
    for (const [name, one] of Object.entries(checkTools(tools))) this.#tools.set(name, one);
    this.#calls = new FunctionCallRunner({
      runInParallel,
      isGrouped: groupParallelTools,
      timeoutMs: functionCallTimeoutMs,
      llm: this,
      toolOf: (name, context) =>
        this.#tools.get(name) ?? (Object.hasOwn(context.tools, name) ? context.tools[name] : undefined),
    });
  }

  /**
   * Generates an answer. Called once at a time.
   *
   * @param options.signal Aborts at an interruption, a cancel and the end; the request is to be aborted by it.
   * @returns The parts. What it throws becomes an ErrorFrame, by its HTTP status as `statusCode` or `status`.
   */
  protected abstract generate(
    context: LLMContext,
    options: { readonly signal: AbortSignal },
  ): AsyncIterable<LLMPart>;

  /** Changes settings during the run, such as the model. Default: ignores them. */
  protected updateSettings(_settings: Readonly<Record<string, unknown>>): void {}

  /** Registers a tool that it runs beside those of the context; replaces one of the same name. */
  registerTool(name: string, tool: Tool): void {
    checkTools({ [name]: tool });
    this.#tools.set(name, tool);
  }

  /** Removes a tool; its running calls go on. */
  unregisterTool(name: string): void {
    this.#tools.delete(name);
  }

  override async setup(setup: FrameProcessorSetup): Promise<void> {
    await super.setup(setup);
    this.#skipTTS = false;
    this.#detached = AsyncLocalStorage.snapshot();
  }

  override async cleanup(): Promise<void> {
    this.#abort();
    this.#calls.close();
    await super.cleanup();
  }

  protected override process(frame: Frame, direction: FrameDirection): void | Promise<void> {
    if (frame instanceof LLMContextFrame) {
      const context = contextOf(frame);
      return this.#detached(() => this.#generate(context));
    }
    if (frame instanceof LLMUpdateSettingsFrame && isFor(frame, this)) {
      this.updateSettings(frame.settings);
      return;
    }
    if (frame instanceof LLMConfigureOutputFrame) {
      this.#skipTTS = frame.skipTTS;
      return;
    }
    if (frame.frameRole === 'interruption') {
      this.#abort();
      this.#calls.interrupt();
    } else if (frame.frameRole === 'cancel' || frame.frameRole === 'end' || frame.frameRole === 'stop') {
      this.#abort();
      this.#calls.cancelAll();
    }
    this.push(frame, direction);
  }

  #abort(): void {
    const answer = this.#answer;
    if (answer === undefined) return;
    this.#answer = undefined;
    answer.controller.abort();
    this.#end(answer);
  }

  #end(answer: Answer): void {
    this.#endThought(answer);
    this.push(new LLMFullResponseEndFrame(answer.responseId));
  }

  async #generate(context: LLMContext): Promise<void> {
    if (!this.usable) return;
    answers += 1;
    const answer: Answer = {
      responseId: `answer-${answers}`,
      controller: new AbortController(),
      isThinking: false,
    };
    this.#answer = answer;
    this.push(new LLMFullResponseStartFrame(answer.responseId));
    const { signal } = answer.controller;
    const calls: RequestedCall[] = [];
    let text = '';
    let hasFailed = false;
    const timing = new AnswerTiming((data) => this.#report(data));
    try {
      const parts = this.generate(context, { signal });
      for await (const part of iterateBounded(parts, { signal, silenceMs: this.#silenceMs })) {
        if (signal.aborted) return;
        timing.part(part);
        if (part.type === 'text') text += part.text;
        this.#take(part, answer, calls);
      }
    } catch (error) {
      if (signal.aborted) return;
      hasFailed = true;
      this.pushError({ error, category: categoryOf(error) });
    }
    if (signal.aborted) return;
    this.#answer = undefined;
    timing.done();
    this.#end(answer);
    if (!hasFailed) this.#calls.run(calls, { context, text, responseId: answer.responseId });
  }

  #take(part: LLMPart, answer: Answer, calls: RequestedCall[]): void {
    switch (part.type) {
      case 'text':
        this.#endThought(answer);
        this.#pushText(part.text);
        return;
      case 'reasoning':
        if (!answer.isThinking) this.push(new LLMThoughtStartFrame());
        answer.isThinking = true;
        this.push(new LLMThoughtTextFrame(part.text));
        return;
      case 'tool-call':
        calls.push({ id: part.toolCallId, name: part.toolName, input: part.input });
        return;
      default:
    }
  }

  #endThought(answer: Answer): void {
    if (answer.isThinking) this.push(new LLMThoughtEndFrame());
    answer.isThinking = false;
  }

  #pushText(text: string): void {
    if (text === '') return;
    const frame = new LLMTextFrame(text);
    if (this.#skipTTS) frame.skipTTS = true;
    this.push(frame);
  }

  #report(data: MetricsWithoutSource): void {
    this.push(new MetricsFrame([{ processor: this.name, ...data } as MetricsData]));
  }
}

/** One figure, without its source. */
type MetricsWithoutSource = {
  [Data in MetricsData as Data['kind']]: Omit<Data, 'processor' | 'model'>;
}[MetricsData['kind']];

/** Measures one answer. */
class AnswerTiming {
  readonly #report: (data: MetricsWithoutSource) => void;
  readonly #startedMs = performance.now();
  #hasPart = false;
  #hasText = false;

  constructor(report: (data: MetricsWithoutSource) => void) {
    this.#report = report;
  }

  part(part: LLMPart): void {
    if (part.type === 'usage') {
      const { type: _, ...usage } = part;
      this.#report({ kind: 'llm-usage', ...usage });
      return;
    }
    if (!this.#hasPart) this.#report({ kind: 'ttfb', valueMs: this.#elapsedMs });
    this.#hasPart = true;
    if (part.type !== 'text' || this.#hasText) return;
    this.#hasText = true;
    this.#report({ kind: 'ttfat', valueMs: this.#elapsedMs });
  }

  done(): void {
    this.#report({ kind: 'processing', valueMs: this.#elapsedMs });
  }

  get #elapsedMs(): number {
    return performance.now() - this.#startedMs;
  }
}

function contextOf({ context }: LLMContextFrame): LLMContext {
  if (context instanceof LLMContext) return context;
  throw new InvalidOptionError('frame.context', 'an LLMContext', context);
}
