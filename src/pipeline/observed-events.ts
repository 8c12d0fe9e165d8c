import type { Frame } from '../frames/frame.ts';
import type { FrameProcessor } from '../processors/frame-processor.ts';
import type { FrameWatcher } from '../processors/frame-processor-setup.ts';
import { frameScheduler } from '../processors/frame-scheduler.ts';
import type { FrameProcessed, FramePushed, Observer, ProcessorSetUp } from './observer.ts';

/** What the following frames are: pushed or processed, in which direction, by the processor in the next field. */
const pushedDownstream = 0;
const pushedUpstream = 1;
const processedDownstream = 2;
const processedUpstream = 3;
/** The event is in the next field. */
const setUp = 4;
const started = 5;
/** From here on, what is told happened at the time in the next field. */
const clock = 6;

/** How exactly times are noted, in milliseconds. */
const clockStepMs = 0.1;

const fieldsPerBlock = 512;

/** Some fields in a row. It knows only the next block: what every reader has passed is garbage. */
class Block {
  readonly fields: unknown[];
  next: Block | undefined;

  constructor(size: number = fieldsPerBlock) {
    this.fields = new Array(size);
  }
}

/**
 * What happened in a pipeline, in order, to be told to observers later.
 *
 * Noting is part of every frame's way, so it makes no object: there is an event only while it is told. Mostly a field is
 * a frame; a number before it says what changed: what happens to the frames, or the time.
 */
export class ObservedEvents {
  readonly #noted: () => void;
  // nothing, and full: most pipelines are observed by nobody
  #block = new Block(0);
  #blocksBefore = -1;
  #index = fieldsPerBlock;
  /** What is before it in the block is forgotten. */
  #forgotten = fieldsPerBlock;
  #kind = clock;
  #processor: FrameProcessor | undefined;
  #timestampMs = Number.NaN;
  /** Somebody is going to look anyway. */
  isAwaited = false;
  readonly pushed: FrameWatcher = {
    note: (source, frame, direction) =>
      this.#noteFrame(direction === 'downstream' ? pushedDownstream : pushedUpstream, source, frame),
  };
  readonly processed: FrameWatcher = {
    note: (processor, frame, direction) =>
      this.#noteFrame(direction === 'downstream' ? processedDownstream : processedUpstream, processor, frame),
  };

  /** @param noted Called when there is something, and it {@link isAwaited} by nobody. */
  constructor(noted: () => void) {
    this.#noted = noted;
  }

  /** How far the log goes; counted in fields. */
  get end(): number {
    return this.#blocksBefore * fieldsPerBlock + this.#index;
  }

  /** Reads what is noted from now on. */
  reader(): EventReader {
    // what it is about, and the time, are said again
    this.#kind = clock;
    this.#timestampMs = Number.NaN;
    return new EventReader(this.#block, this.#blocksBefore, this.#index);
  }

  /** Lets go of everything so far; for when every reader has read it. */
  forget(): void {
    this.#block.fields.fill(undefined, this.#forgotten, this.#index);
    this.#forgotten = this.#index;
  }

  processorSetUp(event: ProcessorSetUp): void {
    this.#note(setUp);
    this.#note(event);
    if (!this.isAwaited) this.#noted();
  }

  pipelineStarted(): void {
    this.#note(started);
    if (!this.isAwaited) this.#noted();
  }

  #noteFrame(kind: number, processor: FrameProcessor, frame: Frame): void {
    const sinceMs = frameScheduler.lastLookMs - this.#timestampMs;
    if (!(sinceMs < clockStepMs)) this.#noteTime();
    if (processor !== this.#processor || kind !== this.#kind) this.#noteChange(kind, processor);
    this.#note(frame);
    if (!this.isAwaited) this.#noted();
  }

  #noteTime(): void {
    this.#timestampMs = frameScheduler.lastLookMs;
    this.#note(clock);
    this.#note(this.#timestampMs);
  }

  #noteChange(kind: number, processor: FrameProcessor): void {
    this.#kind = kind;
    this.#processor = processor;
    this.#note(kind);
    this.#note(processor);
  }

  #note(field: unknown): void {
    if (this.#index === fieldsPerBlock) this.#beginBlock();
    this.#block.fields[this.#index] = field;
    this.#index += 1;
  }

  #beginBlock(): void {
    const block = new Block();
    this.#block.next = block;
    this.#block = block;
    this.#blocksBefore += 1;
    this.#index = 0;
    this.#forgotten = 0;
  }
}

/** Goes through the log, event by event. */
export class EventReader {
  #block: Block;
  #blocksBefore: number;
  #index: number;
  #kind = clock;
  #processor: FrameProcessor | undefined;
  #timestampMs = Number.NaN;
  #toldKind = clock;
  #event: FramePushed | FrameProcessed | ProcessorSetUp | undefined;

  constructor(block: Block, blocksBefore: number, index: number) {
    this.#block = block;
    this.#blocksBefore = blocksBefore;
    this.#index = index;
  }

  /** How far it has read, as {@link ObservedEvents.end}. */
  get position(): number {
    return this.#blocksBefore * fieldsPerBlock + this.#index;
  }

  /** Another one that reads from here on. */
  fork(): EventReader {
    const other = new EventReader(this.#block, this.#blocksBefore, this.#index);
    other.#kind = this.#kind;
    other.#processor = this.#processor;
    other.#timestampMs = this.#timestampMs;
    return other;
  }

  /** Reads the next event, for {@link tell}; there must be one. */
  read(): void {
    for (;;) {
      const field = this.#field();
      if (typeof field !== 'number') {
        this.#toldKind = this.#kind;
        this.#event = this.#eventOf(field as Frame);
        return;
      }
      if (field === clock) this.#timestampMs = this.#field() as number;
      else if (field === setUp || field === started) {
        this.#toldKind = field;
        this.#event = field === setUp ? (this.#field() as ProcessorSetUp) : undefined;
        return;
      } else {
        this.#kind = field;
        this.#processor = this.#field() as FrameProcessor;
      }
    }
  }

  /** Tells an observer what was read. */
  tell(observer: Observer): void | Promise<void> {
    switch (this.#toldKind) {
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

  /** Lets go of what was read last. */
  forget(): void {
    this.#event = undefined;
  }

  #eventOf(frame: Frame): FramePushed | FrameProcessed {
    const kind = this.#kind;
    const timestampMs = this.#timestampMs;
    const processor = this.#processor as FrameProcessor;
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

  #field(): unknown {
    if (this.#index === fieldsPerBlock) {
      this.#block = this.#block.next as Block;
      this.#blocksBefore += 1;
      this.#index = 0;
    }
    const field = this.#block.fields[this.#index];
    this.#index += 1;
    return field;
  }
}
