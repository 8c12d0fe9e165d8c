/** The receiving end of a producer: pushes its frames elsewhere in the pipeline. */

import { type Frame, type FrameDirection, roleOf } from '../frames/frame.ts';
import { checkFunction, checkMethods, checkOneOf } from '../lib/options.ts';
import { FrameProcessor, type FrameProcessorOptions } from './frame-processor.ts';
import { type FrameTransform, type ProducerProcessor, sameFrame } from './producer-processor.ts';

/** Options of a consumer. */
export interface ConsumerProcessorOptions extends FrameProcessorOptions {
  /** Direction in which the producer's frames go on from here. Default `'downstream'`. */
  readonly direction?: FrameDirection;
  /** Maps each frame. Default: the frame itself. */
  readonly transform?: FrameTransform;
}

/**
 * Pushes the frames of a {@link ProducerProcessor} that is elsewhere in the pipeline, upstream or downstream of it.
 *
 * From its StartFrame to its End, Stop or Cancel frame it queues them at itself: they keep their order with other
 * frames, and an interruption drops them. All other frames pass.
 *
 * @see Pipecat `processors/consumer_processor.py`, `ConsumerProcessor`
 */
export class ConsumerProcessor extends FrameProcessor {
  readonly #producer: ProducerProcessor;
  readonly #direction: FrameDirection;
  readonly #transform: FrameTransform;
  #leave: (() => void) | undefined;

  /** @throws {InvalidOptionError} `producer` is no {@link ProducerProcessor}, or an option can never work. */
  constructor(producer: ProducerProcessor, options: ConsumerProcessorOptions = {}) {
    super(options);
    const { direction = 'downstream', transform = sameFrame } = options;
    checkMethods('producer', producer, ['addConsumer']);
    checkOneOf('direction', direction, ['downstream', 'upstream']);
    checkFunction('transform', transform);
    this.#producer = producer;
    this.#direction = direction;
    this.#transform = transform;
  }

  protected override process(frame: Frame, direction: FrameDirection): void {
    switch (roleOf(frame)) {
      case 'start':
        this.#leave ??= this.#producer.addConsumer((produced) => this.#consume(produced));
        break;
      case 'end':
      case 'stop':
      case 'cancel':
        this.#stopConsuming();
        break;
    }
    this.push(frame, direction);
  }

  override async cleanup(): Promise<void> {
    this.#stopConsuming();
    await super.cleanup();
  }

  #consume(produced: Frame): void {
    try {
      this.queueFrame(this.#transform(produced), this.#direction);
    } catch (error) {
      // an error of this processor, not of the producer
      this.pushError({ error });
    }
  }

  #stopConsuming(): void {
    this.#leave?.();
    this.#leave = undefined;
  }
}
