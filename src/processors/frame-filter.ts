/** A filter by frame class. */

import { type Frame, type FrameDirection, isFrameworkFrame } from '../frames/frame.ts';
import { checkFrameClasses, type FrameClass, isOneOf } from '../frames/of-frame.ts';
import { FrameProcessor, type FrameProcessorOptions } from './frame-processor.ts';

/**
 * Lets only frames of certain classes pass, in both directions.
 *
 * Frames in: everything.
 * Frames out: the listed classes with their subclasses, system frames, and the framework's own frames: lifecycle
 * frames, requests to the task, flush probes, heartbeats, pause and resume. Everything else is dropped.
 *
 * @see Pipecat `processors/filters/frame_filter.py`, `FrameFilter`; there only the EndFrame passes of those.
 */
export class FrameFilter extends FrameProcessor {
  readonly #classes: readonly FrameClass[];

  /**
   * @param classes What passes; an empty list lets only system frames and the framework's own through.
   * @throws {InvalidOptionError} `classes` is no list of frame classes.
   */
  constructor(classes: readonly FrameClass[], options?: FrameProcessorOptions) {
    super(options);
    checkFrameClasses('classes', classes);
    this.#classes = [...classes];
  }

  protected override process(frame: Frame, direction: FrameDirection): void {
    if (this.#passes(frame)) this.push(frame, direction);
  }

  #passes(frame: Frame): boolean {
    return frame.kind === 'system' || isFrameworkFrame(frame) || isOneOf(frame, this.#classes);
  }
}
