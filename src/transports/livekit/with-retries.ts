/** Retries with exponential backoff. */

import { defer, firstValueFrom, retry, throwError, timer } from 'rxjs';

/** When to give up. */
export interface RetriesOptions {
  /** Called after each failed attempt, with their number so far: true ends the retries. */
  readonly givesUp: (error: unknown, attempts: number) => boolean;
  /** Maximum number of attempts. Default 3; the waits are 250 ms, 1 s, 4 s and so on. */
  readonly attempts?: number;
}

const firstWaitMs = 250;

/**
 * Calls `work` until it succeeds.
 *
 * @throws {unknown} The error of the last attempt.
 */
export function withRetries<T>(
  work: () => Promise<T>,
  { givesUp, attempts = 3 }: RetriesOptions,
): Promise<T> {
  return firstValueFrom(
    defer(work).pipe(
      retry({
        count: attempts - 1,
        delay: (error, count) => {
          if (givesUp(error, count)) return throwError(() => error);
          return timer(firstWaitMs * 4 ** (count - 1));
        },
      }),
    ),
  );
}
