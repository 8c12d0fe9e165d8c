import type { Frame, FrameDirection } from '../frames/frame.ts';
import type { FrameProcessor } from '../processors/frame-processor.ts';

/** A frame went from one processor towards the next. */
export interface FramePushed {
  readonly source: FrameProcessor;
  /** `undefined` where there is no next one: the frame is gone. */
  readonly destination: FrameProcessor | undefined;
  readonly frame: Frame;
  readonly direction: FrameDirection;
  /** Milliseconds, of `performance.now()`; exact to about 2 ms. */
  readonly timestampMs: number;
}

/** A processor is about to process a frame. */
export interface FrameProcessed {
  readonly processor: FrameProcessor;
  readonly frame: Frame;
  readonly direction: FrameDirection;
  readonly timestampMs: number;
}

/** A processor's `setup()` is over. */
export interface ProcessorSetUp {
  readonly processor: FrameProcessor;
  readonly startedMs: number;
  readonly finishedMs: number;
}

/**
 * Watches a pipeline from outside. All methods are optional, and each that is absent costs nothing.
 *
 * They are called a little later than what they tell, in order and one at a time: an observer can neither slow
 * nor break a pipeline. What is still to be told at the end is told before `cleanup()`, as long as it gets on. One
 * that falls 100 000 records behind because a method of it does not settle, or 4 000 000 because it is slow, is told
 * nothing any more, with a warning, but cleaned up at the end. The same frame is seen at every hop; tell it by its
 * `id`.
 *
 * @see Pipecat `observers/base_observer.py`, `BaseObserver`
 */
export interface Observer {
  onPushFrame?(event: FramePushed): void | Promise<void>;
  onProcessFrame?(event: FrameProcessed): void | Promise<void>;
  onProcessorSetup?(event: ProcessorSetUp): void | Promise<void>;
  /** The StartFrame has come out of the pipeline. */
  onPipelineStarted?(): void | Promise<void>;
  cleanup?(): void | Promise<void>;
}
