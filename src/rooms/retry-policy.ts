/** Which failed deletions are tried again, and when. Pure: shared with programs that load no rxjs. */

import type { LiveKitRESTError, LiveKitRESTErrorKind } from '../errors.ts';

const firstBackoffMs = 100;
const longestBackoffMs = 1_000;
/** Never in a tight loop, however the dice fall. */
const shortestWaitMs = 10;
/** What a last try needs; a long `Retry-After` is cut so that it still fits before the deadline. */
const lastTryMs = 500;

const retriedKinds: ReadonlySet<LiveKitRESTErrorKind> = new Set([
  'network',
  'timeout',
  'rate_limited',
  'unavailable',
]);

/** Whether the same request may succeed later; for a `bad_response`, only what broke off or is a wrong 200. */
export function isRetryable(
  kind: LiveKitRESTErrorKind,
  status: number | undefined,
  complete = true,
): boolean {
  return retriedKinds.has(kind) || (kind === 'bad_response' && (status === 200 || !complete));
}

/**
 * Whether the server may have acted although we were not told: a later `not_found` is then our own success.
 *
 * 502 and 504 come from a proxy that lost the answer; LiveKit's own `unavailable` says that
 * the room's node gave none.
 */
export function answerWasLost(error: Pick<LiveKitRESTError, 'kind' | 'status' | 'code'>): boolean {
  const { kind, status, code } = error;
  if (kind === 'network' || kind === 'timeout') return true;
  if (kind === 'bad_response') return status === 200;
  return status === 502 || status === 504 || code === 'unavailable';
}

export interface FailedAttempt {
  readonly error: Pick<LiveKitRESTError, 'retryable' | 'retryAfterMs'>;
  /** How many attempts there have been, from 1. */
  readonly attempts: number;
  /** Until the deadline, in milliseconds. */
  readonly remainingMs: number;
  /** From 0 to below 1. */
  readonly random: number;
}

/**
 * How long to wait before the next attempt, in milliseconds; `undefined` when there is none.
 *
 * Exponential backoff with full jitter, on top of what the server asked for. A wait that would reach past the
 * deadline is shortened once, for a last try just before it.
 */
export function retryDelayMs({ error, attempts, remainingMs, random }: FailedAttempt): number | undefined {
  if (!error.retryable) return undefined;
  const backoffMs = random * Math.min(longestBackoffMs, firstBackoffMs * 2 ** (attempts - 1));
  const wantedMs = Math.max(shortestWaitMs, (error.retryAfterMs ?? 0) + backoffMs);
  const longestMs = remainingMs - lastTryMs;
  return longestMs < shortestWaitMs ? undefined : Math.min(wantedMs, longestMs);
}

/**
 * What a `Retry-After` header asks for, in milliseconds from now; `undefined` for a date that has passed and
 * for everything that is neither whole seconds nor an HTTP date.
 */
export function parseRetryAfter(header: string | null, nowMs: number): number | undefined {
  const text = header?.trim() ?? '';
  if (/^\d+$/.test(text)) return Math.min(Number(text) * 1_000, Number.MAX_SAFE_INTEGER);
  // Date.parse alone would take "-1" and "1.5" for dates
  if (!/^[A-Z][a-z]+, .* GMT$/.test(text)) return undefined;
  const waitMs = Date.parse(text) - nowMs;
  return waitMs > 0 ? waitMs : undefined;
}
