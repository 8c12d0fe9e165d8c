/** A language model that answers from a script: `conversation-traces/README.md`, section 4. */

import { type LLMContext, type LLMPart, LLMService, type Tool } from '../../../src/conversation.ts';
import { pause, untilAborted } from './pause.ts';
import type { AnswerItem, CallSpec, LLMSpec } from './scenario.ts';

/** What a {@link ScriptedLLM} is made of. */
export interface ScriptedLLMOptions {
  readonly script: LLMSpec;
  /** The functions that are registered with it, by name. */
  readonly tools: Readonly<Record<string, Tool>>;
  /** Called at the beginning of each run, with the context that it was given. */
  readonly onRun: (context: LLMContext) => void;
}

export class ScriptedLLM extends LLMService {
  readonly #script: LLMSpec;
  readonly #answers: (readonly AnswerItem[])[];
  readonly #onRun: (context: LLMContext) => void;

  constructor({ script, tools, onRun }: ScriptedLLMOptions) {
    super({
      runInParallel: script.parallel ?? true,
      groupParallelTools: script.grouped ?? true,
      tools: { ...tools },
    });
    this.#script = script;
    this.#answers = [...(script.answers ?? [])];
    this.#onRun = onRun;
  }

  protected override generate(
    context: LLMContext,
    { signal }: { readonly signal: AbortSignal },
  ): AsyncIterable<LLMPart> {
    this.#onRun(context);
    return this.#answer(this.#answers.shift() ?? [], signal);
  }

  async *#answer(items: readonly AnswerItem[], signal: AbortSignal): AsyncGenerator<LLMPart> {
    const { firstMs = 40, gapMs = 10 } = this.#script;
    const calls: LLMPart[] = [];
    await pause(firstMs, signal);
    for (const item of items) {
      if (typeof item === 'string') {
        yield { type: 'text', text: item };
        await pause(gapMs, signal);
      } else if ('wait' in item) await pause(item.wait, signal);
      else if ('call' in item) calls.push(callPart(item.call));
      else if ('hang' in item) await untilAborted(signal);
      else {
        yield* calls;
        throw new Error(item.error);
      }
    }
    yield* calls;
  }
}

function callPart({ id, name, arguments: input = {} }: CallSpec): LLMPart {
  return { type: 'tool-call', toolCallId: id, toolName: name, input };
}
