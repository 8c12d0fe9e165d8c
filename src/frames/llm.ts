/** What a language model is asked, and when. */

import { DataFrame } from './frame.ts';

/** One message of a conversation; what `content` may be is the model's business. */
export interface LLMMessage {
  /** Such as `system`, `user`, `assistant`, `tool`. */
  readonly role: string;
  readonly content?: unknown;
  readonly [field: string]: unknown;
}

/** A conversation so far. */
export interface LLMContext {
  readonly messages: readonly LLMMessage[];
  /** What the model may call, in its own notation. */
  readonly tools?: readonly unknown[] | undefined;
}

/** The conversation is ready for an answer: a language model that receives it answers, and does not pass it on. */
export class LLMContextFrame extends DataFrame {
  readonly context: LLMContext;

  constructor(context: LLMContext) {
    super();
    this.context = context;
  }
}

/** Asks for an answer to the conversation as it is; whoever keeps it sends an {@link LLMContextFrame}. */
export class LLMRunFrame extends DataFrame {}

/** Adds messages to the conversation; whoever keeps it does so, and does not pass the frame on. */
export class LLMMessagesAppendFrame extends DataFrame {
  readonly messages: readonly LLMMessage[];
  /** Whether an answer is wanted right away; `undefined` means no. */
  readonly runLLM: boolean | undefined;

  constructor(messages: readonly LLMMessage[], runLLM?: boolean) {
    super();
    this.messages = messages;
    this.runLLM = runLLM;
  }
}

/** Replaces the messages of the conversation; whoever keeps it does so, and does not pass the frame on. */
export class LLMMessagesUpdateFrame extends DataFrame {
  readonly messages: readonly LLMMessage[];
  /** Whether an answer is wanted right away; `undefined` means no. */
  readonly runLLM: boolean | undefined;

  constructor(messages: readonly LLMMessage[], runLLM?: boolean) {
    super();
    this.messages = messages;
    this.runLLM = runLLM;
  }
}
