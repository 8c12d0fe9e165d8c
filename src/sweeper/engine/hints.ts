/** Debounces hints: a burst of them costs one list. */

import { concatMap, defer, EMPTY, type Observable, Subject, timer } from 'rxjs';
import { type Observation, triedMs } from '../observation.ts';

/** Hints within this time are served together. */
const gatherMs = 100;
/** A room probed within this time is not probed again for a hint. */
const freshMs = 1_000;

/**
 * Whether a room was probed too recently to be probed again for a hint; failed probes count. A probe in the future
 * is one of a clock that was set back since.
 */
export function isFresh(seen: Observation | undefined, nowMs: number): boolean {
  if (seen === undefined) return false;
  const ageMs = nowMs - triedMs(seen);
  return ageMs >= 0 && ageMs < freshMs;
}

/** The names of rooms to be probed before their scheduled time. */
export class Hints {
  readonly #names = new Set<string>();
  readonly #added = new Subject<void>();

  add(roomNames: readonly string[]): void {
    for (const name of roomNames) this.#names.add(name);
    this.#added.next();
  }

  /** Serves one batch after the other, each name once; `serve` must not reject. */
  served(serve: (roomNames: readonly string[]) => Promise<void>): Observable<void> {
    const batch$ = timer(gatherMs).pipe(concatMap(() => serve(this.#take())));
    // names added while a batch waits or is served are in it, or in the next one
    return this.#added.pipe(concatMap(() => defer(() => (this.#names.size === 0 ? EMPTY : batch$))));
  }

  #take(): readonly string[] {
    const names = [...this.#names];
    this.#names.clear();
    return names;
  }
}
