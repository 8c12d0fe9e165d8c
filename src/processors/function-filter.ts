import type { Frame, FrameDirection } from '../frames/frame.ts';
import { isLifecycleFrame } from '../frames/lifecycle.ts';
import { FrameProcessor, type FrameProcessorOptions } from './frame-processor.ts';

/** Whether a frame may pass. */
export type FramePredicate = (frame: Frame, direction: FrameDirection) => boolean | Promise<boolean>;

export interface FunctionFilterOptions extends FrameProcessorOptions {
  /** Which direction is filtered; frames of the other one pass. Default `'downstream'`. */
  readonly direction?: FrameDirection | 'both';
  /** Whether system frames are filtered as well. Default `false`. */
  readonly filterSystemFrames?: boolean;
}

/**
 * Lets only frames pass that a function agrees to.
 *
 * Start, End, Stop and Cancel frames always pass, and so do system frames unless asked otherwise. The function
 * is asked about every frame, also about those that pass anyway: it may as well count them.
 *
 * @see Pipecat `processors/filters/function_filter.py`, `FunctionFilter`; differs in that a StopFrame passes.
 */
export class FunctionFilter extends FrameProcessor {
  readonly #predicate: FramePredicate;
  readonly #direction: FrameDirection | 'both';
  readonly #filterSystemFrames: boolean;

  constructor(predicate: FramePredicate, options: FunctionFilterOptions = {}) {
    super(options);
    this.#predicate = predicate;
    this.#direction = options.direction ?? 'downstream';
    this.#filterSystemFrames = options.filterSystemFrames ?? false;
  }

  protected override process(frame: Frame, direction: FrameDirection): void | Promise<void> {
    const agrees = this.#predicate(frame, direction);
    if (typeof agrees !== 'boolean') return this.#awaitAnswer(agrees, frame, direction);
    if (agrees || this.#passesAnyway(frame, direction)) this.push(frame, direction);
  }

  async #awaitAnswer(answer: Promise<boolean>, frame: Frame, direction: FrameDirection): Promise<void> {
    if ((await answer) || this.#passesAnyway(frame, direction)) this.push(frame, direction);
  }

  #passesAnyway(frame: Frame, direction: FrameDirection): boolean {
    if (this.#direction !== 'both' && this.#direction !== direction) return true;
    return isLifecycleFrame(frame) || (frame.kind === 'system' && !this.#filterSystemFrames);
  }
}
