/** A processor that records frames. */

import type { Frame, FrameDirection } from '../frames/frame.ts';
import type { FrameClass } from '../frames/of-frame.ts';
import { FrameProcessor, type FrameProcessorOptions } from '../processors/frame-processor.ts';

/** Options of a {@link FrameRecorder}. */
export interface FrameRecorderOptions extends FrameProcessorOptions {
  /** The direction that is recorded. Default `'both'`. */
  readonly direction?: FrameDirection | 'both';
}

/**
 * Records frames and passes them on synchronously inside `queueFrame()`, without a queue, so that their order is
 * unchanged.
 *
 * @example
 * const recorder = new FrameRecorder();
 * await new PipelineTask(new Pipeline([bot, recorder])).run();
 * recorder.framesOf(TextFrame);
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

  /** The recorded frames, in order. */
  get frames(): readonly Frame[] {
    return this.#frames;
  }

  /** The recorded frames of a class. */
  framesOf<F extends Frame>(frameClass: FrameClass<F>): F[] {
    return this.#frames.filter((frame): frame is F => frame instanceof frameClass);
  }

  /** Discards the recorded frames. */
  clear(): void {
    this.#frames.length = 0;
  }

  override queueFrame(frame: Frame, direction: FrameDirection = 'downstream'): void {
    if (this.#direction === 'both' || this.#direction === direction) this.#frames.push(frame);
    this.push(frame, direction);
  }

  protected override process(): void {
    // queueFrame() does not queue
  }
}
