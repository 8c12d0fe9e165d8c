/** Frames that were queued before the pipeline accepts them. */

import type { Frame } from '../frames/frame.ts';
import { frameScheduler, type Schedulable } from '../processors/core/frame-scheduler.ts';

/** How many frames are sent at once: more than most programs queue before the start, and too few to block the loop. */
const batchSize = 1_000;

/**
 * Frames are sent in order and, where there are many, in batches that share the event loop with the frames of all
 * pipelines.
 */
export class Backlog implements Schedulable {
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
    this.run(batchSize);
  }

  /** Drops the frames that an interruption would drop in a processor's queue, if they had been sent already. */
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

  runSystem(): number {
    return 0;
  }
}
