/** The assistant's half of an aggregator pair: what was heard becomes a message. */

import { type SpokenSentence, TTSAudioRawFrame } from '../frames/audio.ts';
import type { Frame, FrameDirection } from '../frames/frame.ts';
import {
  FunctionCallCancelFrame,
  FunctionCallInProgressFrame,
  FunctionCallResultFrame,
  FunctionCallsStartedFrame,
} from '../frames/function-calls.ts';
import {
  LLMAssistantPushAggregationFrame,
  LLMContextAssistantTurnFrame,
  LLMContextFrame,
  LLMFullResponseEndFrame,
  LLMFullResponseStartFrame,
  LLMMessagesAppendFrame,
  LLMMessagesTransformFrame,
  LLMMessagesUpdateFrame,
  LLMRunFrame,
  LLMSetToolChoiceFrame,
  LLMSetToolsFrame,
  LLMThoughtEndFrame,
  LLMThoughtStartFrame,
  LLMThoughtTextFrame,
} from '../frames/llm.ts';
import { TTSStartedFrame, TTSTextFrame } from '../frames/speaking.ts';
import { InterimTranscriptionFrame, TextFrame, TranscriptionFrame } from '../frames/text.ts';
import { FrameProcessor, type FrameProcessorOptions } from '../processors/frame-processor.ts';
import type { FrameProcessorSetup } from '../processors/frame-processor-setup.ts';
import type { ConversationState } from './conversation-state.ts';
import { HeardSentence } from './heard-words.ts';
import { joinText, type TextPart } from './join-text.ts';
import type { Tools } from './tools.ts';

/** Options of the assistant's half. */
export interface LLMAssistantAggregatorOptions extends Pick<FrameProcessorOptions, 'name'> {}

/** A turn of the assistant that is over. */
export interface AssistantTurnMessage {
  /** What was heard; may be empty. */
  readonly content: string;
  /** Whether it was cut. */
  readonly interrupted: boolean;
  /** When it started, ISO 8601. */
  readonly timestamp: string;
}

/** Events of the assistant's half. */
export interface LLMAssistantAggregatorEvents {
  /** A turn has started. */
  assistantTurnStarted: () => void;
  /** A turn has stopped. */
  assistantTurnStopped: (message: AssistantTurnMessage) => void;
  /** The model has thought; the text of its reasoning. */
  assistantThought: (text: string) => void;
}

/** An answer, or a text that is spoken. */
interface Turn {
  readonly responseId: string | undefined;
  readonly startedAt: string;
  parts: TextPart[];
}

/**
 * Writes the bot's answers into the conversation as they were heard; stands behind the output transport, which passes
 * on what it has played. An interruption leaves the words that were heard until then.
 *
 * Frames in: text, which goes no further, and played speech; starts and ends of answers; function calls; LLMRun,
 * LLMMessagesAppend, LLMMessagesUpdate, LLMMessagesTransform, LLMSetTools and LLMSetToolChoice frames, which go no further.
 * Frames out: {@link LLMContextFrame} upstream, where the model is to run, and downstream with each message;
 * {@link LLMContextAssistantTurnFrame} in both directions.
 *
 * It has no queue, so that an interruption cannot overtake what was heard before.
 *
 * @see Pipecat `processors/aggregators/llm_response_universal.py`, `LLMAssistantAggregator`; differs in that words count
 * as they are played, with word times and without, and that results do not wait for speech.
 */
export class LLMAssistantAggregator extends FrameProcessor<LLMAssistantAggregatorEvents> {
  readonly #state: ConversationState;
  #turn: Turn | undefined;
  #heard: HeardSentence | undefined;
  #thought: string | undefined;

  /** Made by an `LLMContextAggregatorPair`. */
  constructor(state: ConversationState, options: LLMAssistantAggregatorOptions = {}) {
    super({ ...options, directMode: true });
    this.#state = state;
    state.connect({ run: () => this.push(new LLMContextFrame(state.context), 'upstream') });
  }

  override async setup(setup: FrameProcessorSetup): Promise<void> {
    await super.setup(setup);
    this.#turn = undefined;
    this.#heard = undefined;
    this.#thought = undefined;
  }

  override async cleanup(): Promise<void> {
    this.#turn = undefined;
    this.#heard = undefined;
    await super.cleanup();
  }

  protected override process(frame: Frame, direction: FrameDirection): void {
    if (frame.frameRole === 'interruption') this.#interrupt(frame);
    else if (frame.frameRole === 'end') this.#close();
    else if (frame.frameRole === 'cancel') {
      this.#cut();
      this.#state.interrupted();
    } else if (this.#handleTurn(frame)) return;
    else if (frame instanceof TTSAudioRawFrame) this.#addAudio(frame);
    else if (frame instanceof TTSStartedFrame) this.#speechStarted(frame);
    else if (this.#handleCall(frame) || this.#handleThought(frame) || this.#handleContext(frame)) return;
    this.push(frame, direction);
  }

  #handleTurn(frame: Frame): boolean {
    if (frame instanceof TextFrame) this.#addText(frame);
    else if (frame instanceof LLMFullResponseStartFrame) this.#open(frame.responseId);
    else if (frame instanceof LLMFullResponseEndFrame) this.#responseEnded();
    else if (frame instanceof LLMAssistantPushAggregationFrame) this.#close();
    else return false;
    return true;
  }

  #handleCall(frame: Frame): boolean {
    if (frame instanceof FunctionCallsStartedFrame) this.#state.callsStarted(frame);
    else if (frame instanceof FunctionCallInProgressFrame) this.#state.callInProgress(frame);
    else if (frame instanceof FunctionCallCancelFrame) this.#state.callCancelled(frame);
    else if (frame instanceof FunctionCallResultFrame) {
      const { functionName, toolCallId } = frame;
      if (!this.#state.callResult(frame)) {
        this.logger.warn(
          { functionName, toolCallId },
          'the result of a function call that is not running is ignored',
        );
      }
    } else return false;
    return true;
  }

  #handleThought(frame: Frame): boolean {
    if (frame instanceof LLMThoughtStartFrame) this.#thought = '';
    else if (frame instanceof LLMThoughtTextFrame) this.#thought = (this.#thought ?? '') + frame.text;
    else if (frame instanceof LLMThoughtEndFrame) {
      if (this.#thought !== undefined) this.emit('assistantThought', this.#thought);
      this.#thought = undefined;
    } else return false;
    return true;
  }

  #handleContext(frame: Frame): boolean {
    const { context } = this.#state;
    if (frame instanceof LLMRunFrame) this.#state.requestRun();
    else if (frame instanceof LLMSetToolsFrame) context.setTools(frame.tools as Tools);
    else if (frame instanceof LLMSetToolChoiceFrame) context.setToolChoice(frame.toolChoice);
    else if (frame instanceof LLMMessagesAppendFrame) context.addMessages(...frame.messages);
    else if (frame instanceof LLMMessagesUpdateFrame) context.setMessages(frame.messages);
    else if (frame instanceof LLMMessagesTransformFrame) context.transformMessages(frame.transform);
    else return false;
    if ('runLLM' in frame && frame.runLLM === true) this.#state.requestRun();
    return true;
  }

  #open(responseId: string | undefined): void {
    this.#turn = { responseId, startedAt: new Date().toISOString(), parts: this.#turn?.parts ?? [] };
    this.emit('assistantTurnStarted');
  }

  #speechStarted({ appendToContext }: TTSStartedFrame): void {
    if (appendToContext && this.#turn === undefined) this.#open(undefined);
  }

  #addText(frame: TextFrame): void {
    if (frame instanceof TranscriptionFrame || frame instanceof InterimTranscriptionFrame) return;
    if (frame instanceof TTSTextFrame && this.#heard?.sentence.text.trim() === frame.text.trim()) {
      this.#heard.isWritten = true;
    }
    const { text, includesInterFrameSpaces, appendToContext } = frame;
    if (appendToContext && text !== '') this.#turn?.parts.push({ text, includesInterFrameSpaces });
  }

  #addAudio({ sentence, durationMs }: TTSAudioRawFrame): void {
    if (sentence === undefined) return;
    if (this.#heard?.sentence !== sentence) this.#heard = new HeardSentence(sentence);
    this.#heard.add(durationMs);
  }

  #responseEnded(): void {
    this.#close();
    this.#state.answerEnded();
  }

  #interrupt(frame: Frame): void {
    // what may not be interrupted goes on
    if (frame.transportDestination !== undefined) return;
    if (this.#turn !== undefined && this.#goesOn(this.#heard?.sentence)) {
      this.#state.interrupted(this.#turn.responseId);
      return;
    }
    this.#cut();
    this.#state.interrupted();
  }

  #goesOn(sentence: SpokenSentence | undefined): boolean {
    return sentence?.isUninterruptible === true && this.#heard?.isWritten === false;
  }

  /** Closes the turn with what was heard of the sentence that is being spoken. */
  #cut(): void {
    this.#close(true);
    this.#heard = undefined;
  }

  /** What was heard of a sentence whose text has not come, as it was cut or its voice has failed. */
  #addHeardWords(turn: Turn): void {
    const heard = this.#heard;
    this.#heard = undefined;
    if (heard === undefined || heard.isWritten) return;
    const { hasWordTimes, appendToContext } = heard.sentence;
    if (!hasWordTimes && appendToContext) {
      turn.parts.push({ text: heard.words, includesInterFrameSpaces: false });
    }
  }

  #close(interrupted = false): void {
    const turn = this.#turn;
    if (turn === undefined) return;
    this.#turn = undefined;
    this.#addHeardWords(turn);
    const content = joinText(turn.parts.filter(({ text }) => text !== ''));
    this.#state.answered(turn.responseId, content);
    if (content !== '') this.push(new LLMContextFrame(this.#state.context));
    this.emit('assistantTurnStopped', { content, interrupted, timestamp: turn.startedAt });
    if (content !== '') this.broadcast(LLMContextAssistantTurnFrame, content, turn.startedAt);
  }
}
