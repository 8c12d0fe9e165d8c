import type { LifecycleFrame } from '../frames/lifecycle.ts';
import { type FrameProcessor, forceFrame, hasFrame } from '../processors/frame-processor.ts';
import { markForced } from '../processors/lifecycle-custody.ts';

/** How long nothing may move, in all, once a processor was given up; in milliseconds. */
const graceMs = 800;
/** How often it is looked for a frame past its limit, and how many times: together with the grace less than a second. */
const stepMs = 20;
const steps = 8;

/**
 * Sees to it that a lifecycle frame comes out of a pipeline within its limit and a second, however many processors
 * hang and whatever waits in front of them.
 *
 * An End or Stop frame is given its limit anew whenever something moves. At the limit every call of `process()` that
 * the frame would have to wait for is given up. What waits behind those calls is processed as long as it moves; when
 * nothing has moved for another 800 ms the frame is forced: everything in front of it is dropped, and no processor is
 * waited for any more. A Cancel frame has one limit for all of its way, and is forced then. A StartFrame is given 800
 * ms by each further processor; the limit of the start is not the watch's business.
 */
export class TerminalWatch {
  readonly frame: LifecycleFrame;
  readonly #pipeline: FrameProcessor;
  readonly #lost: (frame: LifecycleFrame) => void;
  #limitMs: number;
  #lastProgress: number = performance.now();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #hasGivenUp = false;
  /** How often it may still be looked for the frame that is forced. */
  #stepsLeft = steps;
  #isForced = false;

  /**
   * @param limitMs How long nothing may move; `null` for ever.
   * @param lost Called when nobody has the frame any more, and it has not come out.
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

  /** The time is up: nothing and nobody is waited for any more. */
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
