/** The two halves that keep a conversation. */

import { InvalidOptionError } from '../lib/errors.ts';
import { ConversationState } from './conversation-state.ts';
import { LLMAssistantAggregator, type LLMAssistantAggregatorOptions } from './llm-assistant-aggregator.ts';
import { LLMContext } from './llm-context.ts';
import { LLMUserAggregator, type LLMUserAggregatorOptions } from './llm-user-aggregator.ts';

/** Options of both halves. */
export interface LLMContextAggregatorPairOptions {
  /** Of the user's half. */
  readonly user?: LLMUserAggregatorOptions | undefined;
  /** Of the assistant's half. */
  readonly assistant?: LLMAssistantAggregatorOptions | undefined;
}

/**
 * Keeps a conversation: the user's half stands in front of the model, the assistant's half behind the output.
 *
 * @example
 * const context = new LLMContext({ messages: [{ role: 'system', content: 'Be brief.' }] });
 * const { user, assistant } = new LLMContextAggregatorPair(context);
 * new Pipeline([transport.input(), stt, user, llm, tts, transport.output(), assistant]);
 *
 * @throws {InvalidOptionError} `context` is no {@link LLMContext}, or an option is invalid.
 * @see Pipecat `processors/aggregators/llm_response_universal.py`, `LLMContextAggregatorPair`
 */
export class LLMContextAggregatorPair {
  /** The user's half. */
  readonly user: LLMUserAggregator;
  /** The assistant's half. */
  readonly assistant: LLMAssistantAggregator;

  constructor(context: LLMContext, { user, assistant }: LLMContextAggregatorPairOptions = {}) {
    if (!(context instanceof LLMContext)) throw new InvalidOptionError('context', 'an LLMContext', context);
    const state = new ConversationState(context);
    this.user = new LLMUserAggregator(state, user);
    this.assistant = new LLMAssistantAggregator(state, assistant);
  }
}
