/** The conversation so far: messages and tools, shared by the two halves of an aggregator pair. */

import type { LLMContextData, LLMMessage, LLMToolChoice } from '../frames/llm.ts';
import { InvalidOptionError } from '../lib/errors.ts';
import { checkOptions } from '../lib/options.ts';
import { checkTools, type Tools } from './tools.ts';

/** What a context begins with. */
export interface LLMContextOptions {
  /** Messages in the shape of OpenAI's chat. Default none. */
  readonly messages?: readonly LLMMessage[] | undefined;
  /** The tools that the model may call, by name. Default none. */
  readonly tools?: Tools | undefined;
  /** Whether the model may, must or must not call tools. Default `'auto'`. */
  readonly toolChoice?: LLMToolChoice | undefined;
}

/**
 * A conversation so far. The aggregators write to it; messages are never changed in place, only replaced.
 *
 * @throws {InvalidOptionError} A message has no known role, or a tool is none.
 * @see Pipecat `processors/aggregators/llm_context.py`, `LLMContext`
 */
export class LLMContext implements LLMContextData {
  #messages: LLMMessage[];
  #tools: Tools;
  #toolChoice: LLMToolChoice;

  constructor(options: LLMContextOptions = {}) {
    checkOptions(options);
    const { messages = [], tools = {}, toolChoice = 'auto' } = options;
    this.#messages = checkedMessages(messages);
    this.#tools = checkTools(tools);
    this.#toolChoice = toolChoice;
  }

  /** The messages so far: a snapshot. */
  get messages(): readonly LLMMessage[] {
    return [...this.#messages];
  }

  /** The tools that the model may call, by name. */
  get tools(): Tools {
    return this.#tools;
  }

  /** Whether the model may, must or must not call tools. */
  get toolChoice(): LLMToolChoice {
    return this.#toolChoice;
  }

  /** Adds messages at the end. */
  addMessages(...messages: readonly LLMMessage[]): void {
    this.#messages.push(...checkedMessages(messages));
  }

  /** Replaces all messages. */
  setMessages(messages: readonly LLMMessage[]): void {
    this.#messages = checkedMessages(messages);
  }

  /** Replaces all messages by what a function makes of them. */
  transformMessages(transform: (messages: readonly LLMMessage[]) => readonly LLMMessage[]): void {
    this.setMessages(transform(this.messages));
  }

  /**
   * Replaces one message, identified by the object itself.
   *
   * @param replacement `undefined` removes the message.
   * @returns Whether it was there.
   */
  replaceMessage(message: LLMMessage, replacement: LLMMessage | undefined): boolean {
    const index = this.#messages.indexOf(message);
    if (index < 0) return false;
    this.#messages.splice(index, 1, ...(replacement === undefined ? [] : [replacement]));
    return true;
  }

  /** Replaces the tools. */
  setTools(tools: Tools): void {
    this.#tools = checkTools(tools);
  }

  /** Replaces the tool choice. */
  setToolChoice(toolChoice: LLMToolChoice): void {
    this.#toolChoice = toolChoice;
  }
}

const roles: ReadonlySet<unknown> = new Set(['system', 'developer', 'user', 'assistant', 'tool']);

function checkedMessages(messages: unknown): LLMMessage[] {
  if (!Array.isArray(messages)) throw new InvalidOptionError('messages', 'an array of messages', messages);
  for (const message of messages as unknown[]) {
    const { role } = (message ?? {}) as { role?: unknown };
    if (roles.has(role)) continue;
    throw new InvalidOptionError('messages', `messages with a role of ${[...roles].join(', ')}`, role);
  }
  return [...(messages as LLMMessage[])];
}
