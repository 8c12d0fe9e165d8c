/** Work that starts once, with one outcome for all subscribers. */

import { exhaustMap, type Observable, type ObservableInput, ReplaySubject, share, take } from 'rxjs';

/**
 * Starts work for the first trigger only, and replays its one outcome.
 *
 * Watches from the first subscription on; later triggers are ignored. Work that has started runs to its end
 * even if every subscriber leaves, and a late subscriber gets the same outcome. Errors only if `start` does.
 *
 * @param trigger$ The first value is passed to `start`.
 * @param start The work; a promise, or an Observable of one outcome.
 */
export function runOnce<Trigger, Outcome>(
  trigger$: Observable<Trigger>,
  start: (trigger: Trigger) => ObservableInput<Outcome>,
): Observable<Outcome> {
  return trigger$.pipe(
    take(1),
    exhaustMap(start),
    take(1),
    // shareReplay would start again after an error
    share({
      connector: () => new ReplaySubject(1),
      resetOnError: false,
      resetOnComplete: false,
      resetOnRefCountZero: false,
    }),
  );
}
