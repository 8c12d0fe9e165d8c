/** From here on lost time is given up rather than made up for, in beats. */
const behindBeats = 5;

export interface BeatOptions {
  readonly periodMs: number;
  /** How far the beats may run ahead of the clock: what a timer that fires late may cost. Default 0. */
  readonly aheadMs?: number;
}

/** The times at which something regular is due; one that comes a little late does not move those that follow. */
export class Beat {
  readonly #periodMs: number;
  readonly #aheadMs: number;
  #dueMs = 0;
  #wake: (() => void) | undefined;

  constructor({ periodMs, aheadMs = 0 }: BeatOptions) {
    this.#periodMs = periodMs;
    this.#aheadMs = aheadMs;
  }

  /** The next beat is due now, also the one that is awaited. */
  restart(): void {
    const isAwaited = this.#wake !== undefined;
    this.#dueMs = performance.now() + (isAwaited ? this.#periodMs : 0);
    this.skip();
  }

  /** Ends a wait at once. */
  skip(): void {
    this.#wake?.();
  }

  /** Resolves when the next beat is due. */
  async next(): Promise<void> {
    const nowMs = performance.now();
    if (nowMs - this.#dueMs > behindBeats * this.#periodMs) this.#dueMs = nowMs;
    const waitMs = this.#dueMs - this.#aheadMs - nowMs;
    this.#dueMs += this.#periodMs;
    if (waitMs > 0) await this.#wait(waitMs);
  }

  async #wait(ms: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.#wake = undefined;
  }
}
