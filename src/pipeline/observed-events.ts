import type { Frame, FrameDirection } from '../frames/frame.ts';
import type { FrameProcessor } from '../processors/frame-processor.ts';
import type { Observer, ProcessorSetUp } from './observer.ts';

type Hook = Exclude<keyof Observer, 'cleanup'>;

const blockSize = 256;
/** Per event: hook, processor, destination or setup, frame, direction. */
const width = 5;

/** Some events in a row. It knows only the next one: what every reader has passed is garbage. */
class Block {
  readonly fields: unknown[] = new Array(blockSize * width).fill(undefined);
  readonly timestampsMs: Float64Array = new Float64Array(blockSize);
  next: Block | undefined;
}

/**
 * What happened in a pipeline, in order, to be told to observers later.
 *
 * Noting an event is part of every frame's way, so it makes no object: there is one event for each observer that
 * is told it, and only for as long as that takes.
 */
export class ObservedEvents {
  #block = new Block();
  #length = 0;
  #count = 0;

  /** How many were noted so far. */
  get count(): number {
    return this.#count;
  }

  /** Reads what is noted from now on. */
  reader(): EventReader {
    return new EventReader(this.#block, this.#length, this.#count);
  }

  note(
    hook: Hook,
    processor: FrameProcessor | undefined,
    other: FrameProcessor | ProcessorSetUp | undefined,
    frame: Frame | undefined,
    direction: FrameDirection | undefined,
    timestampMs: number,
  ): void {
    if (this.#length === blockSize) {
      const block = new Block();
      this.#block.next = block;
      this.#block = block;
      this.#length = 0;
    }
    const { fields, timestampsMs } = this.#block;
    const at = this.#length * width;
    fields[at] = hook;
    fields[at + 1] = processor;
    fields[at + 2] = other;
    fields[at + 3] = frame;
    fields[at + 4] = direction;
    timestampsMs[this.#length] = timestampMs;
    this.#length += 1;
    this.#count += 1;
  }
}

/** Goes through the events, one by one. */
export class EventReader {
  #block: Block;
  #index: number;
  #position: number;

  constructor(block: Block, index: number, position: number) {
    this.#block = block;
    this.#index = index;
    this.#position = position;
  }

  /** How many events were noted before the next one. */
  get position(): number {
    return this.#position;
  }

  /** Tells an observer the next event; there must be one. */
  tell(observer: Observer): void | Promise<void> {
    if (this.#index === blockSize) {
      this.#block = this.#block.next as Block;
      this.#index = 0;
    }
    const { fields, timestampsMs } = this.#block;
    const index = this.#index;
    this.#index += 1;
    this.#position += 1;
    const at = index * width;
    switch (fields[at] as Hook) {
      case 'onPushFrame':
        return observer.onPushFrame?.({
          source: fields[at + 1] as FrameProcessor,
          destination: fields[at + 2] as FrameProcessor | undefined,
          frame: fields[at + 3] as Frame,
          direction: fields[at + 4] as FrameDirection,
          timestampMs: timestampsMs[index] as number,
        });
      case 'onProcessFrame':
        return observer.onProcessFrame?.({
          processor: fields[at + 1] as FrameProcessor,
          frame: fields[at + 3] as Frame,
          direction: fields[at + 4] as FrameDirection,
          timestampMs: timestampsMs[index] as number,
        });
      case 'onProcessorSetup':
        return observer.onProcessorSetup?.(fields[at + 2] as ProcessorSetUp);
      case 'onPipelineStarted':
        return observer.onPipelineStarted?.();
    }
  }
}
