/** What a processor is given before its first frame. */

import type { Observable } from 'rxjs';
import type { ErrorFrame } from '../frames/error-frame.ts';
import type { Frame, FrameDirection } from '../frames/frame.ts';
import type { LifecycleFrame, TerminalFrame } from '../frames/lifecycle.ts';
import type { Logger } from '../lib/logger.ts';
import type { FrameProcessor } from './frame-processor.ts';

/** A lifecycle frame was sent into the pipeline, or has come out of it. */
export interface LifecycleEvent {
  readonly phase: 'entered' | 'completed';
  readonly frame: LifecycleFrame;
}

/** How a run ended. */
export interface PipelineResult {
  readonly reason: 'ended' | 'stopped' | 'cancelled' | 'failed';
  /** The frame it ended with; none when it failed. */
  readonly frame?: TerminalFrame | undefined;
  /** Why it failed. */
  readonly error?: unknown;
  /** Whether the framework had to pass a frame on, or to give up waiting, for somebody. */
  readonly forced: boolean;
  readonly durationMs: number;
}

/** What an exit hook may report: the exit code that the process deserves. */
export interface ExitReport {
  readonly exitCode: number;
}

/** Runs once at the end of a run, whatever its end. The signal aborts when its time is up. */
export type ExitHook = (context: {
  readonly result: PipelineResult;
  readonly signal: AbortSignal;
}) => void | Promise<void | ExitReport>;

export interface ExitHookOptions {
  /**
   * How long the hook may take, in milliseconds. All hooks of a run together have the longest of their limits: each
   * waits for the one before it, but for at most half of what is left of that. Default 10 000.
   */
  readonly timeoutMs?: number;
}

/** Told of every frame, in the frame's own time: it should be quick. */
export interface FrameWatcher {
  note(processor: FrameProcessor, frame: Frame, direction: FrameDirection): void;
}

/** What a task wants to know of its processors; they tell it in the same breath. */
export interface RunMonitor {
  /** Told of what is pushed, before it is handed over. */
  readonly pushed: FrameWatcher | undefined;
  /** Told of what is about to be processed. */
  readonly processed: FrameWatcher | undefined;
  processorSetUp(processor: FrameProcessor, startedMs: number, finishedMs: number): void;
  /** A frame with an {@link Frame.frameActivity} is pushed. */
  activity(frame: Frame): void;
  /** A terminal frame was handed over to somebody. */
  terminalFrameMoved(frame: TerminalFrame): void;
  /** The processor's `process()` is over and has not pushed the StartFrame. */
  startFrameKept(processor: FrameProcessor): void;
  /** Something that an EndFrame waits for went on. */
  progress(): void;
  /** The framework passed a lifecycle frame on for a processor; the error says for which. */
  forced(error: ErrorFrame): void;
  /** The processor will be of no use any more. */
  unusable(processor: FrameProcessor): void;
}

/** Given to every processor's `setup()`. */
export interface FrameProcessorSetup {
  /** The run's lifecycle frames: a late subscriber gets the latest; completes with the run, never errors. */
  readonly lifecycle$: Observable<LifecycleEvent>;
  /** Registers a hook that runs once at the end of the run, in reverse order, whatever its end. */
  readonly onExit: (name: string, hook: ExitHook, options?: ExitHookOptions) => void;
  /** Ends the run as failed, with this error; for when something is missing without which it is pointless. */
  readonly fail: (error: unknown) => void;
  readonly logger: Logger;
  /** In hertz. */
  readonly audioInSampleRate: number;
  /** In hertz. */
  readonly audioOutSampleRate: number;
  /** Aborts when the run is cancelled, and when it is over. */
  readonly signal: AbortSignal;
  /** To be called whenever audio was played: an EndFrame that waits for it is not stuck. */
  readonly reportProgress: () => void;
  /** How long `cleanup()` of each processor may take, in milliseconds; `null` for as long as it likes. */
  readonly cleanupTimeoutMs: number | null;
  readonly monitor: RunMonitor;
}

const nothing = (): void => {};

/** For processors that are not in a run. */
export const noMonitor: RunMonitor = {
  pushed: undefined,
  processed: undefined,
  processorSetUp: nothing,
  activity: nothing,
  terminalFrameMoved: nothing,
  startFrameKept: nothing,
  progress: nothing,
  forced: nothing,
  unusable: nothing,
};
