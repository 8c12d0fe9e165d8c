import type { Frame, FrameDirection } from '../frames/frame.ts';
import type { FrameProcessor } from '../processors/frame-processor.ts';
import type { FrameProcessed, FramePushed, Observer, ProcessorSetUp } from './observer.ts';

/**
 * What a record is. Most are frames that were pushed downstream, and say nothing: two fields, source and frame. All
 * others have one of these before them.
 */
const pushedDownstream = 0;
const pushedUpstream = 1;
const processedDownstream = 2;
const processedUpstream = 3;
const setUp = 4;
const started = 5;
/** From here on, what is told happened at this time. */
const clock = 6;

const fieldsPerBlock = 512;

/** Some records in a row. It knows only the next block: what every reader has passed is garbage. */
class Block {
  readonly fields: unknown[] = new Array(fieldsPerBlock);
  next: Block | undefined;
}

/**
 * What happened in a pipeline, in order, to be told to observers later.
 *
 * Noting is part of every frame's way, so it makes no object: there is an event only while it is told.
 */
export class ObservedEvents {
  #block = new Block();
  #length = 0;
  #blocksBefore = 0;
  #timestampMs = Number.NaN;

  /** How far the log goes; counted in fields. */
  get end(): number {
    return this.#blocksBefore * fieldsPerBlock + this.#length;
  }

  /** Reads what is noted from now on. */
  reader(): EventReader {
    return new EventReader(this.#block, this.#blocksBefore, this.#length, this.#timestampMs);
  }

  pushed(source: FrameProcessor, frame: Frame, direction: FrameDirection, timestampMs: number): void {
    if (timestampMs !== this.#timestampMs) this.#noteTime(timestampMs);
    if (direction === 'upstream') this.#note(pushedUpstream, undefined);
    this.#note(source, frame);
  }

  processed(processor: FrameProcessor, frame: Frame, direction: FrameDirection, timestampMs: number): void {
    if (timestampMs !== this.#timestampMs) this.#noteTime(timestampMs);
    this.#note(direction === 'downstream' ? processedDownstream : processedUpstream, undefined);
    this.#note(processor, frame);
  }

  processorSetUp(event: ProcessorSetUp): void {
    this.#note(setUp, event);
  }

  pipelineStarted(): void {
    this.#note(started, undefined);
  }

  #noteTime(timestampMs: number): void {
    this.#timestampMs = timestampMs;
    this.#note(clock, timestampMs);
  }

  #note(subject: FrameProcessor | number, object: unknown): void {
    const length = this.#length;
    const { fields } = this.#block;
    fields[length] = subject;
    fields[length + 1] = object;
    if (length + 2 < fieldsPerBlock) this.#length = length + 2;
    else this.#beginBlock();
  }

  #beginBlock(): void {
    const block = new Block();
    this.#block.next = block;
    this.#block = block;
    this.#blocksBefore += 1;
    this.#length = 0;
  }
}

/** Goes through the log, event by event. */
export class EventReader {
  #block: Block;
  #blocksBefore: number;
  #index: number;
  #timestampMs: number;
  #kind = clock;
  #event: FramePushed | FrameProcessed | ProcessorSetUp | undefined;

  constructor(block: Block, blocksBefore: number, index: number, timestampMs: number) {
    this.#block = block;
    this.#blocksBefore = blocksBefore;
    this.#index = index;
    this.#timestampMs = timestampMs;
  }

  /** How far it has read, as {@link ObservedEvents.end}. */
  get position(): number {
    return this.#blocksBefore * fieldsPerBlock + this.#index;
  }

  /** Another one that reads from here on. */
  fork(): EventReader {
    return new EventReader(this.#block, this.#blocksBefore, this.#index, this.#timestampMs);
  }

  /** Reads the next event, for {@link tell}; there must be one. */
  read(): void {
    this.#kind = pushedDownstream;
    for (;;) {
      const { fields } = this.#block;
      const index = this.#index;
      const subject = fields[index] as FrameProcessor | number;
      const object = fields[index + 1];
      if (index + 2 < fieldsPerBlock) this.#index = index + 2;
      else this.#nextBlock();
      if (typeof subject !== 'number') {
        this.#event = this.#eventOf(subject, object as Frame);
        return;
      }
      this.#kind = subject;
      if (subject === clock) {
        this.#timestampMs = object as number;
        this.#kind = pushedDownstream;
      } else if (subject === setUp || subject === started) {
        this.#event = object as ProcessorSetUp | undefined;
        return;
      }
    }
  }

  /** Tells an observer what was read. */
  tell(observer: Observer): void | Promise<void> {
    switch (this.#kind) {
      case pushedDownstream:
      case pushedUpstream:
        return observer.onPushFrame?.(this.#event as FramePushed);
      case processedDownstream:
      case processedUpstream:
        return observer.onProcessFrame?.(this.#event as FrameProcessed);
      case setUp:
        return observer.onProcessorSetup?.(this.#event as ProcessorSetUp);
      default:
        return observer.onPipelineStarted?.();
    }
  }

  #eventOf(processor: FrameProcessor, frame: Frame): FramePushed | FrameProcessed {
    const timestampMs = this.#timestampMs;
    const kind = this.#kind;
    if (kind === pushedDownstream)
      return { source: processor, destination: processor.next, frame, direction: 'downstream', timestampMs };
    if (kind === pushedUpstream)
      return {
        source: processor,
        destination: processor.previous,
        frame,
        direction: 'upstream',
        timestampMs,
      };
    const direction = kind === processedDownstream ? 'downstream' : 'upstream';
    return { processor, frame, direction, timestampMs };
  }

  #nextBlock(): void {
    this.#block = this.#block.next as Block;
    this.#blocksBefore += 1;
    this.#index = 0;
  }
}
