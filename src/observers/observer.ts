/** The interface of observers, and the events that they get. */

import type { Frame, FrameDirection } from '../frames/frame.ts';
import type { FrameProcessor } from '../processors/frame-processor.ts';

/** A processor has pushed a frame. */
export interface FramePushed {
  /** The processor that pushed the frame. */
  readonly source: FrameProcessor;
  /** The neighbour that gets the frame; `undefined` at the end of the pipeline. */
  readonly destination: FrameProcessor | undefined;
  /** The frame. */
  readonly frame: Frame;
  /** The direction of the frame. */
  readonly direction: FrameDirection;
  /** Milliseconds of `performance.now()`, exact to about 2 ms. */
  readonly timestampMs: number;
}

/** A processor is about to process a frame. */
export interface FrameProcessed {
  /** The processor that processes the frame. */
  readonly processor: FrameProcessor;
  /** The frame. */
  readonly frame: Frame;
  /** The direction of the frame. */
  readonly direction: FrameDirection;
  /** Milliseconds of `performance.now()`, exact to about 2 ms. */
  readonly timestampMs: number;
}

/** A processor's `setup()` is done. */
export interface ProcessorSetUp {
  /** The processor that was set up. */
  readonly processor: FrameProcessor;
  /** Milliseconds of `performance.now()`. */
  readonly startedMs: number;
  /** Milliseconds of `performance.now()`. */
  readonly finishedMs: number;
}

/**
 * Observes a pipeline. All methods are optional, and an absent one costs nothing.
 *
 * Methods are called asynchronously, in order and one at a time: an observer can neither slow nor break a pipeline. At
 * the end of a run the backlog is delivered before `cleanup()`, as long as it shrinks. An observer gets no more events,
 * with a warning, when it is 100 000 events behind because one of its methods does not settle, or 4 000 000 because it
 * is slow; its `cleanup()` is called all the same. The same frame is seen at every hop: compare its `id`.
 *
 * @see Pipecat `observers/base_observer.py`, `BaseObserver`
 */
export interface Observer {
  /** A processor has pushed a frame to its neighbour. */
  onPushFrame?(event: FramePushed): void | Promise<void>;
  /** A processor begins to process a frame. */
  onProcessFrame?(event: FrameProcessed): void | Promise<void>;
  /** A processor was set up. */
  onProcessorSetup?(event: ProcessorSetUp): void | Promise<void>;
  /** The StartFrame has come out of the pipeline. */
  onPipelineStarted?(): void | Promise<void>;
  /** Called once, at the end of the run. */
  cleanup?(): void | Promise<void>;
}
