import type { LifecycleFrame } from '../frames/lifecycle.ts';
import { type FrameProcessor, forceFrame, hasFrame } from '../processors/frame-processor.ts';
import { hurryFrame } from '../processors/lifecycle-custody.ts';

/** How long the next ones may stand still, at most, once somebody had to be forced; in milliseconds. */
const patienceAfterForceMs = 1_000;

/**
 * Sees to it that a lifecycle frame comes out of a pipeline: whoever stands still with it is forced.
 *
 * An End or Stop frame is given its limit anew whenever something moves; a Cancel frame has one limit for all of
 * its way.
 */
export class TerminalWatch {
  readonly frame: LifecycleFrame;
  readonly #pipeline: FrameProcessor;
  readonly #lost: (frame: LifecycleFrame) => void;
  #limitMs: number;
  #lastProgress: number = performance.now();
  #timer: ReturnType<typeof setTimeout> | undefined;

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

  /** Forces whoever has the frame, and from now on everybody at once. */
  force(): void {
    this.stop();
    hurryFrame(this.frame);
    this.#step();
  }

  #wait(ms: number): void {
    this.#timer = setTimeout(() => {
      const stillMs = performance.now() - this.#lastProgress;
      if (this.frame.frameRole !== 'cancel' && stillMs < this.#limitMs - 1)
        this.#wait(this.#limitMs - stillMs);
      else if (this.frame.frameRole === 'cancel') this.force();
      else this.#step();
    }, ms);
  }

  #step(): void {
    this.#limitMs = Math.min(this.#limitMs, patienceAfterForceMs);
    const isCancel = this.frame.frameRole === 'cancel';
    const holders = holdersOf(this.frame, this.#pipeline.processors);
    if (holders.length === 0) {
      this.#lost(this.frame);
      return;
    }
    this.#lastProgress = performance.now();
    this.#wait(isCancel ? Math.min(this.#limitMs, 50) : this.#limitMs);
    for (const holder of holders) forceFrame(holder, this.frame);
  }
}

/** The innermost processors that have a frame. */
export function holdersOf(frame: LifecycleFrame, processors: readonly FrameProcessor[]): FrameProcessor[] {
  return processors.flatMap((processor) => {
    const inside = holdersOf(frame, processor.processors);
    return inside.length > 0 || !hasFrame(processor, frame) ? inside : [processor];
  });
}
