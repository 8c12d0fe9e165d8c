/** Holds the turns of one user: when one is open, and which strategies decide. */

import type { Frame } from '../../frames/frame.ts';
import {
  ProposedUserStartedSpeakingFrame,
  ProposedUserStoppedSpeakingFrame,
  UserStartedSpeakingFrame,
  UserStoppedSpeakingFrame,
  VADUserStartedSpeakingFrame,
  VADUserStoppedSpeakingFrame,
} from '../../frames/speaking.ts';
import { InterimTranscriptionFrame, TranscriptionFrame } from '../../frames/text.ts';
import type {
  TurnChangeOptions,
  UserTurn,
  UserTurnStartStrategy,
  UserTurnStopStrategy,
} from './user-turn-strategy.ts';

/** What happens at the changes of a turn. */
export interface UserTurnActions {
  /** A turn has started. */
  started(options: Required<TurnChangeOptions>): void;
  /** The model is to be asked. */
  infer(): void;
  /** The turn's time limit is over. */
  timedOut(): void;
  /** The turn has stopped. */
  stopped(options: { readonly announces: boolean }): void;
  /** What was said is to be forgotten. */
  resetAggregation(): void;
  /** Pushes a frame downstream. */
  push(frame: Frame): void;
  /** Reports an error. */
  failed(error: unknown): void;
}

/** Options of a {@link UserTurnController}. */
export interface UserTurnControllerOptions {
  /** Asked in this order; the first that starts a turn ends the round. */
  readonly start: readonly UserTurnStartStrategy[];
  /** All are asked. */
  readonly stop: readonly UserTurnStopStrategy[];
  /** A turn in which nothing happens is stopped after this time, in milliseconds. */
  readonly stopTimeoutMs: number;
  /** What happens. */
  readonly actions: UserTurnActions;
}

/** @see Pipecat `turns/user_turn_controller.py`, `UserTurnController` */
export class UserTurnController {
  readonly #options: UserTurnControllerOptions;
  #isOpen = false;
  /** Who speaks: users and their tracks, or others who have announced it. */
  readonly #speaking = new Set<string>();
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(options: UserTurnControllerOptions) {
    this.#options = options;
    const { actions } = options;
    const turn: UserTurn = {
      start: (change) => this.#start(change),
      infer: () => this.#infer(),
      stop: (change) => this.#stop(change),
      resetAggregation: () => {
        if (!this.#isOpen) actions.resetAggregation();
      },
      push: (frame) => actions.push(frame),
      failed: (error) => actions.failed(error),
    };
    for (const strategy of this.#strategies) strategy.attach(turn);
  }

  /** Whether a turn is open. */
  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** Whether a frame is a proposal that one of the strategies decides about. */
  resolves(frame: Frame): boolean {
    const { start, stop } = this.#options;
    if (frame instanceof ProposedUserStartedSpeakingFrame) return start.some((one) => one.resolvesProposals);
    return frame instanceof ProposedUserStoppedSpeakingFrame && stop.some((one) => one.resolvesProposals);
  }

  /** @returns Rejects with the first error of a strategy that misses something. */
  async prepare(): Promise<void> {
    await Promise.all(this.#strategies.map((strategy) => strategy.prepare()));
  }

  process(frame: Frame): void {
    const isSpeaking = speakingIn(frame);
    if (isSpeaking === true) this.#speaking.add(speakerOf(frame));
    if (isSpeaking === false) this.#speaking.delete(speakerOf(frame));
    if (
      isSpeaking !== undefined ||
      frame instanceof TranscriptionFrame ||
      frame instanceof InterimTranscriptionFrame
    ) {
      this.#watch();
    }
    // somebody else goes on speaking
    if (isSpeaking === false && this.#speaking.size > 0) return;
    for (const strategy of this.#options.start) if (strategy.process(frame)) break;
    for (const strategy of this.#options.stop) strategy.process(frame);
  }

  /** Ends without stopping the turn, between two runs. */
  async close(): Promise<void> {
    clearTimeout(this.#timer);
    this.#isOpen = false;
    this.#speaking.clear();
    const closed = this.#strategies.map(async (strategy) => strategy.close());
    for (const result of await Promise.allSettled(closed)) {
      if (result.status === 'rejected') this.#options.actions.failed(result.reason);
    }
  }

  get #strategies(): readonly (UserTurnStartStrategy | UserTurnStopStrategy)[] {
    return [...this.#options.start, ...this.#options.stop];
  }

  #start(change: Required<TurnChangeOptions>): void {
    if (this.#isOpen) return;
    this.#isOpen = true;
    this.#watch();
    for (const strategy of this.#strategies) strategy.turnStarted();
    this.#options.actions.started(change);
  }

  #infer(): void {
    if (!this.#isOpen) return;
    this.#watch();
    this.#options.actions.infer();
  }

  /** Not while the user speaks: the strategy has decided by what is past. */
  #stop(change: { readonly announces: boolean }): void {
    if (!this.#isOpen || this.#speaking.size > 0) return;
    this.#isOpen = false;
    clearTimeout(this.#timer);
    for (const strategy of this.#strategies) strategy.turnStopped();
    this.#options.actions.stopped(change);
  }

  #watch(): void {
    clearTimeout(this.#timer);
    if (!this.#isOpen) return;
    this.#timer = setTimeout(() => {
      if (this.#speaking.size > 0) return this.#watch();
      this.#options.actions.timedOut();
      this.#stop({ announces: true });
    }, this.#options.stopTimeoutMs);
  }
}

/** Whose speech a frame is about; the same for all that is announced by others. */
function speakerOf(frame: Frame): string {
  const isVAD = frame instanceof VADUserStartedSpeakingFrame || frame instanceof VADUserStoppedSpeakingFrame;
  return isVAD ? `${frame.userId}\n${frame.transportSource}` : 'announced';
}

/** Whether a frame says that the user speaks, or does not; `undefined` where it says nothing of it. */
function speakingIn(frame: Frame): boolean | undefined {
  const starts =
    frame instanceof VADUserStartedSpeakingFrame ||
    frame instanceof UserStartedSpeakingFrame ||
    frame instanceof ProposedUserStartedSpeakingFrame;
  if (starts) return true;
  const stops =
    frame instanceof VADUserStoppedSpeakingFrame ||
    frame instanceof UserStoppedSpeakingFrame ||
    frame instanceof ProposedUserStoppedSpeakingFrame;
  return stops ? false : undefined;
}
