import { AsyncLocalStorage } from 'node:async_hooks';
import type { Frame, FrameDirection } from '../frames/frame.ts';
import type { FrameProcessor } from './frame-processor.ts';

/** Calls a processor's `process()`. */
export type Process = (
  processor: FrameProcessor,
  frame: Frame,
  direction: FrameDirection,
) => void | Promise<void>;

/** After so many synchronous calls with frames of a class, a `process()` is taken to be synchronous with them. */
const synchronousAfter = 4_096;

/** The work that the running code belongs to. */
const currentWork = new AsyncLocalStorage<FrameWork>();

/** One call of a processor's `process()`: from the frame being handed in until the promise is settled. */
export class FrameWork {
  /** Whose `process()` it is. */
  readonly owner: FrameWorks;
  readonly frame: Frame;
  /** An interruption, a cancel or a time limit gave it up; nothing it pushes counts any more. */
  dropped = false;
  settled = false;
  #controller: AbortController | undefined;

  constructor(owner: FrameWorks, frame: Frame) {
    this.owner = owner;
    this.frame = frame;
  }

  /** Aborts when the work is dropped; made only when asked for. */
  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    if (this.dropped) this.#controller.abort();
    return this.#controller.signal;
  }

  drop(): void {
    this.dropped = true;
    this.#controller?.abort();
  }
}

/**
 * A processor's calls of `process()`, and which of them were dropped.
 *
 * Neither `process()` nor `push()` say on whose behalf they are called, and must not have to. So that what a
 * dropped call pushes later can be told from what the processor's other calls push, each runs in an asynchronous
 * context of its own; except where `process()` has been synchronous with everything so far, and with many such frames, which is
 * cheaper.
 */
export class FrameWorks {
  /** The data or control frame that is being processed, while that takes more than one breath. */
  current: FrameWork | undefined;
  /** The same for the system frame. */
  system: FrameWork | undefined;
  /** How many were dropped and have not noticed yet. */
  #dropped = 0;
  /** Whether `process()` ever returned a promise, or asked for its signal: then any call may be one that waits. */
  #mayWait = false;
  /** How often `process()` returned no promise, by frame class. */
  #synchronousCalls: Map<unknown, number> | undefined;
  /** The latest class that `process()` is taken to be synchronous with. */
  #synchronousClass: unknown;
  /** While a call is on the stack: what is pushed then is its own. */
  #frame: Frame | undefined;
  #work: FrameWork | undefined;
  /** Dropped frames whose calls had no context of their own: the first to wait after many that did not. */
  #unmarked: WeakSet<Frame> | undefined;

  /** The call on the stack, or the one that the running code continues; made up where it had no need of one. */
  get running(): FrameWork | undefined {
    if (this.#frame !== undefined) {
      this.#mayWait = true;
      this.#synchronousClass = undefined;
      this.#work ??= new FrameWork(this, this.#frame);
      return this.#work;
    }
    const work = currentWork.getStore();
    return work?.owner === this ? work : undefined;
  }

  /** Calls `process`. @returns The work that goes on, or `undefined` when all is done. */
  call(
    process: Process,
    processor: FrameProcessor,
    frame: Frame,
    direction: FrameDirection,
  ): Promise<void> | undefined {
    const outerFrame = this.#frame;
    this.#frame = frame;
    this.#work = undefined;
    try {
      if (frame.constructor === this.#synchronousClass || this.#isSynchronousWith(frame)) {
        const result = process(processor, frame, direction);
        if (!isPromise(result)) return undefined;
        this.#synchronousClass = undefined;
        return this.#learn(frame, result);
      }
      this.#work = new FrameWork(this, frame);
      return this.#learn(frame, currentWork.run(this.#work, process, processor, frame, direction));
    } finally {
      this.#frame = outerFrame;
    }
  }

  /** The work of the call that has just returned a promise. */
  begun(frame: Frame): FrameWork {
    const work = this.#work ?? new FrameWork(this, frame);
    this.#work = undefined;
    return work;
  }

  drop(work: FrameWork): void {
    this.#dropped += 1;
    work.drop();
    if (work === this.current) this.current = undefined;
    if (work === this.system) this.system = undefined;
    this.#unmarked ??= new WeakSet();
    this.#unmarked.add(work.frame);
  }

  /** A work's promise is settled. @returns False when it was dropped before. */
  settle(work: FrameWork): boolean {
    work.settled = true;
    if (work.dropped) this.#dropped -= 1;
    return !work.dropped;
  }

  /** Whether what the running code pushes is on behalf of a dropped call. */
  isDropped(frame?: Frame): boolean {
    if (this.#dropped === 0 || this.#frame !== undefined) return false;
    const work = currentWork.getStore();
    if (work?.owner === this) return work.dropped && !work.settled;
    return frame !== undefined && this.#unmarked?.has(frame) === true;
  }

  /** Runs something that is not on behalf of whatever call it happens in. */
  asOwn(frame: Frame, action: () => void): void {
    const outerFrame = this.#frame;
    this.#frame = frame;
    try {
      action();
    } finally {
      this.#frame = outerFrame;
    }
  }

  #isSynchronousWith(frame: Frame): boolean {
    if (this.#mayWait || (this.#synchronousCalls?.get(frame.constructor) ?? 0) < synchronousAfter)
      return false;
    this.#synchronousClass = frame.constructor;
    return true;
  }

  #learn(frame: Frame, result: void | Promise<void>): Promise<void> | undefined {
    if (isPromise(result)) {
      this.#mayWait = true;
      return result;
    }
    // lifecycle frames and the like are too few to be worth it
    if (!this.#mayWait && frame.frameRole === undefined) {
      this.#synchronousCalls ??= new Map();
      const calls = this.#synchronousCalls.get(frame.constructor) ?? 0;
      this.#synchronousCalls.set(frame.constructor, calls + 1);
    }
    return undefined;
  }
}

function isPromise(value: unknown): value is Promise<void> {
  return typeof value === 'object' && value !== null && 'then' in value;
}
