import type { Frame, FrameDirection } from '../frames/frame.ts';
import type { FrameProcessor } from './frame-processor.ts';
import { frameScheduler } from './frame-scheduler.ts';
import { FrameWork } from './frame-work.ts';
import { workContext } from './work-context.ts';

/** Calls a processor's `process()`. */
export type Process = (
  processor: FrameProcessor,
  frame: Frame,
  direction: FrameDirection,
) => void | Promise<void>;

/** Told when a work's promise is settled. */
export type OnSettled = (work: FrameWork, failure?: { readonly error: unknown }) => void;

/** For how long what timers and sockets push is taken for a stray call's, in milliseconds. */
const strayLimitMs = 5_000;

const none: readonly FrameWork[] = [];

/** After so many prompt calls with frames of a class, a `process()` is taken to be prompt with them. */
const promptAfter = 4_096;

/**
 * A processor's calls of `process()`, and which of them were dropped.
 *
 * Neither `process()` nor `push()` say on whose behalf they are called, and must not have to. So that what a
 * dropped call pushes later can be told from what the processor's other calls push, each runs in an asynchronous
 * context of its own. That is expensive, so it is left out where a call would hardly ever be met by an interruption:
 * where `process()` has always been prompt with frames of this class, that is, done before the event loop turned. The
 * first such call that is dropped and does not end at once cannot be told from timers and sockets; while it lasts, and
 * for at most 5 seconds, what they push is dropped with it.
 */
export class FrameWorks {
  /** The data or control frame that is being processed, while that takes more than one breath. */
  current: FrameWork | undefined;
  /** The same for the system frame. */
  system: FrameWork | undefined;
  readonly onSettled: OnSettled;
  /** How many were dropped and have not noticed yet. */
  #dropped = 0;
  /** Those of them without a context. */
  #strays: readonly FrameWork[] = none;
  #strayedAtMs = 0;
  /** How many prompt calls there were by frame class; -1 when one was not. */
  #promptCalls: Map<unknown, number> | undefined;
  /** The latest class that `process()` is taken to be prompt with. */
  #promptClass: unknown;
  /** While a call is on the stack: what is pushed then is its own. */
  #frame: Frame | undefined;
  #work: FrameWork | undefined;
  #spare: FrameWork | undefined;
  /** For what comes from a dropped call that has lost its context on its way. */
  #droppedFrames: WeakSet<Frame> | undefined;

  constructor(onSettled: OnSettled) {
    this.onSettled = onSettled;
  }

  /** The call on the stack, or the one that the running code continues; made up where it had no need of one. */
  get running(): FrameWork | undefined {
    const frame = this.#frame;
    if (frame !== undefined) {
      this.#isNotPrompt(frame);
      this.#work ??= new FrameWork(this, frame, 'downstream', frameScheduler.turn, false);
      return this.#work;
    }
    const work = workContext.current;
    if (work?.owner === this) return work;
    return [...this.#strays, this.current, this.system].find((other) => other?.hasContext === false);
  }

  /** Calls `process`. @returns What it waits for, or `undefined` when all is done. */
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
      if (this.#isPromptWith(frame) && workContext.current?.owner !== this) {
        const result = process(processor, frame, direction);
        return isPromise(result) ? result : undefined;
      }
      const work = new FrameWork(this, frame, direction, frameScheduler.turn, true);
      this.#work = work;
      const result = workContext.run(work, process, processor, frame, direction);
      if (isPromise(result)) return inContext(result);
      this.#wasPrompt(frame);
      return undefined;
    } finally {
      this.#frame = outerFrame;
    }
  }

  /** The work of the call that has just returned a promise. */
  begun(frame: Frame, direction: FrameDirection): FrameWork {
    const work = this.#work ?? this.#spareWork(frame, direction);
    // one that was made up for its signal did not know yet
    work.direction = direction;
    this.#work = undefined;
    return work;
  }

  drop(work: FrameWork): void {
    this.#dropped += 1;
    if (!work.hasContext) {
      this.#strays = [...this.#strays, work];
      this.#strayedAtMs = performance.now();
      this.#promptClass = undefined;
    }
    work.drop();
    if (work === this.current) this.current = undefined;
    if (work === this.system) this.system = undefined;
    this.#droppedFrames ??= new WeakSet();
    this.#droppedFrames.add(work.frame);
  }

  /** A work's promise is settled. @returns False when it was dropped before. */
  settle(work: FrameWork): boolean {
    work.settled = true;
    if (work.turn === frameScheduler.turn) this.#wasPrompt(work.frame);
    else this.#isNotPrompt(work.frame);
    if (!work.dropped) {
      if (work.isSpare) this.#spare = work;
      return true;
    }
    this.#dropped -= 1;
    if (!work.hasContext) this.#strays = this.#strays.filter((other) => other !== work);
    return false;
  }

  /** Another run begins: what is left of the one before is none of its business. */
  reset(): void {
    if (this.current !== undefined) this.drop(this.current);
    if (this.system !== undefined) this.drop(this.system);
    this.#strays = none;
  }

  /** Whether what the running code pushes is on behalf of a dropped call. */
  isDropped(frame?: Frame): boolean {
    if (this.#dropped === 0 || this.#frame !== undefined) return false;
    const work = workContext.current;
    if (work?.owner === this) return work.dropped && !work.settled;
    if (this.#strays.length > 0 && performance.now() - this.#strayedAtMs < strayLimitMs) return true;
    return frame !== undefined && this.#droppedFrames?.has(frame) === true;
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

  #spareWork(frame: Frame, direction: FrameDirection): FrameWork {
    const spare = this.#spare;
    if (spare === undefined) return new FrameWork(this, frame, direction, frameScheduler.turn, false);
    this.#spare = undefined;
    spare.beginAgain(frame, direction, frameScheduler.turn);
    return spare;
  }

  #isPromptWith(frame: Frame): boolean {
    if (frame.constructor === this.#promptClass) return true;
    if (this.#strays.length > 0) return false;
    if ((this.#promptCalls?.get(frame.constructor) ?? 0) < promptAfter) return false;
    this.#promptClass = frame.constructor;
    return true;
  }

  #wasPrompt(frame: Frame): void {
    // known already; and lifecycle frames and the like are too few to be worth it
    if (frame.constructor === this.#promptClass || frame.frameRole !== undefined) return;
    this.#promptCalls ??= new Map();
    const calls = this.#promptCalls.get(frame.constructor) ?? 0;
    if (calls !== -1) this.#promptCalls.set(frame.constructor, calls + 1);
  }

  #isNotPrompt(frame: Frame): void {
    if (frame.constructor === this.#promptClass) this.#promptClass = undefined;
    this.#promptCalls ??= new Map();
    this.#promptCalls.set(frame.constructor, -1);
  }
}

function inContext(promise: Promise<void>): Promise<void> {
  workContext.began();
  promise.then(workContext.ended, workContext.ended);
  return promise;
}

function isPromise(value: unknown): value is Promise<void> {
  return typeof value === 'object' && value !== null && 'then' in value;
}
