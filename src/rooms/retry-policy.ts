/** Which failed requests are retried, and when. Pure; no rxjs. */

import type { LiveKitRESTError, LiveKitRESTErrorKind } from '../lib/errors.ts';

const firstBackoffMs = 100;
/** Prevents a tight loop for any jitter. */
const shortestWaitMs = 10;
/** Reserved for a last attempt; a long `Retry-After` is shortened to leave it. */
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
 * Whether the server may have deleted the room although its answer was lost: a later `not_found` is a success then.
 *
 * 502 and 504 come from a proxy that lost the answer; with LiveKit's own `unavailable` the room's node gave none.
 */
export function answerWasLost(error: Pick<LiveKitRESTError, 'kind' | 'status' | 'code'>): boolean {
  const { kind, status, code } = error;
  if (kind === 'network' || kind === 'timeout') return true;
  if (kind === 'bad_response') return status === 200;
  return status === 502 || status === 504 || code === 'unavailable';
}

/**
 * Whether the room's node may be dead, so that `DeleteRoom` never works: LiveKit then answers 503 after 3 s,
 * or not within our time limit, and 500 once the dead node's record is gone.
 *
 * What helps is `CreateRoom`, which gives the room to another node, and then `DeleteRoom`.
 */
export function nodeMayBeLost(
  error: Pick<LiveKitRESTError, 'kind' | 'status' | 'code' | 'message'>,
): boolean {
  const { kind, status, code, message } = error;
  if (kind === 'timeout' || code === 'unavailable') return true;
  return status === 500 && message.includes('could not find object');
}

/** Whether the server is away or busy, so that any other request would meet the same. */
export function isWorthWaiting({ kind }: Pick<LiveKitRESTError, 'kind'>): boolean {
  return kind === 'network' || kind === 'timeout' || kind === 'rate_limited';
}

/** Whether to retry for minutes: also the wrong answer of a proxy, which may be repaired. */
export function mayGetBetter({ retryable, kind }: Pick<LiveKitRESTError, 'retryable' | 'kind'>): boolean {
  return retryable || kind === 'bad_response';
}

/** The input of a retry decision. */
export interface FailedAttempt {
  /** The error of the attempt. */
  readonly error: Pick<LiveKitRESTError, 'retryable' | 'retryAfterMs'>;
  /** How many attempts there have been, from 1. */
  readonly attempts: number;
  /** Until the deadline, in milliseconds. */
  readonly remainingMs: number;
  /** From 0 to below 1. */
  readonly random: number;
  /** Longest wait without a `Retry-After`, in milliseconds. Default 1_000. */
  readonly maxBackoffMs?: number | undefined;
}

/**
 * How long to wait before the next attempt, in milliseconds; `undefined` when there is none.
 *
 * Exponential backoff with full jitter, added to `Retry-After`. A wait that would reach past the
 * deadline is shortened once, for a last try just before it.
 */
export function retryDelayMs(failed: FailedAttempt): number | undefined {
  const { error, attempts, remainingMs, random, maxBackoffMs = 1_000 } = failed;
  if (!error.retryable) return undefined;
  const backoffMs = random * Math.min(maxBackoffMs, firstBackoffMs * 2 ** (attempts - 1));
  const wantedMs = Math.max(shortestWaitMs, (error.retryAfterMs ?? 0) + backoffMs);
  const longestMs = remainingMs - lastTryMs;
  return longestMs < shortestWaitMs ? undefined : Math.min(wantedMs, longestMs);
}
