/** A filter by a function. */

import { type Frame, type FrameDirection, isFrameworkFrame } from '../frames/frame.ts';
import { checkBoolean, checkFunction, checkOneOf } from '../lib/options.ts';
import { FrameProcessor, type FrameProcessorOptions } from './frame-processor.ts';

/** Whether a frame may pass. */
export type FramePredicate = (frame: Frame, direction: FrameDirection) => boolean | Promise<boolean>;

/** Options of a function filter. */
export interface FunctionFilterOptions extends FrameProcessorOptions {
  /** The direction that is filtered; frames of the other one pass. Default `'downstream'`. */
  readonly direction?: FrameDirection | 'both';
  /** Whether system frames are filtered as well. Default `false`. */
  readonly filterSystemFrames?: boolean;
}

/**
 * Lets only frames pass for which a function returns true.
 *
 * System frames pass unless `filterSystemFrames` is set. The framework's own frames always pass: lifecycle frames,
 * requests to the task, flush probes, heartbeats, pause and resume. The function is called for every frame, also for
 * those that pass anyway, so that it can count them.
 *
 * @see Pipecat `processors/filters/function_filter.py`, `FunctionFilter`; there only Start, End and Cancel frames
 * pass of those.
 */
export class FunctionFilter extends FrameProcessor {
  readonly #predicate: FramePredicate;
  readonly #direction: FrameDirection | 'both';
  readonly #filterSystemFrames: boolean;

  /** @throws {InvalidOptionError} `predicate` is no function, or an option can never work. */
  constructor(predicate: FramePredicate, options: FunctionFilterOptions = {}) {
    super(options);
    const { direction = 'downstream', filterSystemFrames = false } = options;
    checkFunction('predicate', predicate);
    checkOneOf('direction', direction, ['downstream', 'upstream', 'both']);
    checkBoolean('filterSystemFrames', filterSystemFrames);
    this.#predicate = predicate;
    this.#direction = direction;
    this.#filterSystemFrames = filterSystemFrames;
  }

  protected override process(frame: Frame, direction: FrameDirection): void | Promise<void> {
    if (isFrameworkFrame(frame)) {
      // before the function is called, which may throw or never settle
      this.push(frame, direction);
      return void this.#predicate(frame, direction);
    }
    const agrees = this.#predicate(frame, direction);
    if (typeof agrees !== 'boolean') return this.#awaitAnswer(agrees, frame, direction);
    if (agrees || this.#passesAnyway(frame, direction)) this.push(frame, direction);
  }

  async #awaitAnswer(answer: Promise<boolean>, frame: Frame, direction: FrameDirection): Promise<void> {
    if ((await answer) || this.#passesAnyway(frame, direction)) this.push(frame, direction);
  }

  #passesAnyway(frame: Frame, direction: FrameDirection): boolean {
    if (this.#direction !== 'both' && this.#direction !== direction) return true;
    return frame.kind === 'system' && !this.#filterSystemFrames;
  }
}
