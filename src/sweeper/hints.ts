import { concatMap, defer, EMPTY, type Observable, Subject, timer } from 'rxjs';
import { type Observation, triedMs } from './observation.ts';

/** Hints that come within this time are served together. */
const gatherMs = 100;
/** A room that was tried so short a time ago is not looked at again for a hint. */
const freshMs = 1_000;

/**
 * Whether a hint comes too soon after the newest look, also one that failed. One that lies ahead is of a clock that
 * was set back.
 */
export function isFresh(seen: Observation | undefined, nowMs: number): boolean {
  if (seen === undefined) return false;
  const ageMs = nowMs - triedMs(seen);
  return ageMs >= 0 && ageMs < freshMs;
}

/** Rooms that somebody wants to be looked at sooner: a burst of hints costs one list. */
export class Hints {
  readonly #names = new Set<string>();
  readonly #came = new Subject<void>();

  add(roomNames: readonly string[]): void {
    for (const name of roomNames) this.#names.add(name);
    this.#came.next();
  }

  /** Serves one batch after the other, each name once; `serve` must not reject. */
  served(serve: (roomNames: readonly string[]) => Promise<void>): Observable<void> {
    const batch$ = timer(gatherMs).pipe(concatMap(() => serve(this.#take())));
    // whoever comes while a batch waits or is served finds its names gone, or in the next batch
    return this.#came.pipe(concatMap(() => defer(() => (this.#names.size === 0 ? EMPTY : batch$))));
  }

  #take(): readonly string[] {
    const names = [...this.#names];
    this.#names.clear();
    return names;
  }
}
