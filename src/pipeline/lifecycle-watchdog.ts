/** Watches a lifecycle frame on its way through a pipeline, and forces it through where it is stuck. */

import type { LifecycleFrame } from '../frames/lifecycle.ts';
import type { Logger } from '../lib/logger.ts';
import { markForced } from '../processors/core/lifecycle-tracker.ts';
import { type FrameProcessor, forceFrame, hasFrame } from '../processors/frame-processor.ts';

/** Stall limit after the first one, in milliseconds. */
const graceMs = 800;
/** A forced frame is forced again at this interval, in milliseconds, so many times: with the grace under a second. */
const stepMs = 20;
const steps = 8;
/** When a processor that keeps the StartFrame is named in the log, in milliseconds. */
const nameAfterMs = 1_000;
/** How long further processors may keep the StartFrame after the first was passed over, in milliseconds. */
const keptGraceMs = 1_000;

/** What is watched, and its limits. */
export interface LifecycleWatchdogOptions {
  /** The frame to watch. */
  readonly frame: LifecycleFrame;
  /** The pipeline that the frame passes. */
  readonly pipeline: FrameProcessor;
  /** Stall limit, in milliseconds; `null` for none. */
  readonly limitMs: number | null;
  /** How long a processor may keep a StartFrame whose `process()` has settled, in milliseconds; `null` for ever. */
  readonly keptLimitMs?: number | null;
  /** The logger. */
  readonly logger: Logger;
  /** Called when no processor holds the frame and it has not come out, or when it cannot be forced. */
  readonly onLost: (frame: LifecycleFrame) => void;
}

/**
 * Gets a lifecycle frame through a pipeline within its limit and a second, however many processors hang and however
 * many frames wait ahead of it.
 *
 * For an End or Stop frame the limit is one of lack of progress. At the limit all pending calls of `process()` in the
 * frame's way are abandoned, and the frames behind those calls are processed. After another 800 ms without progress the
 * frame is forced: all frames ahead of it are dropped, and no processor is waited for. The limit of a Cancel frame is
 * for its whole way; then it is forced. A StartFrame is never forced so: each processor that holds it is passed over
 * after the limit, or after 800 ms once one was; the start has a limit of its own.
 */
export class LifecycleWatchdog {
  /** The frame that is watched. */
  readonly frame: LifecycleFrame;
  readonly #options: LifecycleWatchdogOptions;
  #limitMs: number;
  #progressAtMs: number = performance.now();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #hasAbandoned = false;
  #stepsLeft = steps;
  #isForced = false;
  readonly #keptTimers: ReturnType<typeof setTimeout>[] = [];
  /** When the first processor that kept the StartFrame was passed over. */
  #passedOverAtMs: number | undefined;

  constructor(options: LifecycleWatchdogOptions) {
    this.#options = options;
    this.frame = options.frame;
    this.#limitMs = options.limitMs ?? Number.POSITIVE_INFINITY;
    if (options.limitMs !== null) this.#wait(options.limitMs);
  }

  /** The frame, or one ahead of it, has advanced. */
  progress(): void {
    this.#progressAtMs = performance.now();
  }

  /** Ends the watch. */
  stop(): void {
    clearTimeout(this.#timer);
    for (const timer of this.#keptTimers) clearTimeout(timer);
  }

  /** Drops what is ahead of the frame, and waits for no processor any more. */
  force(): void {
    clearTimeout(this.#timer);
    this.#isForced = true;
    markForced(this.frame);
    this.#step(stepMs);
  }

  /**
   * A `process()` has settled without pushing the StartFrame, mostly because the push was forgotten: the processor is
   * named in the log, and passed over at the limit, unless it pushes the frame until then.
   */
  startFrameKept(processor: FrameProcessor): void {
    const { logger, keptLimitMs } = this.#options;
    this.#ifKept(processor, nameAfterMs, () =>
      logger.warn(
        { processor: processor.name },
        'process() has returned without pushing the StartFrame, which everything waits for',
      ),
    );
    if (keptLimitMs === null || keptLimitMs === undefined) return;
    const passOver = (): void => {
      this.#passedOverAtMs ??= performance.now();
      forceFrame(processor, this.frame);
    };
    const graceEndMs = (this.#passedOverAtMs ?? Number.POSITIVE_INFINITY) + keptGraceMs;
    const leftMs = Math.min(keptLimitMs, Math.max(0, graceEndMs - performance.now()));
    if (leftMs === 0) passOver();
    else this.#ifKept(processor, leftMs, passOver);
  }

  #ifKept(processor: FrameProcessor, ms: number, action: () => void): void {
    this.#keptTimers.push(
      setTimeout(() => {
        if (hasFrame(processor, this.frame)) action();
      }, ms),
    );
  }

  #wait(ms: number): void {
    this.#timer = setTimeout(() => {
      const stillMs = performance.now() - this.#progressAtMs;
      if (this.#isForced) this.#step(stepMs);
      else if (this.frame.frameRole === 'cancel') this.force();
      else if (stillMs < this.#limitMs - 1) this.#wait(this.#limitMs - stillMs);
      else if (this.#hasAbandoned && this.frame.frameRole !== 'start') this.force();
      else this.#abandonCalls();
    }, ms);
  }

  #abandonCalls(): void {
    this.#hasAbandoned = true;
    this.#limitMs = Math.min(this.#limitMs, graceMs);
    this.#step(this.#limitMs);
  }

  #step(waitMs: number): void {
    const { processors } = this.#options.pipeline;
    const isHeld = processorsHolding(this.frame, processors).length > 0;
    if (this.#isForced) this.#stepsLeft -= 1;
    if (!isHeld || this.#stepsLeft < 0) {
      this.#options.onLost(this.frame);
      return;
    }
    this.progress();
    this.#wait(waitMs);
    for (const processor of [...exceptOuter(this.frame, processors)]) forceFrame(processor, this.frame);
  }
}

/** The innermost processors that have a frame. */
export function processorsHolding(
  frame: LifecycleFrame,
  processors: readonly FrameProcessor[],
): FrameProcessor[] {
  return processors.flatMap((processor) => {
    const inside = processorsHolding(frame, processor.processors);
    return inside.length > 0 || !hasFrame(processor, frame) ? inside : [processor];
  });
}

/** All processors except those that have a frame only because an inner one has it. */
function* exceptOuter(
  frame: LifecycleFrame,
  processors: readonly FrameProcessor[],
): Generator<FrameProcessor> {
  for (const processor of processors) {
    yield* exceptOuter(frame, processor.processors);
    if (processorsHolding(frame, processor.processors).length === 0) yield processor;
  }
}
