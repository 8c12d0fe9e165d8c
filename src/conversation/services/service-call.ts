/** One request to a service: bounded, abortable, and its errors by category. */

import type { ErrorCategory } from '../../frames/error-frame.ts';
import { EndframeError } from '../../lib/errors.ts';

/** A service that has said nothing for too long. */
export class ServiceTimeoutError extends EndframeError {
  override readonly name = 'ServiceTimeoutError';

  constructor(silenceMs: number) {
    super(`The service said nothing for ${silenceMs} ms`);
  }
}

/** Limits of an iteration. */
export interface ServiceCallLimits {
  /** Aborts it at once, also where the iteration ignores its own signal. */
  readonly signal: AbortSignal;
  /** Longest time between two values, in milliseconds; `null` for no limit. */
  readonly silenceMs: number | null;
}

/**
 * Iterates over what a service gives. Ends at once when the signal aborts or the service is silent for too long; the
 * service's own iteration is closed then, and not waited for.
 *
 * @throws {unknown} The signal's reason, a {@link ServiceTimeoutError}, or what the service throws.
 */
export async function* iterateBounded<T>(
  source: AsyncIterable<T>,
  { signal, silenceMs }: ServiceCallLimits,
): AsyncGenerator<T, void, void> {
  const iterator = source[Symbol.asyncIterator]();
  let isDone = false;
  try {
    while (true) {
      const next = await nextOf(iterator, signal, silenceMs);
      if (next.done === true) {
        isDone = true;
        return;
      }
      yield next.value;
    }
  } finally {
    // it may hang as well
    if (!isDone) iterator.return?.().then(undefined, () => {});
  }
}

function nextOf<T>(
  iterator: AsyncIterator<T>,
  signal: AbortSignal,
  silenceMs: number | null,
): Promise<IteratorResult<T>> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const onAbort = (): void => settle(() => reject(signal.reason));
    const timer =
      silenceMs === null
        ? undefined
        : setTimeout(() => settle(() => reject(new ServiceTimeoutError(silenceMs))), silenceMs);
    const settle = (act: () => void): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
      act();
    };
    signal.addEventListener('abort', onAbort, { once: true });
    iterator.next().then(
      (result) => settle(() => resolve(result)),
      (error) => settle(() => reject(error)),
    );
  });
}

const categories: Readonly<Record<number, ErrorCategory>> = {
  400: 'invalid_request',
  401: 'authentication',
  402: 'quota',
  403: 'authorization',
  404: 'invalid_request',
  408: 'connectivity',
  422: 'invalid_request',
  429: 'rate_limit',
};

/** The category of what a service has thrown: by its HTTP status, `statusCode` or `status`, or by its kind. */
export function categoryOf(error: unknown): ErrorCategory {
  if (error instanceof ServiceTimeoutError) return 'connectivity';
  const { statusCode, status = statusCode, code, cause } = (error ?? {}) as Record<string, unknown>;
  if (typeof status === 'number') return categories[status] ?? (status >= 500 ? 'server' : 'unknown');
  if (typeof code === 'string' && /^(E[A-Z]+|UND_ERR_\w+)$/.test(code)) return 'connectivity';
  if (error instanceof TypeError && error.message === 'fetch failed') return 'connectivity';
  return cause === undefined || cause === error ? 'unknown' : categoryOf(cause);
}
