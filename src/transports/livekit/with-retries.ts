import { defer, firstValueFrom, retry, throwError, timer } from 'rxjs';

export interface RetriesOptions {
  /** Asked before another attempt: whether there is no point in it. */
  readonly givesUp: (error: unknown) => boolean;
}

const attempts = 3;
const firstWaitMs = 250;

/**
 * Tries up to three times, with growing pauses.
 *
 * @throws {unknown} What the last attempt met.
 */
export function withRetries<T>(work: () => Promise<T>, { givesUp }: RetriesOptions): Promise<T> {
  return firstValueFrom(
    defer(work).pipe(
      retry({
        count: attempts - 1,
        delay: (error, count) => {
          if (givesUp(error)) return throwError(() => error);
          return timer(firstWaitMs * 4 ** (count - 1));
        },
      }),
    ),
  );
}
