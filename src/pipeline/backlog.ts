import type { Frame } from '../frames/frame.ts';
import { frameScheduler, type Runnable } from '../processors/frame-scheduler.ts';

/** How many frames are sent in one go: what nobody notices, and more than most programs queue before the start. */
const atOnce = 1_000;

/**
 * Frames that wait until a pipeline takes them. They are sent in their order and, where there are many, in pieces that
 * share the event loop with the frames of all pipelines.
 */
export class Backlog implements Runnable {
  readonly #send: (frame: Frame) => void;
  #frames: Frame[] = [];
  #next = 0;
  #isReleased = false;

  constructor(send: (frame: Frame) => void) {
    this.#send = send;
  }

  /** Sends a frame behind those that wait: at once when none does. */
  add(frame: Frame): void {
    if (this.#isReleased && this.#frames.length === 0) this.#send(frame);
    else this.#frames.push(frame);
  }

  release(): void {
    this.#isReleased = true;
    this.run(atOnce);
  }

  /** Drops what an interruption drops in the queue of a processor, had it been sent already. */
  interrupt(): void {
    if (!this.#isReleased || this.#frames.length === 0) return;
    this.#frames = this.#frames
      .slice(this.#next)
      .filter(({ kind, uninterruptible }) => kind === 'system' || uninterruptible);
    this.#next = 0;
  }

  clear(): void {
    this.#frames = [];
    this.#next = 0;
  }

  run(limit: number): number {
    let sent = 0;
    while (sent < limit && this.#next < this.#frames.length) {
      const frame = this.#frames[this.#next] as Frame;
      this.#next += 1;
      sent += 1;
      this.#send(frame);
    }
    if (this.#next === this.#frames.length) this.clear();
    else frameScheduler.add(this);
    return sent;
  }

  runUrgent(): number {
    return 0;
  }
}
