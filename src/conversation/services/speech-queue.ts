/** The frames and sentences of a speech synthesis that wait for each other. */

import type { Frame } from '../../frames/frame.ts';
import { SentenceSynthesis } from './sentence-synthesis.ts';

/** How many sentences are synthesized at the same time: the one being passed on, and the next. */
const ahead = 2;

/** Passes frames and the audio of sentences on in order. Synthesis begins ahead of its turn. */
export class SpeechQueue {
  readonly #push: (frame: Frame) => void;
  #entries: (Frame | SentenceSynthesis)[] = [];
  #isPassing = false;
  #waiters: (() => void)[] = [];

  constructor(push: (frame: Frame) => void) {
    this.#push = push;
  }

  /** Passes an entry on at once where nothing is ahead of it. */
  add(entry: Frame | SentenceSynthesis): void {
    if (this.#entries.length === 0 && !(entry instanceof SentenceSynthesis)) {
      this.#push(entry);
      return;
    }
    this.#entries.push(entry);
    this.#startAhead();
    if (!this.#isPassing) void this.#pass();
  }

  /** Drops what may be interrupted. */
  interrupt(): void {
    this.#drop((entry) => !entry.uninterruptible);
  }

  /** Drops everything. */
  clear(): void {
    this.#drop(() => true);
  }

  /** Resolves when everything was passed on or dropped. */
  whenEmpty(): Promise<void> {
    if (this.#entries.length === 0) return Promise.resolve();
    return new Promise((resolve) => this.#waiters.push(resolve));
  }

  #drop(isDropped: (entry: Frame | SentenceSynthesis) => boolean): void {
    const dropped = this.#entries.filter(isDropped);
    this.#entries = this.#entries.filter((entry) => !dropped.includes(entry));
    for (const entry of dropped) if (entry instanceof SentenceSynthesis) entry.abort();
    this.#startAhead();
    this.#checkEmpty();
  }

  #startAhead(): void {
    let sentences = 0;
    for (const entry of this.#entries) {
      if (!(entry instanceof SentenceSynthesis)) continue;
      entry.start();
      sentences += 1;
      if (sentences === ahead) return;
    }
  }

  async #pass(): Promise<void> {
    this.#isPassing = true;
    try {
      for (let entry = this.#entries[0]; entry !== undefined; entry = this.#entries[0]) {
        if (entry instanceof SentenceSynthesis) await entry.passOn();
        else this.#push(entry);
        // an interruption may have dropped it meanwhile
        if (this.#entries[0] === entry) this.#entries.shift();
        this.#startAhead();
      }
    } finally {
      this.#isPassing = false;
      this.#checkEmpty();
    }
  }

  #checkEmpty(): void {
    if (this.#entries.length === 0) for (const done of this.#waiters.splice(0)) done();
  }
}
