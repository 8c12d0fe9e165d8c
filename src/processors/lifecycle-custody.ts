import type { Frame } from '../frames/frame.ts';
import type { LifecycleFrame } from '../frames/lifecycle.ts';

/** Lifecycle frames past their limit: forwarded without waiting. */
const forced = new WeakSet<Frame>();

/** From now on no processor is waited for that has this frame. */
export function markForced(frame: LifecycleFrame): void {
  forced.add(frame);
}

/** Whether no processor is waited for that has this frame. */
export function isForced(frame: Frame): boolean {
  return forced.has(frame);
}

/**
 * The lifecycle frame that a processor was given: it goes on exactly once, by the processor or in its place.
 */
export class LifecycleCustody {
  #frame: LifecycleFrame | undefined;
  #isPassedOn = true;

  /** The frame that was given and has not gone on. */
  get held(): LifecycleFrame | undefined {
    return this.#isPassedOn ? undefined : this.#frame;
  }

  /** Whether the frame was given and has gone on. */
  isThrough(frame: LifecycleFrame): boolean {
    return this.#isPassedOn && this.#frame === frame;
  }

  take(frame: LifecycleFrame): void {
    this.#frame = frame;
    this.#isPassedOn = false;
  }

  /** A frame is about to go on downstream. @returns False for the frame in custody when it has gone before. */
  passOn(frame: Frame): boolean {
    if (frame !== this.#frame) return true;
    const isFirst = !this.#isPassedOn;
    this.#isPassedOn = true;
    return isFirst;
  }

  /** Nobody waits for the frame any more. */
  giveUp(): void {
    this.#frame = undefined;
    this.#isPassedOn = true;
  }
}
