import type { SystemFrame } from '../frames/frame.ts';
import {
  BotSpeakingFrame,
  BotStartedSpeakingFrame,
  BotStoppedSpeakingFrame,
} from '../frames/interruption.ts';

/** How often it is said that the bot still speaks. */
const speakingPeriodMs = 200;
/** After so much silence the bot has stopped, also when nobody said so. */
const silenceLimitMs = 3_000;

/** Tells the pipeline when the bot begins to speak, that it still does, and when it has stopped. */
export class BotSpeech {
  readonly #broadcast: (frameClass: new () => SystemFrame) => void;
  #speaking = false;
  #lastToldMs = 0;
  #silence: ReturnType<typeof setTimeout> | undefined;

  /** @param broadcast Sends a new frame of that class in both directions. */
  constructor(broadcast: (frameClass: new () => SystemFrame) => void) {
    this.#broadcast = broadcast;
  }

  /** A piece of speech is about to be played. */
  heard(): void {
    clearTimeout(this.#silence);
    const nowMs = performance.now();
    if (!this.#speaking) {
      this.#speaking = true;
      this.#broadcast(BotStartedSpeakingFrame);
    } else if (nowMs - this.#lastToldMs < speakingPeriodMs) return;
    this.#lastToldMs = nowMs;
    this.#broadcast(BotSpeakingFrame);
  }

  /** Nothing is left to be played. */
  ranOut(): void {
    if (!this.#speaking) return;
    clearTimeout(this.#silence);
    this.#silence = setTimeout(() => this.stop(), silenceLimitMs);
  }

  /** The speech is over, or was cut. */
  stop(): void {
    clearTimeout(this.#silence);
    if (!this.#speaking) return;
    this.#speaking = false;
    this.#broadcast(BotStoppedSpeakingFrame);
  }

  /** Forgets it without a word. */
  forget(): void {
    clearTimeout(this.#silence);
    this.#speaking = false;
  }
}
