/** What the engine uses of a processor, and the hooks through which a processor reports to its run. */

import type { ErrorFrame, Named } from '../../frames/error-frame.ts';
import type { Frame, FrameDirection } from '../../frames/frame.ts';
import type { TerminalFrame } from '../../frames/lifecycle.ts';
import type { Logger } from '../../lib/logger.ts';

/** A `FrameProcessor`, as far as the engine uses it. */
export interface Processor extends Named {
  /** The processors that it is composed of; empty for most. */
  readonly processors: readonly Processor[];
  /** Queues a frame for processing. */
  queueFrame(frame: Frame, direction: FrameDirection): void;
  /** Pushes a frame to a neighbour. Default direction: downstream. */
  push(frame: Frame, direction?: FrameDirection): void;
}

/** The events of a processor that carry a frame. */
export type FrameEvent = 'beforeProcessFrame' | 'afterProcessFrame' | 'beforePushFrame' | 'afterPushFrame';

/** The protected and private members of a processor that only the engine uses; one object for all processors. */
export interface ProcessorAccess {
  /** Processes a frame. */
  process(processor: Processor, frame: Frame, direction: FrameDirection): void | Promise<void>;
  /** Emits an event of the processor. */
  emit(processor: Processor, event: FrameEvent, frame: Frame, direction: FrameDirection): void;
  /** The logger of a processor. */
  logger(processor: Processor): Logger;
  /** Emits `error`, logs, and pushes the frame upstream. */
  pushErrorFrame(processor: Processor, frame: ErrorFrame): void;
}

/** Called synchronously for every frame: an implementation must be fast. */
export interface FrameListener {
  /** Called for each frame, with its processor and direction; must not throw. */
  onFrame(processor: Processor, frame: Frame, direction: FrameDirection): void;
}

/** What processors report to their run; all of it is called synchronously. */
export interface PipelineHooks {
  /** Gets each frame that is pushed, before it is queued at the neighbour. */
  readonly pushed: FrameListener | undefined;
  /** Gets each frame before `process()` is called with it. */
  readonly processed: FrameListener | undefined;
  /** `setup()` of a processor is done; both times are of `performance.now()`. */
  onProcessorSetUp(processor: Processor, startedMs: number, finishedMs: number): void;
  /** A frame with a {@link Frame.frameActivity} was pushed. */
  onActivity(frame: Frame): void;
  /** A terminal frame was queued at a processor. */
  onTerminalFrame(frame: TerminalFrame): void;
  /** `process()` has settled without pushing the StartFrame. */
  onStartFrameKept(processor: Processor): void;
  /** Something that an EndFrame waits for has advanced. */
  onProgress(): void;
  /** The engine pushed a lifecycle frame on in a processor's place; the error names the processor. */
  onForced(error: ErrorFrame): void;
  /** The processor reported an error that is permanent. */
  onUnusable(processor: Processor): void;
}

const ignore = (): void => {};

/** The hooks of a processor that is in no run. */
export const noHooks: PipelineHooks = {
  pushed: undefined,
  processed: undefined,
  onProcessorSetUp: ignore,
  onActivity: ignore,
  onTerminalFrame: ignore,
  onStartFrameKept: ignore,
  onProgress: ignore,
  onForced: ignore,
  onUnusable: ignore,
};
