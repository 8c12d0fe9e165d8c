/** Which failed deletions are tried again, and when. Pure: shared with programs that load no rxjs. */

import type { LiveKitRESTError, LiveKitRESTErrorKind } from '../lib/errors.ts';

const firstBackoffMs = 100;
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

/** What is worth minutes of patience: also what no LiveKit has answered, but a proxy that may be right again. */
export function mayGetBetter({ retryable, kind }: Pick<LiveKitRESTError, 'retryable' | 'kind'>): boolean {
  return retryable || kind === 'bad_response';
}

export interface FailedAttempt {
  readonly error: Pick<LiveKitRESTError, 'retryable' | 'retryAfterMs'>;
  /** How many attempts there have been, from 1. */
  readonly attempts: number;
  /** Until the deadline, in milliseconds. */
  readonly remainingMs: number;
  /** From 0 to below 1. */
  readonly random: number;
  /** The most that is waited without being asked to, in milliseconds. Default 1 000. */
  readonly longestBackoffMs?: number;
}

/**
 * How long to wait before the next attempt, in milliseconds; `undefined` when there is none.
 *
 * Exponential backoff with full jitter, on top of what the server asked for. A wait that would reach past the
 * deadline is shortened once, for a last try just before it.
 */
export function retryDelayMs(failed: FailedAttempt): number | undefined {
  const { error, attempts, remainingMs, random, longestBackoffMs = 1_000 } = failed;
  if (!error.retryable) return undefined;
  const backoffMs = random * Math.min(longestBackoffMs, firstBackoffMs * 2 ** (attempts - 1));
  const wantedMs = Math.max(shortestWaitMs, (error.retryAfterMs ?? 0) + backoffMs);
  const longestMs = remainingMs - lastTryMs;
  return longestMs < shortestWaitMs ? undefined : Math.min(wantedMs, longestMs);
}

/** How far the looks have come that follow a deletion. */
export interface LookProgress {
  /** Looks that found nothing, since the room was last deleted. */
  readonly clear: number;
  /** Looks in a row that got no answer. */
  readonly unanswered: number;
  /** Waited since the first deletion, in milliseconds. */
  readonly waitedMs: number;
}

export type LookResult = 'clear' | 'reappeared' | 'unanswered';

export const beforeFirstLook: LookProgress = { clear: 0, unanswered: 0, waitedMs: 0 };

/** Between the deletion and the looks at about 1, 6 and 20 s; a join in flight comes back after 15 s. */
const lookWaitsMs = [1_000, 5_000, 14_000];
/** Between looks that get no answer, at most. */
const longestLookWaitMs = 14_000;
/** A room that comes back for longer than this, or that nobody can tell about, is left to a sweeper. */
const lastLookMs = 120_000;

/** How long to wait before the next look, in milliseconds; `undefined` when there is none. */
export function nextLookDelayMs({ clear, unanswered, waitedMs }: LookProgress): number | undefined {
  const nextMs = lookWaitsMs[clear];
  if (nextMs === undefined) return undefined;
  const waitMs = Math.min(longestLookWaitMs, nextMs * 2 ** unanswered);
  return waitedMs + waitMs > lastLookMs ? undefined : waitMs;
}

/** A room that has come back is looked after from the beginning. */
export function afterLook(progress: LookProgress, waitMs: number, result: LookResult): LookProgress {
  return {
    clear: result === 'reappeared' ? 0 : progress.clear + (result === 'clear' ? 1 : 0),
    unanswered: result === 'unanswered' ? progress.unanswered + 1 : 0,
    waitedMs: progress.waitedMs + waitMs,
  };
}

/**
 * What a `Retry-After` header asks for, in milliseconds from now; `undefined` for a date that has passed and
 * for everything that is neither whole seconds nor an HTTP date.
 */
export function parseRetryAfter(header: string | null, nowMs: number): number | undefined {
  const text = header?.trim() ?? '';
  if (/^\d+$/.test(text)) return Math.min(Number(text) * 1_000, Number.MAX_SAFE_INTEGER);
  const waitMs = (parseHttpDate(text) ?? 0) - nowMs;
  return waitMs > 0 ? waitMs : undefined;
}

/** Milliseconds since 1970; `undefined` for everything that is no HTTP date. */
export function parseHttpDate(header: string | null): number | undefined {
  const text = header?.trim() ?? '';
  // Date.parse alone would take "-1" and "1.5" for dates
  const time = /^[A-Z][a-z]+, .* GMT$/.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(time) ? undefined : time;
}
