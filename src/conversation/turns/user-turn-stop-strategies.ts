/** When a user's turn stops: after silence, or as others say. */

import type { Frame } from '../../frames/frame.ts';
import { STTMetadataFrame } from '../../frames/services.ts';
import {
  ProposedUserStartedSpeakingFrame,
  ProposedUserStoppedSpeakingFrame,
  UserStartedSpeakingFrame,
  UserStoppedSpeakingFrame,
  VADUserStartedSpeakingFrame,
  VADUserStoppedSpeakingFrame,
} from '../../frames/speaking.ts';
import { InterimTranscriptionFrame, TranscriptionFrame } from '../../frames/text.ts';
import { checkDurationMs } from '../../lib/options.ts';
import { UserTurnStopStrategy } from './user-turn-strategy.ts';

/** Options of stop strategies with a timeout. */
export interface UserTurnStopOptions {
  /** In milliseconds. */
  readonly timeoutMs?: number | undefined;
  /** Whether a turn stops only when there are words. Default true. */
  readonly waitForTranscript?: boolean | undefined;
}

/**
 * A turn stops after a silence, when the recognition has had its time, and there are words. Default: 600 ms of silence
 * after the voice activity detection's own.
 *
 * @throws {InvalidOptionError} `timeoutMs` is no number of milliseconds.
 * @see Pipecat `turns/user_stop/speech_timeout_user_turn_stop_strategy.py`
 */
export class SpeechTimeoutUserTurnStopStrategy extends UserTurnStopStrategy {
  readonly #timeoutMs: number;
  readonly #waitForTranscript: boolean;
  readonly #silence = new Wait();
  readonly #recognition = new Wait();
  #ttfsP99Ms = 0;
  #hasText = false;
  #isSpeaking = false;
  #hasStopped = false;
  #isFinalized = false;

  constructor({ timeoutMs = 600, waitForTranscript = true }: UserTurnStopOptions = {}) {
    super();
    checkDurationMs('timeoutMs', timeoutMs, { zero: true });
    this.#timeoutMs = timeoutMs;
    this.#waitForTranscript = waitForTranscript;
  }

  process(frame: Frame): void {
    if (frame instanceof STTMetadataFrame) this.#ttfsP99Ms = frame.ttfsP99Ms;
    else if (frame instanceof VADUserStartedSpeakingFrame) {
      this.#isSpeaking = true;
      this.#discard();
    } else if (frame instanceof VADUserStoppedSpeakingFrame) this.#onSilence(frame.stopMs);
    else if (frame instanceof TranscriptionFrame) this.#onText(frame);
    // more is on its way: an earlier final transcription was not the last one
    else if (frame instanceof InterimTranscriptionFrame) this.#isFinalized = false;
  }

  override turnStarted(): void {
    this.#hasText = false;
    this.#discard();
  }

  override turnStopped(): void {
    this.#isSpeaking = false;
    this.turnStarted();
  }

  override close(): void {
    this.turnStopped();
  }

  #discard(): void {
    this.#isFinalized = false;
    this.#hasStopped = false;
    this.#silence.reset();
    this.#recognition.reset();
  }

  #onSilence(stopMs: number): void {
    this.#isSpeaking = false;
    this.#hasStopped = true;
    this.#silence.start(this.#timeoutMs, () => this.#check());
    const waitMs = this.#ttfsP99Ms - stopMs;
    if (this.#isFinalized || waitMs <= 0) this.#recognition.end();
    else this.#recognition.start(waitMs, () => this.#check());
  }

  #onText({ text, finalized }: TranscriptionFrame): void {
    this.#hasText ||= text !== '';
    if (finalized) {
      this.#isFinalized = true;
      this.#recognition.end();
    }
    if (this.#silence.isOver && this.#recognition.isOver) {
      this.#check();
      // without voice activity: silence counts from the last words on
    } else if (!this.#isSpeaking && !this.#hasStopped) {
      this.#recognition.end();
      this.#silence.start(this.#timeoutMs, () => this.#check());
    }
  }

  #check(): void {
    if (this.#isSpeaking || (this.#waitForTranscript && !this.#hasText)) return;
    if (this.#silence.isOver && this.#recognition.isOver) this.triggerUserTurnStopped();
  }
}

/** A timer that remembers whether it is over. */
export class Wait {
  /** Whether it was started and is over. */
  isOver = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** Begins anew. */
  start(waitMs: number, onOver: () => void): void {
    this.reset();
    this.#timer = setTimeout(() => {
      this.isOver = true;
      onOver();
    }, waitMs);
  }

  /** Is over, without a call. */
  end(): void {
    this.reset();
    this.isOver = true;
  }

  /** Is neither running nor over. */
  reset(): void {
    clearTimeout(this.#timer);
    this.isOver = false;
  }
}

/**
 * A turn stops as a service proposes, or as others have announced it, once there are words and no interim ones behind
 * them. Default: looks again 500 ms after the last words.
 *
 * @throws {InvalidOptionError} `timeoutMs` is no number of milliseconds.
 * @see Pipecat `turns/user_stop/external_user_turn_stop_strategy.py`
 */
export class ExternalUserTurnStopStrategy extends UserTurnStopStrategy {
  readonly #timeoutMs: number;
  readonly #waitForTranscript: boolean;
  readonly #wait = new Wait();
  #hasText = false;
  #hasInterim = false;
  #isSpeaking = false;
  #isAnnounced = false;
  #isTurnOpen = false;

  constructor({ timeoutMs = 500, waitForTranscript = true }: UserTurnStopOptions = {}) {
    super();
    checkDurationMs('timeoutMs', timeoutMs, { zero: true });
    this.#timeoutMs = timeoutMs;
    this.#waitForTranscript = waitForTranscript;
  }

  override get resolvesProposals(): boolean {
    return true;
  }

  process(frame: Frame): void {
    if (frame instanceof ProposedUserStartedSpeakingFrame) this.#onSpeaking(true, false);
    else if (frame instanceof ProposedUserStoppedSpeakingFrame) this.#onSpeaking(false, false);
    else if (frame instanceof UserStartedSpeakingFrame) this.#onSpeaking(true, true);
    else if (frame instanceof UserStoppedSpeakingFrame) this.#onSpeaking(false, true);
    else if (frame instanceof InterimTranscriptionFrame) this.#hasInterim = true;
    else if (frame instanceof TranscriptionFrame) {
      this.#hasText ||= frame.text !== '';
      this.#hasInterim = false;
      this.#lookLater();
    }
  }

  override turnStarted(): void {
    this.#reset(true);
    this.#lookLater();
  }

  override turnStopped(): void {
    this.#reset(false);
  }

  override close(): void {
    this.turnStopped();
  }

  #reset(isTurnOpen: boolean): void {
    this.#isTurnOpen = isTurnOpen;
    this.#hasText = false;
    this.#hasInterim = false;
    this.#isSpeaking = false;
    this.#isAnnounced = false;
    this.#wait.reset();
  }

  #onSpeaking(isSpeaking: boolean, isAnnounced: boolean): void {
    this.#isSpeaking = isSpeaking;
    this.#isAnnounced = isAnnounced;
    if (!isSpeaking) this.#look();
  }

  #lookLater(): void {
    if (this.#isTurnOpen) this.#wait.start(this.#timeoutMs, () => this.#look());
  }

  #look(): void {
    const isReady = !this.#waitForTranscript || (this.#hasText && !this.#hasInterim);
    if (!this.#isSpeaking && isReady) this.triggerUserTurnStopped({ announces: !this.#isAnnounced });
  }
}
