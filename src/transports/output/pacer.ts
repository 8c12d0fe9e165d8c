/** A pacer: resolves at regular intervals, without drift. */

/** Beyond so many missed intervals the schedule starts over instead of catching up. */
const maxMissedIntervals = 5;

/** Timing of a {@link Pacer}. */
export interface PacerOptions {
  /** Interval, in milliseconds. */
  readonly periodMs: number;
  /** How far it may run ahead of the clock to absorb late timers, in milliseconds. Default 0. */
  readonly aheadMs?: number;
}

/** Computes each due time from the one before, so that a late timer does not delay those after it. */
export class Pacer {
  readonly #periodMs: number;
  readonly #aheadMs: number;
  #dueMs = 0;
  #wake: (() => void) | undefined;

  constructor({ periodMs, aheadMs = 0 }: PacerOptions) {
    this.#periodMs = periodMs;
    this.#aheadMs = aheadMs;
  }

  /** Makes the next interval due now; ends a pending wait. */
  restart(): void {
    const isPending = this.#wake !== undefined;
    this.#dueMs = performance.now() + (isPending ? this.#periodMs : 0);
    this.skip();
  }

  /** Ends a pending wait. */
  skip(): void {
    this.#wake?.();
  }

  /** Resolves when the next interval is due. */
  async next(): Promise<void> {
    const nowMs = performance.now();
    if (nowMs - this.#dueMs > maxMissedIntervals * this.#periodMs) this.#dueMs = nowMs;
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
