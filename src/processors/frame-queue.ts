import type { Frame, FrameDirection } from '../frames/frame.ts';

/** Most queues of a pipeline at rest have never held a frame. */
const none: never[] = [];

/**
 * Frames with their directions, first in, first out: a ring in one array, so that neither a long queue nor a
 * long life makes it slower.
 */
export class FrameQueue {
  /** Frame and direction by turns; its length is a power of two. */
  #slots: (Frame | FrameDirection | undefined)[] = none;
  #head = 0;
  #length = 0;

  get length(): number {
    return this.#length;
  }

  push(frame: Frame, direction: FrameDirection): void {
    if (this.#length * 2 === this.#slots.length) this.#grow();
    const slots = this.#slots;
    const at = (this.#head + this.#length * 2) & (slots.length - 1);
    slots[at] = frame;
    slots[at + 1] = direction;
    this.#length += 1;
  }

  /** The first frame; the queue must not be empty. */
  get first(): Frame {
    return this.#slots[this.#head] as Frame;
  }

  /** The first frame's direction; the queue must not be empty. */
  get firstDirection(): FrameDirection {
    return this.#slots[this.#head + 1] as FrameDirection;
  }

  /** Forgets the first frame; the queue must not be empty. */
  shift(): void {
    this.#slots[this.#head] = undefined;
    this.#head = (this.#head + 2) & (this.#slots.length - 1);
    this.#length -= 1;
  }

  includes(frame: Frame): boolean {
    return this.#slots.includes(frame);
  }

  /** Among the frames from the `from`-th on and before the `to`-th, keeps those that `keep` accepts. */
  filter(from: number, to: number, keep: (frame: Frame) => boolean): void {
    const slots = this.#slots;
    const mask = slots.length - 1;
    let kept = from;
    for (let index = from; index < this.#length; index += 1) {
      const at = (this.#head + index * 2) & mask;
      const frame = slots[at] as Frame;
      if (index < to && !keep(frame)) continue;
      const target = (this.#head + kept * 2) & mask;
      slots[target] = frame;
      slots[target + 1] = slots[at + 1];
      kept += 1;
    }
    for (let index = kept; index < this.#length; index += 1)
      slots[(this.#head + index * 2) & mask] = undefined;
    this.#length = kept;
  }

  clear(): void {
    this.#slots = none;
    this.#head = 0;
    this.#length = 0;
  }

  #grow(): void {
    const old = this.#slots;
    const slots = [...old.slice(this.#head), ...old.slice(0, this.#head)];
    slots.length = Math.max(8, old.length * 2);
    slots.fill(undefined, old.length);
    this.#slots = slots;
    this.#head = 0;
  }
}
