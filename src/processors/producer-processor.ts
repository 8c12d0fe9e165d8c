import { type Frame, type FrameDirection, isFrameworkFrame } from '../frames/frame.ts';
import { checkBoolean, checkFunction } from '../lib/options.ts';
import { FrameProcessor, type FrameProcessorOptions } from './frame-processor.ts';

/** Makes of a frame the one to hand over. */
export type FrameTransform = (frame: Frame) => Frame;

/** What comes out is what goes in. */
export function sameFrame(frame: Frame): Frame {
  return frame;
}

export interface ProducerProcessorOptions extends FrameProcessorOptions {
  /** Which frames the consumers get, of both directions; not called for the framework's own frames. */
  readonly filter: (frame: Frame, direction: FrameDirection) => boolean;
  /** Called anew for every consumer. Default: the frame itself. */
  readonly transform?: FrameTransform;
  /** Whether the frames that the consumers get also go on as usual. Default `true`. */
  readonly passthrough?: boolean;
}

/**
 * Hands certain frames to other places of the pipeline, wherever a {@link ConsumerProcessor} of it stands.
 *
 * Consumers get their frame before the original goes on. All other frames pass, and so do the framework's own:
 * lifecycle frames, requests to the task, flush probes, heartbeats, pause and resume.
 *
 * @see Pipecat `processors/producer_processor.py`, `ProducerProcessor`
 */
export class ProducerProcessor extends FrameProcessor {
  readonly #filter: (frame: Frame, direction: FrameDirection) => boolean;
  readonly #transform: FrameTransform;
  readonly #passthrough: boolean;
  readonly #consumers = new Set<(frame: Frame) => void>();

  /** @throws {InvalidOptionError} `filter` or `transform` is no function, or `passthrough` neither true nor false. */
  constructor(options: ProducerProcessorOptions) {
    super(options);
    const { filter, transform = sameFrame, passthrough = true } = options;
    checkFunction('filter', filter);
    checkFunction('transform', transform);
    checkBoolean('passthrough', passthrough);
    this.#filter = filter;
    this.#transform = transform;
    this.#passthrough = passthrough;
  }

  /**
   * Hands every matching frame, from now on, to `consume`, which must not throw.
   *
   * @returns Ends that; may be called twice.
   */
  addConsumer(consume: (frame: Frame) => void): () => void {
    this.#consumers.add(consume);
    return () => void this.#consumers.delete(consume);
  }

  protected override process(frame: Frame, direction: FrameDirection): void {
    const produced = !isFrameworkFrame(frame) && this.#filter(frame, direction);
    if (produced) for (const consume of this.#consumers) consume(this.#transform(frame));
    if (!produced || this.#passthrough) this.push(frame, direction);
  }
}
