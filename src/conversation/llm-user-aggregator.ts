/** The user's half of an aggregator pair: turns, and the user's messages. */

import { InputAudioRawFrame } from '../frames/audio.ts';
import type { Frame, FrameDirection } from '../frames/frame.ts';
import {
  FunctionCallCancelFrame,
  FunctionCallInProgressFrame,
  FunctionCallResultFrame,
  FunctionCallsStartedFrame,
} from '../frames/function-calls.ts';
import {
  LLMContextFrame,
  LLMContextUserTurnFrame,
  LLMMessagesAppendFrame,
  LLMMessagesTransformFrame,
  LLMMessagesUpdateFrame,
  LLMRunFrame,
  LLMSetToolChoiceFrame,
  LLMSetToolsFrame,
} from '../frames/llm.ts';
import { ParticipantLeftFrame } from '../frames/participants.ts';
import {
  ProposedUserStartedSpeakingFrame,
  ProposedUserStoppedSpeakingFrame,
  UserMuteStartedFrame,
  UserMuteStoppedFrame,
  UserSpeakingFrame,
  UserStartedSpeakingFrame,
  UserStoppedSpeakingFrame,
  VADUserStartedSpeakingFrame,
  VADUserStoppedSpeakingFrame,
} from '../frames/speaking.ts';
import { InterimTranscriptionFrame, TranscriptionFrame } from '../frames/text.ts';
import { checkBoolean, checkCount, checkDurationMs } from '../lib/options.ts';
import { FrameProcessor, type FrameProcessorOptions } from '../processors/frame-processor.ts';
import type { FrameProcessorSetup } from '../processors/frame-processor-setup.ts';
import type { SpeakerTrack } from '../vad/speakers.ts';
import { strategyStopMs, VoiceActivity, type VoiceActivityOptions } from '../vad/voice-activity.ts';
import type { ConversationState } from './conversation-state.ts';
import { joinText, type TextPart } from './join-text.ts';
import { EMPTY_TURN } from './tool-messages.ts';
import type { Tools } from './tools.ts';
import { UserTurnController } from './turns/user-turn-controller.ts';
import {
  TranscriptionUserTurnStartStrategy,
  VADUserTurnStartStrategy,
} from './turns/user-turn-start-strategies.ts';
import { SpeechTimeoutUserTurnStopStrategy } from './turns/user-turn-stop-strategies.ts';
import type {
  TurnChangeOptions,
  UserTurnStartStrategy,
  UserTurnStopStrategy,
} from './turns/user-turn-strategy.ts';
import { UserIdleController } from './user-idle-controller.ts';
import type { UserMuteStrategy } from './user-mute-strategies.ts';

/** How a turn without words is answered. */
export interface EmptyTurnOptions {
  /** Whether the model asks to repeat, where the turn has interrupted the bot. Default true. */
  readonly interrupted?: boolean | undefined;
  /** Whether it does so where the bot waited for the user. Default false. */
  readonly idle?: boolean | undefined;
  /** How many turns in a row are answered. Default 1. */
  readonly inARow?: number | undefined;
}

/** Options of the user's half. */
export interface LLMUserAggregatorOptions extends FrameProcessorOptions {
  /**
   * Detects voice activity here, by default with a silence of 200 ms at the end. Default: a `VADProcessor`, or a recognition that tells voice activity, stands in front.
   */
  readonly vad?: VoiceActivityOptions | undefined;
  /** What decides about turns. Default: voice activity or a transcription starts one, 600 ms of silence stop it. */
  readonly turns?:
    | {
        readonly start?: readonly UserTurnStartStrategy[] | undefined;
        readonly stop?: readonly UserTurnStopStrategy[] | undefined;
      }
    | undefined;
  /** What mutes the user: any of them does. Default none. */
  readonly mute?: readonly UserMuteStrategy[] | undefined;
  /** A turn in which nothing happens is stopped after this time, in milliseconds. Default 5,000. */
  readonly turnStopTimeoutMs?: number | undefined;
  /** After this silence behind the bot's speech the user is idle, in milliseconds; 0 for never. Default 0. */
  readonly idleTimeoutMs?: number | undefined;
  /** How a turn without words is answered. */
  readonly emptyTurn?: EmptyTurnOptions | undefined;
}

/** A turn of the user that is over. */
export interface UserTurnMessage {
  /** All that was said in it; may be empty. */
  readonly content: string;
  /** When it started, ISO 8601. */
  readonly timestamp: string;
  /** Who has spoken; empty where unknown. */
  readonly userId: string;
}

/** Events of the user's half. */
export interface LLMUserAggregatorEvents {
  /** A turn has started. */
  userTurnStarted: () => void;
  /** A stop strategy has the model asked; the turn may go on. */
  userTurnInferenceTriggered: () => void;
  /** A turn has stopped. */
  userTurnStopped: (message: UserTurnMessage) => void;
  /** A turn was stopped by its time limit; `userTurnStopped` follows. */
  userTurnStopTimeout: () => void;
  /** The user is idle. */
  userTurnIdle: () => void;
  /** The user is muted from now on. */
  userMuteStarted: () => void;
  /** The user is muted no more. */
  userMuteStopped: () => void;
}

/**
 * Collects what the user says, decides when it is their turn, and asks the model; stands in front of the model.
 *
 * Frames in: transcriptions, which go no further; voice activity, proposals and turn frames; LLMRun, LLMMessagesAppend,
 * LLMMessagesUpdate, LLMMessagesTransform and LLMSetToolChoice frames, which go no further; LLMSetTools frames.
 * Frames out: {@link LLMContextFrame} downstream; {@link UserStartedSpeakingFrame}, an interruption,
 * {@link UserStoppedSpeakingFrame}, {@link LLMContextUserTurnFrame}, {@link UserMuteStartedFrame} and
 * {@link UserMuteStoppedFrame} in both directions. While the user is muted, what they say goes no further.
 *
 * @see Pipecat `processors/aggregators/llm_response_universal.py`, `LLMUserAggregator`; differs in that the end asks no
 * model, that words of an open turn are never forgotten, and that a turn ends although its end falls into a mute.
 */
export class LLMUserAggregator extends FrameProcessor<LLMUserAggregatorEvents> {
  readonly #state: ConversationState;
  readonly #turns: UserTurnController;
  readonly #mute: readonly UserMuteStrategy[];
  readonly #idle: UserIdleController;
  readonly #vad: VoiceActivity | undefined;
  readonly #emptyTurn: { readonly interrupted: boolean; readonly idle: boolean; readonly inARow: number };
  #parts: TextPart[] = [];
  #userId = '';
  /** The messages that the open turn has made so far. */
  #written: string[] = [];
  #startedAt = '';
  #hasInterrupted = false;
  #isMuted = false;
  #emptyTurns = 0;

  /** Made by an `LLMContextAggregatorPair`. */
  constructor(state: ConversationState, options: LLMUserAggregatorOptions = {}) {
    super(options);
    const { turnStopTimeoutMs = 5_000, idleTimeoutMs = 0, mute = [], turns = {}, emptyTurn = {} } = options;
    checkDurationMs('user.turnStopTimeoutMs', turnStopTimeoutMs);
    checkDurationMs('user.idleTimeoutMs', idleTimeoutMs, { zero: true });
    const { interrupted = true, idle = false, inARow = 1 } = emptyTurn;
    checkBoolean('user.emptyTurn.interrupted', interrupted);
    checkBoolean('user.emptyTurn.idle', idle);
    checkCount('user.emptyTurn.inARow', inARow, 0);
    this.#state = state;
    this.#vad = options.vad === undefined ? undefined : this.#newVAD(options.vad);
    this.#mute = mute;
    this.#emptyTurn = { interrupted, idle, inARow };
    this.#idle = new UserIdleController(idleTimeoutMs, () => void this.emit('userTurnIdle'));
    this.#turns = new UserTurnController({
      start: turns.start ?? [new VADUserTurnStartStrategy(), new TranscriptionUserTurnStartStrategy()],
      stop: turns.stop ?? [new SpeechTimeoutUserTurnStopStrategy()],
      stopTimeoutMs: turnStopTimeoutMs,
      actions: {
        started: (change) => this.#started(change),
        infer: () => this.#infer(),
        timedOut: () => void this.emit('userTurnStopTimeout'),
        stopped: (change) => this.#stopped(change),
        resetAggregation: () => this.#forget(),
        push: (frame) => this.push(frame),
        failed: (error) => this.pushError({ error }),
      },
    });
    state.connect({ answerEnded: () => this.#idle.waitForUser() });
  }

  override async setup(setup: FrameProcessorSetup): Promise<void> {
    await super.setup(setup);
    await this.#reset();
    setup.claims.add('user turns');
    try {
      await Promise.all([this.#turns.prepare(), this.#vad?.prepare()]);
    } catch (error) {
      setup.fail(error);
    }
  }

  override async cleanup(): Promise<void> {
    try {
      await this.#reset();
      await this.#vad?.close();
    } finally {
      await super.cleanup();
    }
  }

  /** What was said is not dropped by the interruption that it causes. */
  override queueFrame(frame: Frame, direction: FrameDirection = 'downstream'): void {
    if (frame instanceof TranscriptionFrame) frame.uninterruptible = true;
    super.queueFrame(frame, direction);
  }

  protected override process(frame: Frame, direction: FrameDirection): void | Promise<void> {
    switch (frame.frameRole) {
      case 'start':
        this.push(frame, direction);
        this.#updateMute(frame);
        return;
      case 'end':
      case 'stop':
      case 'cancel':
        this.#finish();
        this.push(frame, direction);
        return;
      default:
    }
    const isMuted = this.#isMuted && isOfUser(frame);
    this.#updateMute(frame);
    if (isMuted) {
      // the end of what began before the mute
      if (isEndOfSpeech(frame)) this.#turns.process(frame);
      return;
    }
    this.#handle(frame, direction);
    this.#turns.process(frame);
    this.#idle.process(frame);
    if (frame instanceof InputAudioRawFrame && direction === 'downstream') return this.#vad?.process(frame);
    if (frame instanceof ParticipantLeftFrame) this.#vad?.left(frame.identity);
  }

  #newVAD(options: VoiceActivityOptions): VoiceActivity {
    const tell = ({ transportSource }: SpeakerTrack, frame: Frame): void => {
      frame.transportSource = transportSource;
      this.broadcastFrame(frame);
      this.#turns.process(frame);
    };
    return new VoiceActivity(options, {
      started: (track, startMs, isFirst) => {
        tell(track, new VADUserStartedSpeakingFrame(startMs, track.userId));
        if (isFirst) this.broadcast(UserSpeakingFrame);
      },
      stopped: (track, stopMs) => tell(track, new VADUserStoppedSpeakingFrame(stopMs, track.userId)),
      speaks: () => this.broadcast(UserSpeakingFrame),
      defaultStopMs: () => strategyStopMs,
      failed: (error) => this.pushError({ error }),
    });
  }

  #handle(frame: Frame, direction: FrameDirection): void {
    const { context } = this.#state;
    if (frame instanceof TranscriptionFrame) this.#add(frame);
    else if (frame instanceof InterimTranscriptionFrame || this.#turns.resolves(frame)) return;
    else if (frame instanceof LLMRunFrame) this.#run();
    else if (frame instanceof LLMMessagesAppendFrame) {
      context.addMessages(...frame.messages);
      this.#runIf(frame);
    } else if (frame instanceof LLMMessagesUpdateFrame) {
      context.setMessages(frame.messages);
      this.#runIf(frame);
    } else if (frame instanceof LLMMessagesTransformFrame) {
      context.transformMessages(frame.transform);
      this.#runIf(frame);
    } else if (frame instanceof LLMSetToolChoiceFrame) context.setToolChoice(frame.toolChoice);
    else {
      if (frame instanceof LLMSetToolsFrame) context.setTools(frame.tools as Tools);
      else if (direction === 'upstream') this.#noteCall(frame);
      this.push(frame, direction);
    }
  }

  /** On their way upstream calls are known before the answer's text is spoken. */
  #noteCall(frame: Frame): void {
    if (frame instanceof FunctionCallsStartedFrame) this.#state.callsStarted(frame);
    else if (frame instanceof FunctionCallInProgressFrame) this.#state.callInProgress(frame);
    else if (frame instanceof FunctionCallResultFrame) this.#state.callResult(frame);
    else if (frame instanceof FunctionCallCancelFrame) this.#state.callCancelled(frame);
  }

  #add({ text, userId, includesInterFrameSpaces }: TranscriptionFrame): void {
    if (text.trim() === '') return;
    this.#startedAt ||= new Date().toISOString();
    this.#userId ||= userId;
    this.#parts.push({ text, includesInterFrameSpaces });
  }

  #forget(): void {
    this.#parts = [];
  }

  #runIf({ runLLM }: { readonly runLLM: boolean | undefined }): void {
    if (runLLM === true) this.#run();
  }

  #run(): void {
    // an answer is awaited, not the user
    this.#idle.stop();
    this.#state.ran();
    this.push(new LLMContextFrame(this.#state.context));
  }

  #started({ interrupts, announces }: Required<TurnChangeOptions>): void {
    this.#state.isUserTurnOpen = true;
    this.#startedAt = new Date().toISOString();
    this.#written = [];
    this.#hasInterrupted = interrupts && !this.#idle.isWaiting;
    if (announces) this.broadcast(UserStartedSpeakingFrame);
    this.#idle.turnStarted();
    if (interrupts) this.broadcastInterruption();
    this.emit('userTurnStarted');
  }

  #infer(): void {
    this.#write();
    this.emit('userTurnInferenceTriggered');
  }

  #stopped({ announces }: { readonly announces: boolean }): void {
    this.#state.isUserTurnOpen = false;
    if (announces) this.broadcast(UserStoppedSpeakingFrame);
    this.#idle.turnStopped();
    this.#write();
    const hasInterrupted = this.#hasInterrupted;
    const { content } = this.#emitStopped();
    if (content !== '') this.#emptyTurns = 0;
    else if (!this.#askToRepeat(hasInterrupted)) this.#idle.waitForUser();
    this.#state.runIfOwed();
  }

  #emitStopped(): UserTurnMessage {
    const message = { content: this.#written.join(' '), timestamp: this.#startedAt, userId: this.#userId };
    this.#written = [];
    this.#startedAt = '';
    this.#userId = '';
    this.#hasInterrupted = false;
    this.emit('userTurnStopped', message);
    return message;
  }

  /** Makes a message of what was said and, unless the call ends, asks the model. */
  #write({ asksModel = true }: { readonly asksModel?: boolean } = {}): void {
    const content = joinText(this.#parts);
    this.#forget();
    if (content === '') return;
    this.#written.push(content);
    this.#state.context.addMessages({ role: 'user', content });
    this.broadcast(LLMContextUserTurnFrame, content, this.#startedAt);
    if (asksModel) this.#run();
  }

  /** @returns Whether the model was asked. */
  #askToRepeat(hasInterrupted: boolean): boolean {
    const { interrupted, idle, inARow } = this.#emptyTurn;
    if (!(hasInterrupted ? interrupted : idle) || this.#emptyTurns >= inARow) return false;
    // a result that is due will have the model asked, and a muted user is not asked to speak
    if (this.#isMuted || this.#idle.isCalling) return false;
    this.#emptyTurns += 1;
    this.#state.context.addMessages({ role: 'developer', content: EMPTY_TURN });
    this.#run();
    return true;
  }

  /** The last words become a message, without an answer. */
  #finish(): void {
    this.#write({ asksModel: false });
    if (this.#written.length > 0) this.#emitStopped();
    this.#idle.stop();
    this.#turns.close().catch((error) => this.pushError({ error }));
  }

  #updateMute(frame: Frame): void {
    let isMuted = false;
    for (const strategy of this.#mute) isMuted = strategy.process(frame) || isMuted;
    if (isMuted === this.#isMuted) return;
    this.#isMuted = isMuted;
    this.emit(isMuted ? 'userMuteStarted' : 'userMuteStopped');
    this.broadcast(isMuted ? UserMuteStartedFrame : UserMuteStoppedFrame);
  }

  async #reset(): Promise<void> {
    this.#state.reset();
    this.#forget();
    this.#written = [];
    this.#startedAt = '';
    this.#isMuted = false;
    this.#emptyTurns = 0;
    for (const strategy of this.#mute) strategy.reset?.();
    this.#idle.reset();
    this.#vad?.reset();
    await this.#turns.close();
  }
}

const ofUser = [
  VADUserStartedSpeakingFrame,
  VADUserStoppedSpeakingFrame,
  ProposedUserStartedSpeakingFrame,
  ProposedUserStoppedSpeakingFrame,
  UserStartedSpeakingFrame,
  UserStoppedSpeakingFrame,
  InputAudioRawFrame,
  InterimTranscriptionFrame,
  TranscriptionFrame,
];

function isOfUser(frame: Frame): boolean {
  return frame.frameRole === 'interruption' || ofUser.some((frameClass) => frame instanceof frameClass);
}

function isEndOfSpeech(frame: Frame): boolean {
  return (
    frame instanceof VADUserStoppedSpeakingFrame ||
    frame instanceof UserStoppedSpeakingFrame ||
    frame instanceof ProposedUserStoppedSpeakingFrame
  );
}
