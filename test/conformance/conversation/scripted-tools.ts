/** Functions that a model may call, and what they saw: `conversation-traces/README.md`, section 4. */

import type { Tool } from '../../../src/conversation.ts';
import { EndTaskFrame } from '../../../src/frames/lifecycle.ts';
import { TTSSpeakFrame } from '../../../src/frames/speaking.ts';
import { pause, untilAborted } from './pause.ts';
import type { ToolAction, ToolSpec, ToolTrace } from './scenario.ts';

/** What one call's handler saw, and when it gave its result. */
export interface ToolRecord extends ToolTrace {
  readonly saw: string[];
  resultAtMs: number | undefined;
}

/** What a tool of the library gets with each call. */
type CallOptions = Parameters<NonNullable<Tool['execute']>>[1];

/** A function without a handler: the model may ask for it, and there is no answer. */
export const unhandledTool: Tool = {};

/** @param begun Called with the record of each call whose handler starts. */
export function scriptedTool(name: string, script: ToolSpec, begun: (record: ToolRecord) => void): Tool {
  return {
    cancelOnInterruption: script.cancelOnInterruption ?? true,
    ...(script.timeoutMs === undefined ? {} : { timeoutMs: script.timeoutMs }),
    async execute(input, options) {
      const record: ToolRecord = {
        id: options.toolCallId,
        name,
        arguments: structuredClone(input),
        saw: ['started'],
        resultAtMs: undefined,
      };
      begun(record);
      try {
        const result = await new Handler(script, options, record).run();
        record.saw.push('finished');
        return result;
      } catch (error) {
        const { aborted, reason } = options.signal;
        record.saw.push(aborted && error === reason ? 'cancelled' : 'threw');
        throw error;
      }
    },
  };
}

/** One call of a scripted function. */
class Handler {
  readonly #script: ToolSpec;
  readonly #options: CallOptions;
  readonly #record: ToolRecord;

  constructor(script: ToolSpec, options: CallOptions, record: ToolRecord) {
    this.#script = script;
    this.#options = options;
    this.#record = record;
  }

  /** @returns The result, where the function does nothing but give one. */
  async run(): Promise<unknown> {
    const { updates = [], afterMs = 30, throws, result, runLlm, then = [] } = this.#script;
    const { returnsFirst = false, silent = false } = this.#script;
    const { signal } = this.#options;
    for (const update of updates) {
      await pause(update.afterMs, signal);
      this.#options.progress(update.result);
    }
    await pause(afterMs, signal);
    if (throws !== undefined) throw new Error(throws);
    if (silent) return untilAborted(signal);
    this.#record.resultAtMs = performance.now();
    if (!returnsFirst && runLlm === undefined && then.length === 0) return result;
    this.#options.respond(result, runLlm === undefined ? {} : { runLLM: runLlm });
    for (const action of then) await this.#perform(action);
    return undefined;
  }

  async #perform(action: ToolAction): Promise<void> {
    const { signal, llm } = this.#options;
    if ('sleep' in action) await pause(action.sleep, signal);
    else if ('speak' in action) llm.push(new TTSSpeakFrame(action.speak), 'downstream');
    else if ('endTask' in action) llm.push(new EndTaskFrame(), 'upstream');
    else if ('throw' in action) throw new Error(action.throw);
    else this.#options.respond(action.result);
  }
}
