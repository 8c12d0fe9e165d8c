import type { Frame, FrameDirection } from '../frames/frame.ts';
import { isLifecycleFrame } from '../frames/lifecycle.ts';
import type { FrameClass } from '../frames/of-frame.ts';
import { FrameProcessor, type FrameProcessorOptions } from './frame-processor.ts';

/**
 * Lets only frames of certain classes pass, in both directions.
 *
 * Frames in: everything.
 * Frames out: the listed classes with their subclasses, system frames, and Start, End, Stop and Cancel frames.
 * What is not listed is gone, also the End and Stop *task* frames and heartbeats.
 *
 * @see Pipecat `processors/filters/frame_filter.py`, `FrameFilter`; differs in that a StopFrame passes.
 */
export class FrameFilter extends FrameProcessor {
  readonly #classes: readonly FrameClass[];

  /** @param classes What passes; an empty list lets only system and lifecycle frames through. */
  constructor(classes: readonly FrameClass[], options?: FrameProcessorOptions) {
    super(options);
    this.#classes = [...classes];
  }

  protected override process(frame: Frame, direction: FrameDirection): void {
    if (this.#passes(frame)) this.push(frame, direction);
  }

  #passes(frame: Frame): boolean {
    return (
      frame.kind === 'system' ||
      isLifecycleFrame(frame) ||
      this.#classes.some((frameClass) => frame instanceof frameClass)
    );
  }
}
