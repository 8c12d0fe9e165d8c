import type { Frame, FrameDirection } from '../frames/frame.ts';
import { isLifecycleFrame } from '../frames/lifecycle.ts';
import { FrameProcessor, type FrameProcessorOptions } from './frame-processor.ts';

/** What a frame does to a gate. */
export type GatePredicate = (frame: Frame, direction: FrameDirection) => boolean;

export interface GatedAggregatorOptions extends FrameProcessorOptions {
  /** Asked while the gate is closed: whether this frame opens it. */
  readonly open: GatePredicate;
  /** Asked while the gate is open: whether this frame closes it. */
  readonly close: GatePredicate;
  /** Default `false`. */
  readonly startOpen?: boolean;
  /** Which direction has the gate; frames of the other one pass. Default `'downstream'`. */
  readonly direction?: FrameDirection;
}

/**
 * Keeps frames while its gate is closed.
 *
 * The frame that opens the gate goes out first, then those that were kept, in order. The frame that closes it
 * is kept. System frames pass and leave the gate as it is. Start, End, Stop and Cancel frames pass a closed
 * gate; what is kept then stays where it is, and is forgotten with the run.
 *
 * @see Pipecat `processors/aggregators/gated.py`, `GatedAggregator`; there a closed gate keeps an EndFrame.
 */
export class GatedAggregator extends FrameProcessor {
  readonly #opens: GatePredicate;
  readonly #closes: GatePredicate;
  readonly #startOpen: boolean;
  readonly #direction: FrameDirection;
  #isOpen: boolean;
  #kept: Frame[] = [];

  constructor(options: GatedAggregatorOptions) {
    super(options);
    this.#opens = options.open;
    this.#closes = options.close;
    this.#startOpen = options.startOpen ?? false;
    this.#direction = options.direction ?? 'downstream';
    this.#isOpen = this.#startOpen;
  }

  protected override process(frame: Frame, direction: FrameDirection): void {
    if (frame.kind === 'system' || direction !== this.#direction) {
      this.push(frame, direction);
      return;
    }
    this.#isOpen = this.#isOpen ? !this.#closes(frame, direction) : this.#opens(frame, direction);
    if (this.#isOpen) {
      this.push(frame, direction);
      for (const kept of this.#kept.splice(0)) this.push(kept, direction);
    } else if (isLifecycleFrame(frame)) {
      this.push(frame, direction);
    } else {
      this.#kept.push(frame);
    }
  }

  override async cleanup(): Promise<void> {
    this.#kept = [];
    this.#isOpen = this.#startOpen;
    await super.cleanup();
  }
}
