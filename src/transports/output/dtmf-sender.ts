/** Sends DTMF keys one by one. */

import type { KeypadEntry } from '../../frames/dtmf.ts';

/** What a {@link DTMFSender} needs. */
export interface DTMFSenderOptions {
  /** Between two keys, in milliseconds. */
  readonly intervalMs: number;
  /** Sends one key. */
  readonly send: (key: KeypadEntry) => Promise<void>;
  /** Called after each key, so that a drain counts as progress. */
  readonly sent: () => void;
}

/** Queues DTMF keys and sends them at an interval that keeps them distinguishable. */
export class DTMFSender {
  readonly #options: DTMFSenderOptions;
  #work: Promise<void> = Promise.resolve();
  #lastMs = Number.NEGATIVE_INFINITY;
  #isStopped = false;

  constructor(options: DTMFSenderOptions) {
    this.#options = options;
  }

  /** Resolves when all keys so far were sent or have failed; never rejects. */
  get done(): Promise<void> {
    return this.#work;
  }

  /**
   * Queues keys.
   *
   * @returns Rejects with the error of the first key that fails; the keys after it are not sent.
   */
  send(keys: readonly KeypadEntry[]): Promise<void> {
    const sending = this.#work.then(() => this.#sendAll(keys));
    this.#work = sending.catch(() => {});
    return sending;
  }

  /** Drops the queued keys. */
  stop(): void {
    this.#isStopped = true;
  }

  async #sendAll(keys: readonly KeypadEntry[]): Promise<void> {
    for (const key of keys) {
      const waitMs = this.#lastMs + this.#options.intervalMs - performance.now();
      if (waitMs > 0) await new Promise((resolve) => setTimeout(resolve, waitMs));
      if (this.#isStopped) return;
      this.#lastMs = performance.now();
      await this.#options.send(key);
      this.#options.sent();
    }
  }
}
