/** Copies certain frames to other places of the pipeline. */

import { type Frame, type FrameDirection, isFrameworkFrame } from '../frames/frame.ts';
import { checkBoolean, checkFunction } from '../lib/options.ts';
import { FrameProcessor, type FrameProcessorOptions } from './frame-processor.ts';

/** Maps a frame to another one. */
export type FrameTransform = (frame: Frame) => Frame;

/** The identity. */
export function sameFrame(frame: Frame): Frame {
  return frame;
}

/** Options of a producer. */
export interface ProducerProcessorOptions extends FrameProcessorOptions {
  /** Whether the consumers get a frame; called for both directions, but not for the framework's own frames. */
  readonly filter: (frame: Frame, direction: FrameDirection) => boolean;
  /** Maps a frame, once per consumer. Default: the frame itself. */
  readonly transform?: FrameTransform;
  /** Whether the frames that the consumers get also go on as usual. Default `true`. */
  readonly passthrough?: boolean;
}

/**
 * Copies certain frames to every {@link ConsumerProcessor} of it, anywhere in the pipeline.
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
   * Calls `consume`, which must not throw, with each matching frame from now on.
   *
   * @returns Removes the consumer; idempotent.
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
