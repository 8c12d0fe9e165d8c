/** What the two halves of an aggregator pair share: the order of messages, function calls, and when the model runs. */

import type {
  FunctionCallCancelFrame,
  FunctionCallInProgressFrame,
  FunctionCallResultFrame,
  FunctionCallsStartedFrame,
} from '../frames/function-calls.ts';
import type { LLMMessage } from '../frames/llm.ts';
import type { LLMContext } from './llm-context.ts';
import { CANCELLED, lateCallMessage, lateCallOf, RUNNING, resultContent } from './tool-messages.ts';

/** A call that has no final result. */
interface Call {
  /** `undefined` where it was announced only. */
  frame: FunctionCallInProgressFrame | undefined;
  /** The calls of the same answer that the model waits for. */
  readonly responseId: string | undefined;
  /** The message that its result replaces. */
  message: LLMMessage | undefined;
  /** Cancelled before it began; if it begins all the same, its message says so. */
  isCancelled: boolean;
}

/** What the assistant's half does for the pair. */
export interface ConversationActions {
  /** Asks the model. */
  run(): void;
  /** The bot's answer is over, and nothing of it will be spoken any more. */
  answerEnded(): void;
}

/**
 * Writes answers and function calls into the context, in the order of the conversation: the text of an answer stands
 * before the calls of the same answer, although it is spoken later. Until it was heard, the message has the whole text.
 *
 * Every frame of a function call arrives at both halves; the first arrival counts.
 */
export class ConversationState {
  /** The conversation. */
  readonly context: LLMContext;
  /** Whether a turn of the user is open. */
  isUserTurnOpen = false;
  #actions: ConversationActions = { run: () => {}, answerEnded: () => {} };
  readonly #calls = new Map<string, Call>();
  /** Messages of answers that have called functions and were not heard yet, by answer. */
  readonly #unheard = new Map<string, LLMMessage>();
  /** The latest answer that was heard. */
  #heardId: string | undefined;
  /** Ids of frames whose siblings are still to come. */
  readonly #seen = new Set<number>();
  #isRunOwed = false;
  /** Answers with a result that waits for their other calls. */
  readonly #awaited = new Set<string>();

  constructor(context: LLMContext) {
    this.context = context;
  }

  /** Called by the assistant's half. */
  connect(actions: Partial<ConversationActions>): void {
    this.#actions = { ...this.#actions, ...actions };
  }

  /** Between two runs. */
  reset(): void {
    this.isUserTurnOpen = false;
    this.#calls.clear();
    this.#unheard.clear();
    this.#seen.clear();
    this.#awaited.clear();
    this.#isRunOwed = false;
  }

  /** The model is being asked, with everything that the context has by now. */
  ran(): void {
    this.#isRunOwed = false;
  }

  /** Asks the model now, or at the end of the user's turn, where that does not ask it. */
  requestRun(): void {
    this.#isRunOwed = true;
    queueMicrotask(() => this.runIfOwed());
  }

  /** Asks the model where that is owed and no turn of the user is open. */
  runIfOwed(): void {
    if (!this.#isRunOwed || this.isUserTurnOpen) return;
    this.#isRunOwed = false;
    this.#actions.run();
  }

  /** The bot's answer is over. */
  answerEnded(): void {
    this.#actions.answerEnded();
  }

  /**
   * An answer has ended, or was cut.
   *
   * @param text What was heard of it; empty for nothing.
   */
  answered(responseId: string | undefined, text: string): void {
    if (responseId !== undefined) this.#heardId = responseId;
    const message: LLMMessage | undefined = text === '' ? undefined : { role: 'assistant', content: text };
    const unheard = responseId === undefined ? undefined : this.#unheard.get(responseId);
    if (unheard !== undefined) {
      this.#unheard.delete(responseId as string);
      if (this.context.replaceMessage(unheard, message)) return;
    }
    if (message !== undefined) this.context.addMessages(message);
  }

  /**
   * An interruption: answers that have not begun will not be heard.
   *
   * @param exceptId The answer that goes on.
   */
  interrupted(exceptId?: string): void {
    for (const [responseId, message] of this.#unheard) {
      if (responseId === exceptId) continue;
      this.context.replaceMessage(message, undefined);
      this.#unheard.delete(responseId);
    }
  }

  callsStarted({ functionCalls, text, responseId, broadcastSiblingId, id }: FunctionCallsStartedFrame): void {
    if (this.#isKnown(id, broadcastSiblingId)) return;
    for (const { toolCallId } of functionCalls) {
      this.#calls.set(toolCallId, { frame: undefined, responseId, message: undefined, isCancelled: false });
    }
    const content = text.trim();
    if (content === '' || responseId === undefined || responseId === this.#heardId) return;
    const message: LLMMessage = { role: 'assistant', content };
    this.#unheard.set(responseId, message);
    this.context.addMessages(message);
  }

  callInProgress(frame: FunctionCallInProgressFrame): void {
    if (this.#isKnown(frame.id, frame.broadcastSiblingId)) return;
    const { toolCallId: id, functionName: name } = frame;
    const announced = this.#calls.get(id);
    const isCancelled = announced?.isCancelled === true;
    const call = {
      id,
      type: 'function',
      function: { name, arguments: JSON.stringify(frame.arguments) },
    } as const;
    const message = toolMessage(id, isCancelled ? CANCELLED : RUNNING);
    this.context.addMessages({ role: 'assistant', tool_calls: [call] }, message);
    if (isCancelled) this.#calls.delete(id);
    else this.#calls.set(id, { frame, responseId: announced?.responseId, message, isCancelled });
  }

  /** @returns Whether the call was running. */
  callResult(frame: FunctionCallResultFrame): boolean {
    if (this.#isKnown(frame.id, frame.broadcastSiblingId)) return true;
    const call = this.#calls.get(frame.toolCallId);
    if (call?.frame === undefined) return false;
    if (frame.isFinal) this.#settle(frame.toolCallId, call, frame.result);
    else this.context.addMessages(lateCallMessage(frame.toolCallId, 'progress', frame.result));
    if (this.#runsAfter(frame, call)) this.requestRun();
    frame.onContextUpdated?.();
    return true;
  }

  callCancelled({ id, broadcastSiblingId, toolCallId, runLLM }: FunctionCallCancelFrame): void {
    if (this.#isKnown(id, broadcastSiblingId)) return;
    const call = this.#calls.get(toolCallId);
    if (call === undefined) return;
    if (call.frame === undefined) {
      call.isCancelled = true;
      return;
    }
    this.#calls.delete(toolCallId);
    if (call.frame.cancelOnInterruption) this.#replace(toolCallId, call, CANCELLED);
    else this.context.addMessages(lateCallMessage(toolCallId, 'cancelled'));
    if (runLLM && this.#isLastOf(call)) this.requestRun();
  }

  #settle(toolCallId: string, call: Call, result: unknown): void {
    this.#calls.delete(toolCallId);
    if (this.#isLate(toolCallId, call)) {
      this.context.addMessages(lateCallMessage(toolCallId, 'finished', result ?? null));
    } else this.#replace(toolCallId, call, resultContent(result));
  }

  #replace(toolCallId: string, call: Call, content: string): void {
    const settled = toolMessage(toolCallId, content);
    if (call.message === undefined || this.context.replaceMessage(call.message, settled)) return;
    // the messages were replaced meanwhile, perhaps by copies
    const copy = this.context.messages.findLast(
      (message) =>
        message.role === 'tool' && message.tool_call_id === toolCallId && message.content === RUNNING,
    );
    if (copy === undefined) this.context.addMessages(lateCallMessage(toolCallId, 'finished', content));
    else this.context.replaceMessage(copy, settled);
  }

  #runsAfter({ result, runLLM }: FunctionCallResultFrame, call: Call): boolean {
    const isEmpty = result === undefined || result === null;
    if (!isEmpty && runLLM !== undefined) return runLLM;
    return this.#isLastOf(call, !isEmpty && runLLM !== false);
  }

  /**
   * Whether the model runs now that a call is settled: where it was the last one of its answer, and one of them is to be
   * answered.
   */
  #isLastOf(call: Call, isAnswered = true): boolean {
    const { responseId } = call;
    if (responseId === undefined || !this.#hasSiblings(call)) {
      const wasAwaited = responseId !== undefined && this.#awaited.delete(responseId);
      return isAnswered || wasAwaited;
    }
    if (isAnswered) this.#awaited.add(responseId);
    return false;
  }

  /** Whether another call of the same answer is still to be settled. */
  #hasSiblings(call: Call): boolean {
    if (call.frame?.groupId === undefined) return false;
    for (const other of this.#calls.values()) {
      if (other !== call && !other.isCancelled && other.responseId === call.responseId) return true;
    }
    return false;
  }

  /** Whether the conversation has moved on since a call that survives interruptions has begun. */
  #isLate(toolCallId: string, { frame, message }: Call): boolean {
    if (frame?.cancelOnInterruption !== false || message === undefined) return false;
    const { messages } = this.context;
    const index = messages.indexOf(message);
    if (index < 0) return true;
    return messages.slice(index + 1).some((later) => {
      if (later.role === 'user' || later.role === 'system') return true;
      const lateCall = lateCallOf(later);
      return later.role === 'developer' && (lateCall === undefined || lateCall === toolCallId);
    });
  }

  /** Whether the same frame has arrived in the other direction. */
  #isKnown(id: number, siblingId: number | undefined): boolean {
    if (siblingId === undefined) return false;
    if (this.#seen.delete(siblingId)) return true;
    this.#seen.add(id);
    return false;
  }
}

function toolMessage(tool_call_id: string, content: string): LLMMessage {
  return { role: 'tool', tool_call_id, content };
}
