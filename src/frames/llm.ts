/** The frames of language models: context, requests and answers. */

import { ControlFrame, DataFrame } from './frame.ts';
import { TextFrame } from './text.ts';

/** A call of a tool, as it stands in an assistant's message. */
export interface LLMToolCall {
  /** The id that the tool's message refers to. */
  readonly id: string;
  /** Always `function`. */
  readonly type: 'function';
  /** The name of the tool, and its arguments as JSON. */
  readonly function: { readonly name: string; readonly arguments: string };
}

/** A part of a message: text, an image, sound or a file. */
export type LLMContentPart =
  | { readonly type: 'text'; readonly text: string }
  | {
      readonly type: 'image_url';
      /** A URL or a data URL; `detail` is `low`, `high` or `auto`. */
      readonly image_url: { readonly url: string; readonly detail?: string };
    }
  | {
      readonly type: 'input_audio';
      /** Base64, and its format, such as `wav`. */
      readonly input_audio: { readonly data: string; readonly format: string };
    }
  | {
      readonly type: 'file';
      /** A name, and base64 as a data URL; or the provider's id. */
      readonly file: { readonly filename?: string; readonly file_data?: string; readonly file_id?: string };
    };

/** One message of a conversation, in the shape of OpenAI's chat. */
export type LLMMessage =
  | { readonly role: 'system' | 'developer'; readonly content: string }
  | { readonly role: 'user'; readonly content: string | readonly LLMContentPart[]; readonly name?: string }
  | {
      readonly role: 'assistant';
      readonly content?: string | null;
      readonly tool_calls?: readonly LLMToolCall[];
    }
  | { readonly role: 'tool'; readonly tool_call_id: string; readonly content: string };

/** A conversation so far, and its tools: what a language model answers. */
export interface LLMContextData {
  /** The conversation so far. */
  readonly messages: readonly LLMMessage[];
  /** The tools that the model may call. */
  readonly tools?: unknown;
}

/** A request for an answer to this context: a language model answers, and does not pass the frame on. */
export class LLMContextFrame extends DataFrame {
  /** The context that the model answers. */
  readonly context: LLMContextData;

  constructor(context: LLMContextData) {
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

/** Replaces the messages of the context by what a function makes of them; consumed by the context aggregator. */
export class LLMMessagesTransformFrame extends DataFrame {
  /** Makes the new messages. */
  readonly transform: (messages: readonly LLMMessage[]) => readonly LLMMessage[];
  /** Whether to request an answer at once; `undefined` means no. */
  readonly runLLM: boolean | undefined;

  constructor(transform: (messages: readonly LLMMessage[]) => readonly LLMMessage[], runLLM?: boolean) {
    super();
    this.transform = transform;
    this.runLLM = runLLM;
  }
}

/** Replaces the tools of the context; the context aggregator passes it on. */
export class LLMSetToolsFrame extends DataFrame {
  /** The tools, by name. */
  readonly tools: Readonly<Record<string, unknown>>;

  constructor(tools: Readonly<Record<string, unknown>>) {
    super();
    this.tools = tools;
  }
}

/** Whether the model may, must or must not call tools, or which one it must call. */
export type LLMToolChoice = 'auto' | 'none' | 'required' | { readonly toolName: string };

/** Sets the tool choice of the context; consumed by the context aggregator. */
export class LLMSetToolChoiceFrame extends DataFrame {
  /** The tool choice. */
  readonly toolChoice: LLMToolChoice;

  constructor(toolChoice: LLMToolChoice) {
    super();
    this.toolChoice = toolChoice;
  }
}

/** Changes how a language model's answers are treated; consumed by the language model service. */
export class LLMConfigureOutputFrame extends DataFrame {
  /** Whether answers are written without being spoken. */
  readonly skipTTS: boolean;

  constructor({ skipTTS }: { readonly skipTTS: boolean }) {
    super();
    this.skipTTS = skipTTS;
  }
}

/** A part of a language model's answer, including white space. */
export class LLMTextFrame extends TextFrame {
  static {
    LLMTextFrame.prototype.includesInterFrameSpaces = true;
  }
}

/** An answer of a language model starts; its {@link LLMTextFrame}s follow. */
export class LLMFullResponseStartFrame extends ControlFrame {
  /** Identifies the answer, in this frame and its {@link LLMFullResponseEndFrame}; `undefined` where unknown. */
  readonly responseId: string | undefined;

  constructor(responseId?: string) {
    super();
    this.responseId = responseId;
  }
}

/** An answer of a language model is complete, or was given up. */
export class LLMFullResponseEndFrame extends ControlFrame {
  /** Identifies the answer; `undefined` where unknown. */
  readonly responseId: string | undefined;

  constructor(responseId?: string) {
    super();
    this.responseId = responseId;
  }
}

/** The model starts to think; {@link LLMThoughtTextFrame}s follow. */
export class LLMThoughtStartFrame extends ControlFrame {}

/** A part of a model's reasoning; neither spoken nor part of the conversation. */
export class LLMThoughtTextFrame extends DataFrame {
  /** The text. */
  readonly text: string;

  constructor(text: string) {
    super();
    this.text = text;
  }
}

/** The model has stopped thinking. */
export class LLMThoughtEndFrame extends ControlFrame {}

/** Closes the assistant's turn here: what was spoken becomes a message. Pushed behind a spoken TTSSpeakFrame. */
export class LLMAssistantPushAggregationFrame extends ControlFrame {}

/** A message of the user was added to the context; pushed in both directions. */
export class LLMContextUserTurnFrame extends DataFrame {
  /** The content of the message. */
  readonly text: string;
  /** When the turn started, ISO 8601. */
  readonly timestamp: string;

  constructor(text: string, timestamp: string) {
    super();
    this.text = text;
    this.timestamp = timestamp;
  }
}

/** A message of the assistant was added to the context; pushed in both directions. */
export class LLMContextAssistantTurnFrame extends DataFrame {
  /** The content of the message: what was heard. */
  readonly text: string;
  /** When the turn started, ISO 8601. */
  readonly timestamp: string;

  constructor(text: string, timestamp: string) {
    super();
    this.text = text;
    this.timestamp = timestamp;
  }
}
