/** Bounded waits: `withTimeout` for work that is only awaited, `withAbort` for work that can be aborted, `sleep`. */

/**
 * Waits for `work`, at most `limitMs` milliseconds.
 *
 * @param work What it rejects with is passed on, unless the limit has passed before.
 * @param limitMs Milliseconds; `null` for no limit.
 */
export async function withTimeout(
  work: PromiseLike<unknown>,
  limitMs: number | null,
): Promise<'done' | 'timeout'> {
  if (limitMs === null) {
    await work;
    return 'done';
  }
  let timer: ReturnType<typeof setTimeout> | undefined;
  const timeout = new Promise<'timeout'>((resolve) => {
    timer = setTimeout(resolve, limitMs, 'timeout');
  });
  try {
    return await Promise.race([Promise.resolve(work).then((): 'done' => 'done'), timeout]);
  } finally {
    clearTimeout(timer);
  }
}

/** How long abortable work may take, and what may abort it earlier. */
export interface AbortLimit {
  /** The limit, in milliseconds. */
  readonly limitMs: number;
  /** Aborts the operation. */
  readonly signal: AbortSignal | undefined;
  /** Makes the error for a limit that passed. */
  readonly onTimeout: () => Error;
}

/**
 * Settles with the work, with `onTimeout()` once the limit has passed, or with the signal's reason.
 *
 * Work that ignores its own signal is abandoned, so a `fetch` that never answers cannot block the caller. Timer and
 * listener are removed when it settles.
 *
 * @param work Gets a signal that aborts when its result is no longer awaited.
 */
export function withAbort<T>(limit: AbortLimit, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
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

/** How a wait may end early, and whether the process waits for it. */
export interface SleepOptions {
  /** Ends the wait when it aborts. */
  readonly signal?: AbortSignal | undefined;
  /** Whether the process may exit during the wait. Default false. */
  readonly unref?: boolean;
}

/** Resolves after `ms` milliseconds, or as soon as the signal aborts; never rejects. */
export function sleep(ms: number, { signal, unref = false }: SleepOptions = {}): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    if (unref) timer.unref();
    if (signal?.aborted) done();
    else signal?.addEventListener('abort', done);
  });
}
