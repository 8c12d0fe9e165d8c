/** Emits the frames that report when the bot speaks. */

import type { SystemFrame } from '../../frames/frame.ts';
import { BotSpeakingFrame, BotStartedSpeakingFrame, BotStoppedSpeakingFrame } from '../../frames/speaking.ts';

/** Interval between two BotSpeakingFrames. */
const speakingPeriodMs = 200;
/** Silence after which the bot has stopped, also without a TTSStoppedFrame. */
const silenceLimitMs = 3_000;

/** Derives BotStartedSpeaking, BotSpeaking and BotStoppedSpeaking frames from what is played. */
export class BotSpeakingTracker {
  readonly #broadcast: (frameClass: new () => SystemFrame) => void;
  #speaking = false;
  #lastSentMs = 0;
  #silence: ReturnType<typeof setTimeout> | undefined;

  /** @param broadcast Pushes a new frame of that class in both directions. */
  constructor(broadcast: (frameClass: new () => SystemFrame) => void) {
    this.#broadcast = broadcast;
  }

  /** To be called before each chunk of speech is played. */
  onSpeech(): void {
    clearTimeout(this.#silence);
    const nowMs = performance.now();
    if (!this.#speaking) {
      this.#speaking = true;
      this.#broadcast(BotStartedSpeakingFrame);
    } else if (nowMs - this.#lastSentMs < speakingPeriodMs) return;
    this.#lastSentMs = nowMs;
    this.#broadcast(BotSpeakingFrame);
  }

  /** To be called when nothing is left to play. */
  onEmpty(): void {
    if (!this.#speaking) return;
    clearTimeout(this.#silence);
    this.#silence = setTimeout(() => this.stop(), silenceLimitMs);
  }

  /** Speech has ended or was interrupted. */
  stop(): void {
    clearTimeout(this.#silence);
    if (!this.#speaking) return;
    this.#speaking = false;
    this.#broadcast(BotStoppedSpeakingFrame);
  }

  /** Resets without pushing a frame. */
  reset(): void {
    clearTimeout(this.#silence);
    this.#speaking = false;
  }
}
