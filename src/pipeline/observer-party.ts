import type { EventReader } from './observed-events.ts';
import type { Observer } from './observer.ts';

/** Observers that are told the same records at the same time, mostly all of them. */
export class ObserverParty {
  reader: EventReader;
  observers: readonly Observer[];
  /** The record that they are not told any more, when they were removed. */
  until: number = Number.POSITIVE_INFINITY;
  /** They are one, and it has not finished with the latest. */
  busy = false;
  /** They are told nothing any more. */
  gone = false;
  /** How many records are told between two looks at the clock. */
  stride = 1;

  constructor(reader: EventReader, observers: readonly Observer[]) {
    this.reader = reader;
    this.observers = observers;
  }

  get removed(): boolean {
    return this.until !== Number.POSITIVE_INFINITY;
  }

  /** @returns How much of the log up to `end` they are still to be told, in fields. */
  untold(end: number): number {
    return Math.max(0, Math.min(this.until, end) - this.reader.position);
  }
}
