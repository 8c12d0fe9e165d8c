/** Counts the turns of a conversation. */

import type { Frame } from '../frames/frame.ts';
import { isTerminalFrame } from '../frames/lifecycle.ts';
import {
  BotStartedSpeakingFrame,
  BotStoppedSpeakingFrame,
  UserStartedSpeakingFrame,
} from '../frames/speaking.ts';
import { SafeEventEmitter } from '../lib/emitter.ts';
import { checkDurationMs } from '../lib/options.ts';
import type { FramePushed, Observer } from './observer.ts';
import { SeenFrames } from './seen-frames.ts';

/** Options of a turn tracking observer. */
export interface TurnTrackingObserverOptions {
  /** Longest pause of the bot within a turn, in milliseconds. Default 2 500. */
  readonly turnEndTimeoutMs?: number;
}

/** A turn that is over. */
export interface EndedTurn {
  /** Counted from 1. */
  readonly turn: number;
  /** Without the pause that ended it. */
  readonly durationMs: number;
  /** Whether the user spoke before the bot had finished, or the run ended. */
  readonly wasInterrupted: boolean;
}

/** Events of a turn tracking observer. */
export interface TurnTrackingObserverEvents {
  /** Turns are counted from 1. */
  turnStarted: (turn: number) => void;
  /** A turn has ended. */
  turnEnded: (turn: EndedTurn) => void;
}

/**
 * Counts turns: a user's utterance and the bot's answer.
 *
 * The first turn begins with the pipeline, the others when the user begins to speak. A turn is over when the user
 * speaks again after the bot has spoken, or the bot has been silent for a while, or the run ends.
 *
 * @see Pipecat `observers/turn_tracking_observer.py`, `TurnTrackingObserver`; differs in that every end of a run
 * ends the turn.
 */
export class TurnTrackingObserver extends SafeEventEmitter<TurnTrackingObserverEvents> implements Observer {
  readonly #turnEndTimeoutMs: number;
  readonly #seen = new SeenFrames();
  #turn = 0;
  #isActive = false;
  #startedMs = 0;
  #botSpeaks = false;
  #botHasSpoken = false;
  #silence: ReturnType<typeof setTimeout> | undefined;
  #latestMs = 0;

  /** @throws {InvalidOptionError} `turnEndTimeoutMs` is no number of milliseconds that a timer can wait. */
  constructor({ turnEndTimeoutMs = 2_500 }: TurnTrackingObserverOptions = {}) {
    super();
    checkDurationMs('turnEndTimeoutMs', turnEndTimeoutMs, { zero: true });
    this.#turnEndTimeoutMs = turnEndTimeoutMs;
  }

  onPushFrame({ frame, timestampMs }: FramePushed): void {
    if (!isOfInterest(frame) || !this.#seen.isNew(frame)) return;
    this.#latestMs = timestampMs;
    if (frame.frameRole === 'start') {
      if (this.#turn === 0) this.#start();
    } else if (frame instanceof UserStartedSpeakingFrame) this.#userStartedSpeaking();
    else if (frame instanceof BotStartedSpeakingFrame) this.#botStartedSpeaking();
    else if (frame instanceof BotStoppedSpeakingFrame) this.#botStoppedSpeaking();
    else this.#end(true);
  }

  /** A run that failed has no last frame. */
  cleanup(): void {
    this.#end(true);
  }

  #userStartedSpeaking(): void {
    // before the bot has answered it is the same turn
    if (this.#isActive && !this.#botHasSpoken) return;
    this.#end(this.#botSpeaks);
    this.#botSpeaks = false;
    this.#start();
  }

  #botStartedSpeaking(): void {
    this.#botSpeaks = true;
    this.#botHasSpoken = true;
    clearTimeout(this.#silence);
  }

  #botStoppedSpeaking(): void {
    // the frame also follows the interruption that has ended the turn
    if (!this.#botSpeaks) return;
    this.#botSpeaks = false;
    const stoppedMs = this.#latestMs;
    clearTimeout(this.#silence);
    this.#silence = setTimeout(() => {
      this.#latestMs = stoppedMs;
      this.#end(false);
    }, this.#turnEndTimeoutMs);
  }

  #start(): void {
    this.#turn += 1;
    this.#isActive = true;
    this.#botHasSpoken = false;
    this.#startedMs = this.#latestMs;
    this.emit('turnStarted', this.#turn);
  }

  #end(wasInterrupted: boolean): void {
    clearTimeout(this.#silence);
    if (!this.#isActive) return;
    this.#isActive = false;
    const durationMs = this.#latestMs - this.#startedMs;
    this.emit('turnEnded', { turn: this.#turn, durationMs, wasInterrupted });
  }
}

function isOfInterest(frame: Frame): boolean {
  return (
    frame.frameRole === 'start' ||
    frame instanceof UserStartedSpeakingFrame ||
    frame instanceof BotStartedSpeakingFrame ||
    frame instanceof BotStoppedSpeakingFrame ||
    isTerminalFrame(frame)
  );
}
