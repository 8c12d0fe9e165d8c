/** Runs the calls that a language model asks for, and reports what becomes of them. */

import {
  FunctionCallCancelFrame,
  FunctionCallInProgressFrame,
  FunctionCallResultFrame,
  FunctionCallsStartedFrame,
} from '../../frames/function-calls.ts';
import { errorMessage, PipelineError } from '../../lib/errors.ts';
import type { FrameProcessor } from '../../processors/frame-processor.ts';
import type { LLMContext } from '../llm-context.ts';
import { FUNCTION_FAILED, UNKNOWN_FUNCTION } from '../tool-messages.ts';
import {
  EndCall,
  performEndCall,
  type Tool,
  type ToolCallOptions,
  type ToolResponseOptions,
  validateInput,
} from '../tools.ts';

/** A call as the model has asked for it. */
export interface RequestedCall {
  /** The model's id of the call. */
  readonly id: string;
  /** The tool's name. */
  readonly name: string;
  /** An object, or JSON of one; nothing counts as an empty object. */
  readonly input: unknown;
}

/** The answer that has asked for calls. */
export interface CallingAnswer {
  readonly context: LLMContext;
  readonly text: string;
  readonly responseId: string;
}

/** Options of a {@link FunctionCallRunner}. */
export interface FunctionCallRunnerOptions {
  readonly runInParallel: boolean;
  readonly isGrouped: boolean;
  readonly timeoutMs: number | null;
  /** Where frames are pushed from. */
  readonly llm: FrameProcessor;
  /** `undefined` where the model made it up. */
  readonly toolOf: (name: string, context: LLMContext) => Tool | undefined;
}

/** One call. */
interface Call {
  readonly id: string;
  readonly name: string;
  readonly input: Readonly<Record<string, unknown>>;
  readonly tool: Tool | undefined;
  readonly answer: CallingAnswer;
  readonly controller: AbortController;
  /** `settled`: it has a final result, or was cancelled; its function may still run. */
  state: 'waiting' | 'running' | 'settled';
  timer: ReturnType<typeof setTimeout> | undefined;
}

/** Every call gets exactly one final result or one cancel, and frames for both in both directions. */
export class FunctionCallRunner {
  readonly #options: FunctionCallRunnerOptions;
  /** All calls whose function has not returned, settled ones included. */
  readonly #calls = new Set<Call>();

  constructor(options: FunctionCallRunnerOptions) {
    this.#options = options;
  }

  /** Starts the calls of an answer. */
  run(requested: readonly RequestedCall[], answer: CallingAnswer): void {
    const calls = requested.flatMap((one) => this.#callOf(one, answer) ?? []);
    if (calls.length === 0) return;
    const started = calls.map(({ id, name, input }) => ({
      functionName: name,
      toolCallId: id,
      arguments: input,
    }));
    for (const call of calls) this.#calls.add(call);
    this.#options.llm.broadcast(FunctionCallsStartedFrame, started, answer.text, answer.responseId);
    if (this.#options.runInParallel) for (const call of calls) void this.#run(call);
    else void this.#runAll(calls);
  }

  /** Cancels the calls without a result that do not survive interruptions, and all that have not begun. */
  interrupt(): void {
    for (const call of this.#calls) {
      if (call.state === 'waiting' || (call.tool?.cancelOnInterruption ?? true)) this.#cancel(call, false);
    }
  }

  /** Cancels all calls without a result. */
  cancelAll(): void {
    for (const call of this.#calls) this.#cancel(call, false);
  }

  /** Aborts everything without frames: the run is over. */
  close(): void {
    for (const call of this.#calls) {
      clearTimeout(call.timer);
      call.state = 'settled';
      call.controller.abort();
    }
    this.#calls.clear();
  }

  #callOf({ id, name, input }: RequestedCall, answer: CallingAnswer): Call | undefined {
    const { llm, toolOf } = this.#options;
    try {
      return {
        id,
        name,
        input: objectOf(input),
        tool: toolOf(name, answer.context),
        answer,
        controller: new AbortController(),
        state: 'waiting',
        timer: undefined,
      };
    } catch (cause) {
      const error = `The arguments of a call of "${name}" are no JSON object, and it is not run`;
      llm.pushError({ error, cause, category: 'application' });
      return undefined;
    }
  }

  async #runAll(calls: readonly Call[]): Promise<void> {
    for (const call of calls) if (call.state === 'waiting') await this.#run(call);
  }

  /** Resolves when the call is settled; its function may go on. */
  #run(call: Call): Promise<void> {
    const { llm, isGrouped } = this.#options;
    const { id, name, input, tool, answer } = call;
    call.state = 'running';
    llm.broadcast(FunctionCallInProgressFrame, {
      functionName: name,
      toolCallId: id,
      arguments: input,
      cancelOnInterruption: tool?.cancelOnInterruption ?? true,
      groupId: isGrouped ? answer.responseId : undefined,
    });
    return new Promise((resolve) => {
      call.controller.signal.addEventListener('abort', () => resolve(), { once: true });
      void this.#execute(call, resolve);
    });
  }

  async #execute(call: Call, onSettled: () => void): Promise<void> {
    const { tool, name, id } = call;
    const settle = (result: unknown, options: SettleOptions = {}): void => {
      this.#settle(call, result, options);
      onSettled();
    };
    try {
      if (tool?.execute === undefined) return settle(UNKNOWN_FUNCTION);
      this.#startTimer(call);
      const checked = await validateInput(tool, call.input);
      if (call.controller.signal.aborted) return;
      if ('problem' in checked) return settle(`The arguments are not valid: ${checked.problem}`);
      const returned = await resultOf(
        tool.execute(checked.input, this.#toolOptions(call, settle)),
        (result) => this.#progress(call, result),
      );
      if (returned instanceof EndCall) {
        settle('The call ends.', { runLLM: false });
        if (!call.controller.signal.aborted) performEndCall(returned, this.#options.llm);
      } else settle(returned);
    } catch (error) {
      if (call.controller.signal.aborted) return;
      const text = `The function "${name}" failed: ${errorMessage(error)}`;
      this.#options.llm.pushError({ error: text, cause: error, category: 'application' });
      settle(FUNCTION_FAILED, { error });
    } finally {
      this.#calls.delete(call);
      if (call.state === 'running')
        settle(undefined, { error: new PipelineError(`No result of call ${id}`) });
    }
  }

  #toolOptions(call: Call, settle: (result: unknown, options?: SettleOptions) => void): ToolCallOptions {
    const { signal } = call.controller;
    return {
      toolCallId: call.id,
      signal,
      abortSignal: signal,
      messages: call.answer.context.messages,
      llm: this.#options.llm,
      respond: settle,
      progress: (result) => this.#progress(call, result),
    };
  }

  #startTimer(call: Call): void {
    const { timeoutMs = this.#options.timeoutMs } = call.tool ?? {};
    if (timeoutMs !== null) call.timer = setTimeout(() => this.#cancel(call, true), timeoutMs);
  }

  #settle(call: Call, result: unknown, { runLLM = call.tool?.runLLM, ...options }: SettleOptions): void {
    if (call.state === 'settled') return;
    call.state = 'settled';
    clearTimeout(call.timer);
    const isJSON = this.#isJSON(call, result);
    this.#pushResult(call, isJSON ? result : FUNCTION_FAILED, { runLLM, ...options });
  }

  #progress(call: Call, result: unknown): void {
    if (call.state === 'running' && result !== undefined && this.#isJSON(call, result))
      this.#pushResult(call, result, { isFinal: false });
  }

  /** Reports a result that cannot be written into the conversation. */
  #isJSON({ name }: Call, result: unknown): boolean {
    try {
      JSON.stringify(result);
      return true;
    } catch (cause) {
      const error = `The result of the function "${name}" is no JSON: ${errorMessage(cause)}`;
      this.#options.llm.pushError({ error, cause, category: 'application' });
      return false;
    }
  }

  #pushResult({ id, name, input }: Call, result: unknown, options: SettleOptions): void {
    const { llm } = this.#options;
    const call = { functionName: name, toolCallId: id, arguments: input };
    const { onContextUpdated: callback } = options;
    const onContextUpdated = (): void => {
      try {
        callback?.();
      } catch (error) {
        llm.pushError({ error, category: 'application' });
      }
    };
    llm.broadcast(FunctionCallResultFrame, { ...call, result, ...options, onContextUpdated });
  }

  #cancel(call: Call, runLLM: boolean): void {
    if (call.state === 'settled') return;
    call.state = 'settled';
    clearTimeout(call.timer);
    this.#calls.delete(call);
    this.#options.llm.broadcast(FunctionCallCancelFrame, {
      functionName: call.name,
      toolCallId: call.id,
      runLLM,
    });
    call.controller.abort();
  }
}

/** How a result is pushed. */
interface SettleOptions extends ToolResponseOptions {
  readonly isFinal?: boolean;
  readonly error?: unknown;
}

/** The final result of a function; an async generator, as the AI SDK has them, gives the others before. */
async function resultOf(returned: unknown, progress: (result: unknown) => void): Promise<unknown> {
  if (!isAsyncIterable(returned)) return returned;
  let last: unknown;
  let hasLast = false;
  for await (const value of returned) {
    if (hasLast) progress(last);
    last = value;
    hasLast = true;
  }
  return last;
}

function isAsyncIterable(value: unknown): value is AsyncIterable<unknown> {
  return typeof value === 'object' && value !== null && Symbol.asyncIterator in value;
}

function objectOf(input: unknown): Readonly<Record<string, unknown>> {
  if (input === undefined || input === null || input === '') return {};
  const value: unknown = typeof input === 'string' ? JSON.parse(input) : input;
  if (typeof value === 'object' && value !== null && !Array.isArray(value))
    return value as Record<string, unknown>;
  throw new PipelineError('The arguments are no object');
}
