/** What `setup()` gets: the run, as a processor sees it. */

import type { Observable } from 'rxjs';
import type { LifecycleFrame, TerminalFrame } from '../frames/lifecycle.ts';
import type { Logger } from '../lib/logger.ts';
import type { PipelineHooks } from './core/processor-types.ts';

/** A lifecycle frame has entered the pipeline, or has come out of it. */
export interface LifecycleEvent {
  /** Whether the frame has entered the pipeline or come out of it. */
  readonly phase: 'entered' | 'completed';
  /** The lifecycle frame. */
  readonly frame: LifecycleFrame;
}

/** How a run ended. */
export interface PipelineResult {
  /** How the run ended. */
  readonly reason: 'ended' | 'stopped' | 'cancelled' | 'failed';
  /** The frame it ended with; `undefined` when it failed. */
  readonly frame?: TerminalFrame | undefined;
  /** Why it failed. */
  readonly error?: unknown;
  /** Whether the framework pushed a lifecycle frame on in a processor's place, or gave up waiting. */
  readonly forced: boolean;
  /** From `run()` to the end, in milliseconds. */
  readonly durationMs: number;
}

/** What an exit hook may return. */
export interface ExitReport {
  /** For the process, 0 to 255; the highest of all hooks counts. */
  readonly exitCode: number;
}

/** Runs once at the end of a run, whatever its result. The signal aborts at the hook's limit. */
export type ExitHook = (context: {
  readonly result: PipelineResult;
  readonly signal: AbortSignal;
}) => void | Promise<void | ExitReport>;

/** Limits an exit hook. */
export interface ExitHookOptions {
  /**
   * The hook's limit, in milliseconds. The limit of all hooks of a run together is the longest of theirs: each waits for
   * the one before it, but for at most half of what is left. Default 10 000.
   */
  readonly timeoutMs?: number;
}

/** Given to every processor's `setup()`. */
export interface FrameProcessorSetup {
  /** The run's lifecycle frames: replays the latest; completes with the run, never errors. */
  readonly lifecycle$: Observable<LifecycleEvent>;
  /** Registers a hook that runs once at the end of the run, in reverse order of registration. */
  readonly onExit: (name: string, hook: ExitHook, options?: ExitHookOptions) => void;
  /** Ends the run as failed, with this error: something is missing without which the run is pointless. */
  readonly fail: (error: unknown) => void;
  /** The logger. */
  readonly logger: Logger;
  /** In hertz. */
  readonly audioInSampleRate: number;
  /** In hertz. */
  readonly audioOutSampleRate: number;
  /** Aborts when the run is cancelled, and when it is over. */
  readonly signal: AbortSignal;
  /** To be called whenever audio was played: an EndFrame that waits for it is not stuck. */
  readonly reportProgress: () => void;
  /** Limit of each processor's `cleanup()`, in milliseconds; `null` for none. */
  readonly cleanupTimeoutMs: number | null;
  /**
   * What one processor of the run does instead of others: `'user turns'` is claimed, in `setup()`, by the one that decides
   * when a user's turn starts and stops.
   */
  readonly claims: Set<string>;
  /** Internal: what processors report to the run. */
  readonly hooks: PipelineHooks;
}
