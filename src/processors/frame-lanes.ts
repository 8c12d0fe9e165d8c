import type { Frame, FrameDirection } from '../frames/frame.ts';
import { FrameQueue } from './frame-queue.ts';

/** Bits: why data and control frames are held. */
const notStarted = 1;
const systemWaits = 2;
const systemBusy = 4;
const systemPaused = 8;

/**
 * The frames in front of a processor, in two lanes, and which of them is next.
 *
 * The StartFrame is first, whatever came before it. System frames follow, in their order. Data and control
 * frames, of both directions, have one order; those that arrive while a system frame waits or is being handled
 * are held behind it, and an interruption does not drop them: it is older than they are.
 */
export class FrameLanes {
  #start: Frame | undefined;
  readonly #system = new FrameQueue();
  readonly #other = new FrameQueue();
  /** How many frames at the end of the other lane are held. */
  #held = 0;
  #gate = notStarted;
  #paused = false;
  /** Direction of the frame that was taken last. */
  direction: FrameDirection = 'downstream';

  /** Whether the StartFrame was taken. */
  get isStarted(): boolean {
    return (this.#gate & notStarted) === 0;
  }

  get isPaused(): boolean {
    return this.#paused;
  }

  get isSystemPaused(): boolean {
    return (this.#gate & systemPaused) !== 0;
  }

  /** The data or control frame that would be taken next; also while paused. */
  get next(): Frame | undefined {
    return this.#other.length > this.#held ? this.#other.first : undefined;
  }

  /** Whether {@link take} would give a frame. */
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

  /** The next system frame; from then on, until {@link systemDone}, what arrives is held. */
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

  /** No system frame is being handled; when none waits either, held frames become ordinary ones. */
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

  /** What an interruption drops of the waiting frames, but for the `spared` first ones. */
  dropDroppable(spared: number): void {
    this.#other.filter(spared, this.#other.length - this.#held, isUninterruptible);
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
  }

  pauseSystem(): void {
    this.#gate |= systemPaused;
  }

  resumeSystem(): void {
    this.#gate &= ~systemPaused;
  }

  includes(frame: Frame): boolean {
    return this.#start === frame || this.#other.includes(frame) || this.#system.includes(frame);
  }

  /** Drops the system frames of a class. @returns How many frames it was. */
  dropSystem(frameClass: unknown): number {
    const before = this.#system.length;
    this.#system.filter(0, before, (frame) => frame.constructor !== frameClass);
    return before - this.#system.length;
  }

  /** Drops what would be taken before a frame that waits here. @returns How many frames it was. */
  dropBefore(frame: Frame): number {
    const before = this.#system.length + this.#other.length;
    let isInFront = true;
    const isNotInFront = (one: Frame): boolean => {
      if (one === frame) isInFront = false;
      return !isInFront;
    };
    if (this.#other.includes(frame)) {
      this.#system.filter(0, this.#system.length, (one) => one.frameRole === 'cancel');
      this.#other.filter(0, this.#other.length, isNotInFront);
      this.#held = Math.min(this.#held, this.#other.length);
    } else if (this.#system.includes(frame)) {
      this.#system.filter(0, this.#system.length, isNotInFront);
    }
    return before - this.#system.length - this.#other.length;
  }

  /** Forgets the data and control frames. */
  clear(): void {
    this.#other.clear();
    this.#held = 0;
  }

  /** Forgets everything, also that it was started. */
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
