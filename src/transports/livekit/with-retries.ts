import { defer, firstValueFrom, retry, throwError, timer } from 'rxjs';

export interface RetriesOptions {
  /** Asked before another attempt: whether there is no point in it, after so many, from 1. */
  readonly givesUp: (error: unknown, attempts: number) => boolean;
  /** Default 3; each pause is four times the one before, from 250 ms on. */
  readonly attempts?: number;
}

const firstWaitMs = 250;

/**
 * Tries again, with growing pauses.
 *
 * @throws {unknown} What the last attempt met.
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
