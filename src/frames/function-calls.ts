/** A language model calls functions of the program: asked for, running, answered, given up. */

import { ControlFrame, DataFrame, SystemFrame } from './frame.ts';

/** One call. */
export interface FunctionCall {
  /** The name of the function. */
  readonly functionName: string;
  /** The model's id of this call; its answer carries the same. */
  readonly toolCallId: string;
  /** The arguments, as the model gave them. */
  readonly arguments: Readonly<Record<string, unknown>>;
}

/** The model asked for these calls; they begin now. Broadcast, so that both sides may say "one moment". */
export class FunctionCallsStartedFrame extends SystemFrame {
  /** The calls that start. */
  readonly functionCalls: readonly FunctionCall[];
  /** The text of the same answer, which may not have been spoken yet. */
  readonly text: string;
  /** Identifies the answer; `undefined` where unknown. */
  readonly responseId: string | undefined;

  constructor(functionCalls: readonly FunctionCall[], text = '', responseId?: string) {
    super();
    this.functionCalls = functionCalls;
    this.text = text;
    this.responseId = responseId;
  }
}

/** Fields of a {@link FunctionCallInProgressFrame}. */
export interface FunctionCallInProgress extends FunctionCall {
  /** Whether an interruption gives the call up. Default `false`: the answer comes all the same. */
  readonly cancelOnInterruption?: boolean | undefined;
  /** Calls of one group are answered together. */
  readonly groupId?: string | undefined;
}

/** A call is running. A receiver that keeps the conversation notes it down, to be answered later. */
export class FunctionCallInProgressFrame extends ControlFrame implements FunctionCallInProgress {
  static {
    FunctionCallInProgressFrame.showsActivity('begins');
  }
  override uninterruptible = true;
  readonly functionName: string;
  readonly toolCallId: string;
  readonly arguments: Readonly<Record<string, unknown>>;
  readonly cancelOnInterruption: boolean;
  readonly groupId: string | undefined;

  constructor(call: FunctionCallInProgress) {
    super();
    this.functionName = call.functionName;
    this.toolCallId = call.toolCallId;
    this.arguments = call.arguments;
    this.cancelOnInterruption = call.cancelOnInterruption ?? false;
    this.groupId = call.groupId;
  }
}

/** Fields of a {@link FunctionCallResultFrame}. */
export interface FunctionCallResult extends FunctionCall {
  /** What the function returned. */
  readonly result: unknown;
  /** Whether the model is to speak about it; `undefined` leaves it to the receiver. */
  readonly runLLM?: boolean | undefined;
  /** False for an intermediate result: more will come. Default true. */
  readonly isFinal?: boolean | undefined;
  /** What the function threw; the model does not see it. */
  readonly error?: unknown;
  /** Called when the result is in the context. */
  readonly onContextUpdated?: (() => void) | undefined;
}

/** A call is answered. A receiver that keeps the conversation puts the result where the call was noted down. */
export class FunctionCallResultFrame extends DataFrame implements FunctionCallResult {
  static {
    FunctionCallResultFrame.showsActivity('ends');
  }
  override uninterruptible = true;
  readonly functionName: string;
  readonly toolCallId: string;
  readonly arguments: Readonly<Record<string, unknown>>;
  readonly result: unknown;
  readonly runLLM: boolean | undefined;
  readonly isFinal: boolean;
  readonly error: unknown;
  readonly onContextUpdated: (() => void) | undefined;

  constructor(call: FunctionCallResult) {
    super();
    this.functionName = call.functionName;
    this.toolCallId = call.toolCallId;
    this.arguments = call.arguments;
    this.result = call.result;
    this.runLLM = call.runLLM;
    this.isFinal = call.isFinal ?? true;
    this.error = call.error;
    this.onContextUpdated = call.onContextUpdated;
    // the call is still running
    if (!this.isFinal) Object.defineProperty(this, 'frameActivity', { value: 'sign', enumerable: true });
  }
}

/** Fields of a {@link FunctionCallCancelFrame}. */
export interface FunctionCallCancel {
  /** The name of the function. */
  readonly functionName: string;
  /** The id of the call. */
  readonly toolCallId: string;
  /** Whether the model is to speak about it. Default `false`. */
  readonly runLLM?: boolean | undefined;
}

/** A call was given up: no result will come. */
export class FunctionCallCancelFrame extends SystemFrame implements FunctionCallCancel {
  static {
    FunctionCallCancelFrame.showsActivity('ends');
  }
  readonly functionName: string;
  readonly toolCallId: string;
  readonly runLLM: boolean;

  constructor({ functionName, toolCallId, runLLM = false }: FunctionCallCancel) {
    super();
    this.functionName = functionName;
    this.toolCallId = toolCallId;
    this.runLLM = runLLM;
  }
}
