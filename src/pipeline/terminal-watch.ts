import type { LifecycleFrame } from '../frames/lifecycle.ts';
import { type FrameProcessor, forceFrame, hasFrame } from '../processors/frame-processor.ts';
import { markForced } from '../processors/lifecycle-custody.ts';

/** Stall limit after the first one, in milliseconds. */
const graceMs = 800;
/** A forced frame is forced again at this interval, in milliseconds, and so many times: with the grace under a second. */
const stepMs = 20;
const steps = 8;

/**
 * Gets a lifecycle frame through a pipeline within its limit and a second, however many processors hang and however
 * many frames wait in front of them.
 *
 * For an End or Stop frame the limit is one of standing still: progress restarts it. At the limit all calls of
 * `process()` in the frame's way are abandoned, and the frames behind those calls are processed. After another 800 ms
 * without progress the frame is forced: all frames in front of it are dropped, and no processor is waited for. The
 * limit of a Cancel frame is for its whole way; then it is forced. A StartFrame is never forced so: each processor that
 * holds it is passed over after the limit, or after 800 ms once one was; the start has a limit of its own.
 */
export class TerminalWatch {
  readonly frame: LifecycleFrame;
  readonly #pipeline: FrameProcessor;
  readonly #lost: (frame: LifecycleFrame) => void;
  #limitMs: number;
  #lastProgress: number = performance.now();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #hasGivenUp = false;
  #stepsLeft = steps;
  #isForced = false;

  /**
   * @param limitMs How long nothing may move; `null` for ever.
   * @param lost Called when no processor holds the frame and it has not come out, or when it cannot be forced.
   */
  constructor(
    frame: LifecycleFrame,
    pipeline: FrameProcessor,
    limitMs: number | null,
    lost: (frame: LifecycleFrame) => void,
  ) {
    this.frame = frame;
    this.#pipeline = pipeline;
    this.#limitMs = limitMs ?? Number.POSITIVE_INFINITY;
    this.#lost = lost;
    if (limitMs !== null) this.#wait(limitMs);
  }

  progress(): void {
    this.#lastProgress = performance.now();
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  /** Drops what is in front of the frame, and waits for no processor any more. */
  force(): void {
    this.stop();
    this.#isForced = true;
    markForced(this.frame);
    this.#step(stepMs);
  }

  #wait(ms: number): void {
    this.#timer = setTimeout(() => {
      const stillMs = performance.now() - this.#lastProgress;
      if (this.#isForced) this.#step(stepMs);
      else if (this.frame.frameRole === 'cancel') this.force();
      else if (stillMs < this.#limitMs - 1) this.#wait(this.#limitMs - stillMs);
      else if (this.#hasGivenUp && this.frame.frameRole !== 'start') this.force();
      else this.#giveUp();
    }, ms);
  }

  #giveUp(): void {
    this.#hasGivenUp = true;
    this.#limitMs = Math.min(this.#limitMs, graceMs);
    this.#step(this.#limitMs);
  }

  #step(waitMs: number): void {
    const isHeld = holdersOf(this.frame, this.#pipeline.processors).length > 0;
    if (this.#isForced) this.#stepsLeft -= 1;
    if (!isHeld || this.#stepsLeft < 0) {
      this.#lost(this.frame);
      return;
    }
    this.#lastProgress = performance.now();
    this.#wait(waitMs);
    for (const processor of [...withoutHolding(this.frame, this.#pipeline.processors)])
      forceFrame(processor, this.frame);
  }
}

/** The innermost processors that have a frame. */
export function holdersOf(frame: LifecycleFrame, processors: readonly FrameProcessor[]): FrameProcessor[] {
  return processors.flatMap((processor) => {
    const inside = holdersOf(frame, processor.processors);
    return inside.length > 0 || !hasFrame(processor, frame) ? inside : [processor];
  });
}

/** All processors but those that only have a frame because one inside of them has it. */
function* withoutHolding(
  frame: LifecycleFrame,
  processors: readonly FrameProcessor[],
): Generator<FrameProcessor> {
  for (const processor of processors) {
    yield* withoutHolding(frame, processor.processors);
    if (holdersOf(frame, processor.processors).length === 0) yield processor;
  }
}
