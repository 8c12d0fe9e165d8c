import { firstValueFrom, from, map, race, timer } from 'rxjs';

/**
 * Waits for something of the SDK, but not for ever.
 *
 * @throws {unknown} What the work rejected with in time.
 */
export function within(work: Promise<unknown>, limitMs: number): Promise<'done' | 'late'> {
  const done$ = from(work).pipe(map((): 'done' => 'done'));
  const late$ = timer(limitMs).pipe(map((): 'late' => 'late'));
  return firstValueFrom(race(done$, late$));
}
