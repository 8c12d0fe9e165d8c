/** How long a piece of work may take, and who may stop it earlier. */
export interface TimeLimit {
  readonly limitMs: number;
  readonly signal: AbortSignal | undefined;
  /** Makes the error for a limit that passed. */
  readonly onTimeout: () => Error;
}

/**
 * Settles with the work, with `onTimeout()` once the limit has passed, or with the signal's reason.
 *
 * Work that ignores its own signal is left behind, so a `fetch` that never answers cannot hold a caller. Timer
 * and listener are gone when it settles.
 *
 * @param work Gets a signal that aborts when it is no longer waited for.
 */
export function withTimeLimit<T>(limit: TimeLimit, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const { limitMs, signal, onTimeout } = limit;
  return new Promise<T>((resolve, reject) => {
    signal?.throwIfAborted();
    const controller = new AbortController();
    const done = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
    };
    const stop = (reason: unknown): void => {
      done();
      reject(reason);
      controller.abort(reason);
    };
    const onAbort = (): void => stop(signal?.reason);
    const timer = setTimeout(() => stop(onTimeout()), limitMs);
    signal?.addEventListener('abort', onAbort);
    // async, for work that throws before it returns a promise
    const run = async (): Promise<T> => work(controller.signal);
    run().then(resolve, reject).finally(done);
  });
}
