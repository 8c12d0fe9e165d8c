/** Whether a bot still gives signs of life, by the clock of the one who watches. Pure. */
export class HeartbeatWatch {
  #beatMs: number;
  #awakeMs: number;

  /** @param nowMs Of a clock that only goes forward. */
  constructor(nowMs: number) {
    this.#beatMs = nowMs;
    this.#awakeMs = nowMs;
  }

  beat(nowMs: number): void {
    this.#beatMs = nowMs;
    this.#awakeMs = nowMs;
  }

  /**
   * How long the bot has been silent, in milliseconds. To be called regularly.
   *
   * When the last call was longer ago than `longestGapMs`, the watcher was frozen itself, most likely with its
   * whole host: it has heard nothing because it did not listen, and counts from now on.
   */
  silentMs(nowMs: number, longestGapMs: number): number {
    if (nowMs - this.#awakeMs > longestGapMs) this.#beatMs = nowMs;
    this.#awakeMs = nowMs;
    return nowMs - this.#beatMs;
  }
}
