import type { KeypadEntry } from '../frames/dtmf.ts';

export interface KeyPressesOptions {
  /** Between two keys, in milliseconds. */
  readonly intervalMs: number;
  readonly press: (key: KeypadEntry) => Promise<void>;
  /** A key was pressed. */
  readonly pressed: () => void;
}

/** Presses the keys of a telephone one after the other, so far apart that the other side can tell them apart. */
export class KeyPresses {
  readonly #options: KeyPressesOptions;
  #work: Promise<void> = Promise.resolve();
  #lastMs = Number.NEGATIVE_INFINITY;
  #isStopped = false;

  constructor(options: KeyPressesOptions) {
    this.#options = options;
  }

  /** Resolves when all keys so far were pressed, or could not be; never rejects. */
  get done(): Promise<void> {
    return this.#work;
  }

  /**
   * Presses these behind those that are being pressed.
   *
   * @returns Rejects with the failure of a key; the keys behind it are not pressed then.
   */
  press(keys: readonly KeypadEntry[]): Promise<void> {
    const pressing = this.#work.then(() => this.#pressAll(keys));
    this.#work = pressing.catch(() => {});
    return pressing;
  }

  /** Presses no further key. */
  stop(): void {
    this.#isStopped = true;
  }

  async #pressAll(keys: readonly KeypadEntry[]): Promise<void> {
    for (const key of keys) {
      const waitMs = this.#lastMs + this.#options.intervalMs - performance.now();
      if (waitMs > 0) await new Promise((resolve) => setTimeout(resolve, waitMs));
      if (this.#isStopped) return;
      this.#lastMs = performance.now();
      await this.#options.press(key);
      this.#options.pressed();
    }
  }
}
