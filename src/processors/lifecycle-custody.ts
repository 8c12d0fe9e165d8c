import type { Frame } from '../frames/frame.ts';
import type { LifecycleFrame } from '../frames/lifecycle.ts';

/** Frames that are passed on at once, because whoever had them took too long. */
const hurried = new WeakSet<Frame>();

/** From now on nobody is waited for who has this frame. */
export function hurryFrame(frame: LifecycleFrame): void {
  hurried.add(frame);
}

/** Whether nobody is to be waited for who has this frame. */
export function isHurried(frame: Frame): boolean {
  return hurried.has(frame);
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
