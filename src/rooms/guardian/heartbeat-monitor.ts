/** Measures the silence of a bot, by the guardian's clock. Pure. */

/** The time since the last heartbeat. */
export class HeartbeatMonitor {
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
   * After a gap of more than `longestGapMs` between two calls this process was frozen itself, most likely with its
   * host, and received nothing: the silence starts anew.
   */
  silentMs(nowMs: number, longestGapMs: number): number {
    if (nowMs - this.#awakeMs > longestGapMs) this.#beatMs = nowMs;
    this.#awakeMs = nowMs;
    return nowMs - this.#beatMs;
  }
}
