/** A log of what happened in a pipeline, with one cursor per observer. */

import type { Observer } from './observer.ts';

/** An event, which knows the observer's method for it. */
export interface ObserverEvent {
  deliver(observer: Observer): void | Promise<void>;
}

const eventsPerBlock = 512;

/** Consecutive events. A block refers to the next one only, so blocks that every cursor has passed are garbage. */
class Block {
  readonly events: (ObserverEvent | undefined)[];
  next: Block | undefined;

  constructor(size: number = eventsPerBlock) {
    this.events = new Array(size);
  }
}

/** The events of a run, in order. */
export class EventLog {
  // full from the beginning: most pipelines have no observer, and need no block
  #block = new Block(0);
  #index = eventsPerBlock;
  /** Events of the block before this index are released. */
  #released = eventsPerBlock;
  /** Number of events so far. */
  end = 0;

  record(event: ObserverEvent): void {
    if (this.#index === eventsPerBlock) {
      this.#block.next = new Block();
      this.#block = this.#block.next;
      this.#index = 0;
      this.#released = 0;
    }
    this.#block.events[this.#index] = event;
    this.#index += 1;
    this.end += 1;
  }

  /** For an observer that gets all events from now on. */
  cursor(observer: Observer): EventCursor {
    return new EventCursor(observer, this.#block, this.#index, this.end);
  }

  /** Releases all events so far, whose frames may be large; called when every cursor has passed them. */
  release(): void {
    this.#block.events.fill(undefined, this.#released, this.#index);
    this.#released = this.#index;
  }
}

/** The position of an observer in the log. */
export class EventCursor {
  readonly observer: Observer;
  #block: Block;
  #index: number;
  /** Number of the next event. */
  position: number;
  /** Number of the first event that a removed observer does not get. */
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

  get isRemoved(): boolean {
    return this.end !== Number.POSITIVE_INFINITY;
  }

  /** @returns How many of the first `end` events are still to be delivered. */
  backlog(end: number): number {
    return Math.max(0, Math.min(this.end, end) - this.position);
  }

  /** Moves behind the next event, which there must be, and returns it. */
  next(): ObserverEvent {
    if (this.#index === eventsPerBlock) {
      this.#block = this.#block.next as Block;
      this.#index = 0;
    }
    const event = this.#block.events[this.#index] as ObserverEvent;
    this.#index += 1;
    this.position += 1;
    return event;
  }

  /** Gives up the rest of the log, which a pending method would otherwise keep alive. */
  close(): void {
    this.isClosed = true;
    this.#block = new Block(0);
  }
}
