/** The frames of language models: context, requests and answers. */

import { ControlFrame, DataFrame } from './frame.ts';
import { TextFrame } from './text.ts';

/** One message of a conversation; the shape of `content` depends on the model. */
export interface LLMMessage {
  /** Such as `system`, `user`, `assistant`, `tool`. */
  readonly role: string;
  /** The text, or parts in the format of the model. */
  readonly content?: unknown;
  /** Such as `tool_calls`. */
  readonly [field: string]: unknown;
}

/** A conversation so far, and its tools. */
export interface LLMContext {
  /** The conversation so far. */
  readonly messages: readonly LLMMessage[];
  /** The tools that the model may call, in the model's notation. */
  readonly tools?: readonly unknown[] | undefined;
}

/** A request for an answer to this context: a language model answers, and does not pass the frame on. */
export class LLMContextFrame extends DataFrame {
  /** The context that the model answers. */
  readonly context: LLMContext;

  constructor(context: LLMContext) {
    super();
    this.context = context;
  }
}

/** A request to the context aggregator for an {@link LLMContextFrame} of the current context. */
export class LLMRunFrame extends DataFrame {}

/** Appends messages to the context; consumed by the context aggregator. */
export class LLMMessagesAppendFrame extends DataFrame {
  /** The messages to append to the context. */
  readonly messages: readonly LLMMessage[];
  /** Whether to request an answer at once; `undefined` means no. */
  readonly runLLM: boolean | undefined;

  constructor(messages: readonly LLMMessage[], runLLM?: boolean) {
    super();
    this.messages = messages;
    this.runLLM = runLLM;
  }
}

/** Replaces the messages of the context; consumed by the context aggregator. */
export class LLMMessagesUpdateFrame extends DataFrame {
  /** The messages that replace those of the context. */
  readonly messages: readonly LLMMessage[];
  /** Whether to request an answer at once; `undefined` means no. */
  readonly runLLM: boolean | undefined;

  constructor(messages: readonly LLMMessage[], runLLM?: boolean) {
    super();
    this.messages = messages;
    this.runLLM = runLLM;
  }
}

/** A part of a language model's answer, including white space. */
export class LLMTextFrame extends TextFrame {}

/** An answer of a language model starts; its {@link LLMTextFrame}s follow. */
export class LLMFullResponseStartFrame extends ControlFrame {}

/** An answer of a language model is complete. */
export class LLMFullResponseEndFrame extends ControlFrame {}
