/** The framework's own frames besides lifecycle frames: each goes on, also when `process()` does not push it. */

import { type Frame, isFrameworkFrame } from '../../frames/frame.ts';
import { isLifecycleFrame } from '../../frames/lifecycle.ts';

/** Whether a frame goes on also when `process()` does not push it. Lifecycle frames have a tracker of their own. */
export function isForwarded(frame: Frame): boolean {
  return frame.kind !== 'data' && isFrameworkFrame(frame) && !isLifecycleFrame(frame);
}

/**
 * What a processor has done with requests to the task, flush probes, heartbeats, pause and resume frames. One that it
 * has neither pushed nor holds is forwarded without it; none goes on twice.
 */
export class ForwardedFrames {
  readonly #states = new WeakMap<Frame, 'pushed' | 'held' | 'forwarded'>();

  /** `process()` is about to be called with the frame. */
  received(frame: Frame): void {
    this.#states.delete(frame);
  }

  held(frame: Frame): void {
    if (this.#states.get(frame) !== 'forwarded') this.#states.set(frame, 'held');
  }

  /** The frame is about to be pushed. @returns False when it was forwarded before. */
  pushed(frame: Frame): boolean {
    if (this.#states.get(frame) === 'forwarded') return false;
    this.#states.set(frame, 'pushed');
    return true;
  }

  /** `process()` has settled. @returns Whether the frame is to be forwarded. */
  returned(frame: Frame): boolean {
    return !this.#states.has(frame);
  }

  forwarded(frame: Frame): void {
    this.#states.set(frame, 'forwarded');
  }
}
