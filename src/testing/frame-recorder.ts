import type { Frame, FrameDirection } from '../frames/frame.ts';
import type { FrameClass } from '../frames/of-frame.ts';
import { FrameProcessor, type FrameProcessorOptions } from '../processors/frame-processor.ts';

export interface FrameRecorderOptions extends FrameProcessorOptions {
  /** Frames of which direction are recorded. Default `'both'`. */
  readonly direction?: FrameDirection | 'both';
}

/**
 * Records the frames that are handed to it, in the breath in which they are, and passes them on in the same one.
 *
 * It has no queue of its own, so it changes no order: what is recorded is what its neighbour pushed, when it did.
 *
 * @see Pipecat `tests/utils.py`, `QueuedFrameProcessor`
 */
export class FrameRecorder extends FrameProcessor {
  readonly #direction: FrameDirection | 'both';
  readonly #frames: Frame[] = [];

  constructor(options: FrameRecorderOptions = {}) {
    super(options);
    this.#direction = options.direction ?? 'both';
  }

  /** What was recorded so far, in order. */
  get frames(): readonly Frame[] {
    return this.#frames;
  }

  /** Those of them that are of a class. */
  framesOf<F extends Frame>(frameClass: FrameClass<F>): F[] {
    return this.#frames.filter((frame): frame is F => frame instanceof frameClass);
  }

  /** Forgets what was recorded. */
  clear(): void {
    this.#frames.length = 0;
  }

  override queueFrame(frame: Frame, direction: FrameDirection = 'downstream'): void {
    if (this.#direction === 'both' || this.#direction === direction) this.#frames.push(frame);
    this.push(frame, direction);
  }

  protected override process(): void {
    // nothing is ever queued here
  }
}
