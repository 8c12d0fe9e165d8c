/** Buffers frames until a gate opens. */

import { type Frame, type FrameDirection, isFrameworkFrame, roleOf } from '../frames/frame.ts';
import { checkBoolean, checkFunction, checkOneOf } from '../lib/options.ts';
import { FrameProcessor, type FrameProcessorOptions } from './frame-processor.ts';

/** Whether a frame opens or closes a gate. */
export type GatePredicate = (frame: Frame, direction: FrameDirection) => boolean;

/** Options of a gated aggregator. */
export interface GatedAggregatorOptions extends FrameProcessorOptions {
  /** Called while the gate is closed: whether this frame opens it. */
  readonly open: GatePredicate;
  /** Called while the gate is open: whether this frame closes it. */
  readonly close: GatePredicate;
  /** Whether the gate is open at the start. Default `false`. */
  readonly startOpen?: boolean;
  /** The direction with the gate; frames of the other one pass. Default `'downstream'`. */
  readonly direction?: FrameDirection;
}

/**
 * Buffers frames while its gate is closed.
 *
 * The frame that opens the gate goes out first, then the buffered ones, in order. The frame that closes it is
 * buffered. System frames pass and leave the gate as it is. An interruption, of either direction, drops the buffered
 * frames, except uninterruptible ones.
 *
 * The framework's own frames (End and Stop frames, requests to the task, flush probes, heartbeats, pause) pass a
 * closed gate and are never buffered. One that opens it goes out behind the buffered frames, so that nothing follows an
 * EndFrame. Frames that are still buffered at the end of the run are dropped.
 *
 * @see Pipecat `processors/aggregators/gated.py`, `GatedAggregator`; there a closed gate keeps an EndFrame, and
 * interruptions drop nothing.
 */
export class GatedAggregator extends FrameProcessor {
  readonly #opens: GatePredicate;
  readonly #closes: GatePredicate;
  readonly #startOpen: boolean;
  readonly #direction: FrameDirection;
  #isOpen: boolean;
  #kept: Frame[] = [];

  /** @throws {InvalidOptionError} `open` or `close` is no function, or an option can never work. */
  constructor(options: GatedAggregatorOptions) {
    super(options);
    const { open, close, startOpen = false, direction = 'downstream' } = options;
    checkFunction('open', open);
    checkFunction('close', close);
    checkBoolean('startOpen', startOpen);
    checkOneOf('direction', direction, ['downstream', 'upstream']);
    this.#opens = open;
    this.#closes = close;
    this.#startOpen = startOpen;
    this.#direction = direction;
    this.#isOpen = startOpen;
  }

  protected override process(frame: Frame, direction: FrameDirection): void {
    if (frame.kind === 'system' || direction !== this.#direction) {
      if (roleOf(frame) === 'interruption') this.#kept = this.#kept.filter((kept) => kept.uninterruptible);
      this.push(frame, direction);
    } else if (isFrameworkFrame(frame)) {
      this.#passOwn(frame, direction);
    } else if (this.#isOpenFor(frame, direction)) {
      this.push(frame, direction);
      this.#release(direction);
    } else {
      this.#kept.push(frame);
    }
  }

  #passOwn(frame: Frame, direction: FrameDirection): void {
    try {
      if (this.#isOpenFor(frame, direction)) this.#release(direction);
    } finally {
      this.push(frame, direction);
    }
  }

  #isOpenFor(frame: Frame, direction: FrameDirection): boolean {
    this.#isOpen = this.#isOpen ? !this.#closes(frame, direction) : this.#opens(frame, direction);
    return this.#isOpen;
  }

  #release(direction: FrameDirection): void {
    for (const kept of this.#kept.splice(0)) this.push(kept, direction);
  }

  override async cleanup(): Promise<void> {
    this.#kept = [];
    this.#isOpen = this.#startOpen;
    await super.cleanup();
  }
}
