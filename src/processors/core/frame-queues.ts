/** The frames that wait in front of a processor, and which of them is next. */

import type { Frame, FrameDirection } from '../../frames/frame.ts';

/** Most queues never hold a frame and share this array. */
const none: never[] = [];

/** A queue of frames with their directions: a ring buffer in one array, so that all operations at its ends are O(1). */
class FrameRing {
  /** Alternately a frame and its direction; the length is a power of two. */
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

  /** The first frame; the ring must not be empty. */
  get first(): Frame {
    return this.#slots[this.#head] as Frame;
  }

  /** The first frame's direction; the ring must not be empty. */
  get firstDirection(): FrameDirection {
    return this.#slots[this.#head + 1] as FrameDirection;
  }

  /** Removes the first frame; the ring must not be empty. */
  shift(): void {
    this.#slots[this.#head] = undefined;
    this.#head = (this.#head + 2) & (this.#slots.length - 1);
    this.#length -= 1;
  }

  includes(frame: Frame): boolean {
    return this.#slots.includes(frame);
  }

  /** Among the frames with an index from `from` up to but without `to`, keeps those that `keep` accepts. */
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

/** Bits: why data and control frames are held. */
const notStarted = 1;
const systemWaits = 2;
const systemBusy = 4;
const systemPaused = 8;

/**
 * Two queues. The StartFrame is first, whatever came before it. System frames follow, in order. Data and control
 * frames of both directions share one order; those queued while a system frame waits or is being processed are held
 * behind it, and survive it if it is an interruption.
 *
 * @see Pipecat `processors/frame_processor.py`, its input and process queues.
 */
export class FrameQueues {
  #start: Frame | undefined;
  readonly #system = new FrameRing();
  readonly #other = new FrameRing();
  /** How many frames at the end of the other queue are held. */
  #held = 0;
  #gate = notStarted;
  #paused = false;
  /** Direction of the frame that was taken last. */
  direction: FrameDirection = 'downstream';

  /** Whether the StartFrame was taken. */
  get isStarted(): boolean {
    return (this.#gate & notStarted) === 0;
  }

  /** Whether data and control frames wait. */
  get isPaused(): boolean {
    return this.#paused;
  }

  /** Whether system frames wait. */
  get isSystemPaused(): boolean {
    return (this.#gate & systemPaused) !== 0;
  }

  /** The data or control frame that would be taken next; also while paused. */
  get next(): Frame | undefined {
    return this.#other.length > this.#held ? this.#other.first : undefined;
  }

  /** Whether {@link take} may be called. */
  get hasNext(): boolean {
    return !this.#paused && this.#other.length > this.#held;
  }

  /** @returns Whether a system frame can be taken now. */
  addSystem(frame: Frame, direction: FrameDirection): boolean {
    if (frame.frameRole === 'start' && direction === 'downstream') this.#start = frame;
    else this.#system.push(frame, direction);
    if (this.#start === undefined && !this.isStarted) return false;
    this.#gate |= systemWaits;
    return true;
  }

  /** @returns Whether a frame can be taken now. */
  add(frame: Frame, direction: FrameDirection): boolean {
    this.#other.push(frame, direction);
    if (this.#gate === 0) return !this.#paused;
    this.#held += 1;
    return false;
  }

  /** The next system frame. Frames that are added from now until {@link systemDone} are held. */
  takeSystem(): Frame | undefined {
    if (this.isSystemPaused) return undefined;
    const start = this.#start;
    if (start !== undefined) {
      this.#start = undefined;
      this.#gate = (this.#gate & ~notStarted) | systemBusy;
      this.direction = 'downstream';
      return start;
    }
    if (!this.isStarted || this.#system.length === 0) return undefined;
    this.#gate |= systemBusy;
    const frame = this.#system.first;
    this.direction = this.#system.firstDirection;
    this.#system.shift();
    return frame;
  }

  /** No system frame is being processed; when none waits either, held frames become ordinary ones. */
  systemDone(): void {
    if (this.#system.length > 0 || this.#start !== undefined) return;
    this.#gate &= ~(systemWaits | systemBusy);
    if (this.#gate === 0) this.#held = 0;
  }

  /** The next data or control frame; only when {@link hasNext}. */
  take(): Frame {
    const frame = this.#other.first;
    this.direction = this.#other.firstDirection;
    this.#other.shift();
    return frame;
  }

  /** Drops the waiting frames that an interruption drops, except the first `spared` ones. */
  dropDroppable(spared: number): void {
    this.#other.filter(spared, this.#other.length - this.#held, isUninterruptible);
  }

  /** Holds data and control frames back. */
  pause(): void {
    this.#paused = true;
  }

  /** Releases data and control frames. */
  resume(): void {
    this.#paused = false;
  }

  /** Holds system frames back. */
  pauseSystem(): void {
    this.#gate |= systemPaused;
  }

  /** Releases system frames. */
  resumeSystem(): void {
    this.#gate &= ~systemPaused;
  }

  /** Whether the frame waits in a queue. */
  includes(frame: Frame): boolean {
    return this.#start === frame || this.#other.includes(frame) || this.#system.includes(frame);
  }

  /** Drops the system frames of a class. @returns How many. */
  dropSystem(frameClass: unknown): number {
    const before = this.#system.length;
    this.#system.filter(0, before, (frame) => frame.constructor !== frameClass);
    return before - this.#system.length;
  }

  /** Drops all frames that would be taken before a frame that waits here. @returns How many. */
  dropBefore(frame: Frame): number {
    const before = this.#system.length + this.#other.length;
    let isAhead = true;
    const isNotAhead = (one: Frame): boolean => {
      if (one === frame) isAhead = false;
      return !isAhead;
    };
    if (this.#other.includes(frame)) {
      this.#system.filter(0, this.#system.length, (one) => one.frameRole === 'cancel');
      this.#other.filter(0, this.#other.length, isNotAhead);
      this.#held = Math.min(this.#held, this.#other.length);
    } else if (this.#system.includes(frame)) {
      this.#system.filter(0, this.#system.length, isNotAhead);
    }
    return before - this.#system.length - this.#other.length;
  }

  /** Drops the data and control frames. */
  clear(): void {
    this.#other.clear();
    this.#held = 0;
  }

  /** As before the first run: empty, not started, not paused. */
  reset(): void {
    this.clear();
    this.#start = undefined;
    this.#system.clear();
    this.#gate = notStarted;
    this.#paused = false;
  }
}

function isUninterruptible(frame: Frame): boolean {
  return frame.uninterruptible;
}
