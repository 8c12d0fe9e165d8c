/** A log of what happened in a pipeline, with one cursor per observer. */

import type { Frame } from '../frames/frame.ts';
import { frameScheduler } from '../processors/core/frame-scheduler.ts';
import type { FrameProcessor } from '../processors/frame-processor.ts';
import type { Observer, ProcessorSetUp } from './observer.ts';

/** Kinds: what the following frames are; the processor is in the next field. */
export const pushedDownstream = 0;
/** Kind of an entry: a frame was pushed upstream. */
export const pushedUpstream = 1;
/** Kind of an entry: a frame from upstream is processed. */
export const processedDownstream = 2;
/** Kind of an entry: a frame from downstream is processed. */
export const processedUpstream = 3;
/** Kinds with an event of their own; for a setup it is in the next field. */
const processorSetUp = 4;
const pipelineStarted = 5;
/** The time of the following frames is in the next field. */
const clock = 6;

/** Resolution of times, in milliseconds. */
const clockStepMs = 0.1;

const fieldsPerBlock = 512;

/** Consecutive fields. A block refers to the next one only, so blocks that every cursor has passed are garbage. */
class Block {
  readonly fields: unknown[];
  next: Block | undefined;

  constructor(size: number = fieldsPerBlock) {
    this.fields = new Array(size);
  }
}

/**
 * The events of a run, in order.
 *
 * Recording is on every frame's way, so it allocates no event: mostly a field is a frame, and a number before it marks a
 * change of kind, processor or time. With one object per event three observers cost more than twice as much.
 */
export class EventLog {
  // full from the beginning: most pipelines have no observer, and need no block
  #block = new Block(0);
  #index = fieldsPerBlock;
  /** Number of the first field of the block. */
  #blockStart = -fieldsPerBlock;
  /** Fields of the block before this index are released. */
  #released = fieldsPerBlock;
  #kind = clock;
  #processor: FrameProcessor | undefined;
  #timestampMs = Number.NaN;

  /** Number of fields so far. */
  get end(): number {
    return this.#blockStart + this.#index;
  }

  /** Adds an entry for a frame. */
  recordFrame(kind: number, processor: FrameProcessor, frame: Frame): void {
    const nowMs = frameScheduler.nowMs;
    if (!(nowMs - this.#timestampMs < clockStepMs)) {
      this.#timestampMs = nowMs;
      this.#add(clock);
      this.#add(nowMs);
    }
    if (processor !== this.#processor || kind !== this.#kind) {
      this.#kind = kind;
      this.#processor = processor;
      this.#add(kind);
      this.#add(processor);
    }
    this.#add(frame);
  }

  /** Adds an entry for a processor's setup. */
  recordSetUp(event: ProcessorSetUp): void {
    this.#add(processorSetUp);
    this.#add(event);
  }

  /** Adds an entry for the start of the pipeline. */
  recordStarted(): void {
    this.#add(pipelineStarted);
  }

  /** For an observer that gets all events from now on. */
  cursor(observer: Observer): EventCursor {
    // record kind, processor and time again
    this.#kind = clock;
    this.#timestampMs = Number.NaN;
    return new EventCursor(observer, this.#block, this.#index, this.end);
  }

  /** Releases all fields so far, as frames may be large; called when every cursor has passed them. */
  release(): void {
    this.#block.fields.fill(undefined, this.#released, this.#index);
    this.#released = this.#index;
  }

  #add(field: unknown): void {
    if (this.#index === fieldsPerBlock) {
      const block = new Block();
      this.#block.next = block;
      this.#block = block;
      this.#blockStart += fieldsPerBlock;
      this.#index = 0;
      this.#released = 0;
    }
    this.#block.fields[this.#index] = field;
    this.#index += 1;
  }
}

/** The position of an observer in the log. */
export class EventCursor {
  /** The observer that receives the events. */
  readonly observer: Observer;
  #block: Block;
  #index: number;
  #kind = clock;
  #processor: FrameProcessor | undefined;
  #timestampMs = Number.NaN;
  /** Number of the next field. */
  position: number;
  /** Number of the first field that a removed observer does not get. */
  end: number = Number.POSITIVE_INFINITY;
  /** Whether a method of the observer is pending. */
  isBusy = false;
  /** Whether the observer gets no more events. */
  isClosed = false;
  /** Events delivered between two readings of the clock. */
  stride = 1;

  constructor(observer: Observer, block: Block, index: number, position: number) {
    this.observer = observer;
    this.#block = block;
    this.#index = index;
    this.position = position;
  }

  /** Whether the observer was removed. */
  get isRemoved(): boolean {
    return this.end !== Number.POSITIVE_INFINITY;
  }

  /** @returns How many of the fields before `end` are still to be delivered. */
  backlog(end: number): number {
    return Math.max(0, Math.min(this.end, end) - this.position);
  }

  /** Moves behind the next event, which there must be, and calls the observer's method for it. */
  deliver(): void | Promise<void> {
    for (;;) {
      const field = this.#next();
      if (typeof field !== 'number') return this.#deliverFrame(field as Frame);
      switch (field) {
        case clock:
          this.#timestampMs = this.#next() as number;
          break;
        case processorSetUp:
          return this.observer.onProcessorSetup?.(this.#next() as ProcessorSetUp);
        case pipelineStarted:
          return this.observer.onPipelineStarted?.();
        default:
          this.#kind = field;
          this.#processor = this.#next() as FrameProcessor;
      }
    }
  }

  /** Gives up the rest of the log, which a pending method would otherwise keep alive. */
  close(): void {
    this.isClosed = true;
    this.#block = new Block(0);
  }

  #deliverFrame(frame: Frame): void | Promise<void> {
    const { observer } = this;
    const processor = this.#processor as FrameProcessor;
    const timestampMs = this.#timestampMs;
    switch (this.#kind) {
      case pushedDownstream:
        return observer.onPushFrame?.({
          source: processor,
          destination: processor.next,
          frame,
          direction: 'downstream',
          timestampMs,
        });
      case pushedUpstream:
        return observer.onPushFrame?.({
          source: processor,
          destination: processor.previous,
          frame,
          direction: 'upstream',
          timestampMs,
        });
      case processedDownstream:
        return observer.onProcessFrame?.({ processor, frame, direction: 'downstream', timestampMs });
      default:
        return observer.onProcessFrame?.({ processor, frame, direction: 'upstream', timestampMs });
    }
  }

  #next(): unknown {
    if (this.#index === fieldsPerBlock) {
      this.#block = this.#block.next as Block;
      this.#index = 0;
    }
    const field = this.#block.fields[this.#index];
    this.#index += 1;
    this.position += 1;
    return field;
  }
}
