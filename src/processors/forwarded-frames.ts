import { type Frame, isFrameworkFrame } from '../frames/frame.ts';
import { isLifecycleFrame } from '../frames/lifecycle.ts';

/** Whether a frame goes on also when `process()` does not push it. Lifecycle frames have a custody of their own. */
export function isForwarded(frame: Frame): boolean {
  return frame.kind !== 'data' && isFrameworkFrame(frame) && !isLifecycleFrame(frame);
}

/**
 * What a processor has done with the framework's own frames (requests to the task, flush probes, heartbeats, pause
 * and resume): one that it has neither pushed nor holds goes on without it, and goes on only once.
 */
export class ForwardedFrames {
  readonly #fates = new WeakMap<Frame, 'pushed' | 'held' | 'forwarded'>();

  /** `process()` is about to be called with it. */
  received(frame: Frame): void {
    this.#fates.delete(frame);
  }

  held(frame: Frame): void {
    if (this.#fates.get(frame) !== 'forwarded') this.#fates.set(frame, 'held');
  }

  /** It is about to be pushed. @returns False when it has gone on without the processor. */
  pushed(frame: Frame): boolean {
    if (this.#fates.get(frame) === 'forwarded') return false;
    this.#fates.set(frame, 'pushed');
    return true;
  }

  /** `process()` is over. @returns Whether the frame is to go on now. */
  returned(frame: Frame): boolean {
    return !this.#fates.has(frame);
  }

  forwarded(frame: Frame): void {
    this.#fates.set(frame, 'forwarded');
  }
}
