import { defer, firstValueFrom, retry, throwError, timer } from 'rxjs';

export interface RetriesOptions {
  /** Asked before another attempt. */
  readonly stop: () => boolean;
}

const attempts = 3;
const firstWaitMs = 250;

/** What the SDK says when LiveKit understood and refused. */
const refusal = /client error: 4\d\d/;

/**
 * Tries up to three times, with growing pauses, unless LiveKit refuses.
 *
 * @throws {unknown} What the last attempt met.
 */
export function withRetries<T>(work: () => Promise<T>, { stop }: RetriesOptions): Promise<T> {
  return firstValueFrom(
    defer(work).pipe(
      retry({
        count: attempts - 1,
        delay: (error, count) => {
          if (stop() || refusal.test(String(error))) return throwError(() => error);
          return timer(firstWaitMs * 4 ** (count - 1));
        },
      }),
    ),
  );
}
