/** Deletes a room: decide, attempt, wait, try again, outcome. For the deleter and the guardian alike; no rxjs. */

import { LiveKitRESTError } from '../lib/errors.ts';
import { sleep } from '../lib/timeout.ts';
import type { DeletionTrigger } from './delete-when.ts';
import { toLiveKitRESTError } from './rest/rest-error.ts';
import type { RoomRest } from './rest/room-rest.ts';
import { answerWasLost, isWorthWaiting, nodeMayBeLost, retryDelayMs } from './retry-policy.ts';
import { findRoom, isKnown, type RoomIdentity, whichRoom } from './room-identity.ts';

/** The one result of a room's deletion. */
export interface RoomDeletionOutcome {
  /** `handed-over`: the deadline passed and a guardian goes on trying. After `failed` the room may remain. */
  readonly status: 'deleted' | 'already-gone' | 'kept' | 'handed-over' | 'failed';
  /** The room's name. */
  readonly roomName: string;
  /** What ordered the deletion. */
  readonly trigger: DeletionTrigger;
  /** How many there were; each sends the requests that the room's state needs. */
  readonly attempts: number;
  /** From the order to the outcome, in milliseconds. */
  readonly elapsedMs: number;
  /** The failure of the last attempt, where the room may remain. */
  readonly error?: LiveKitRESTError;
}

/** Whether the room does not exist any more. */
export function isGone({ status }: Pick<RoomDeletionOutcome, 'status'>): boolean {
  return status === 'deleted' || status === 'already-gone';
}

/** Whether the room may still exist, as far as this process will know. */
export function mayRemain({ status }: Pick<RoomDeletionOutcome, 'status'>): boolean {
  return status === 'failed' || status === 'handed-over';
}

/** Time and chance of a deletion; virtual in tests. */
export interface Clock {
  /** Milliseconds of a clock that never goes back. */
  now(): number;
  /** Resolves after `ms` milliseconds, or when the signal aborts. */
  sleep(ms: number, signal: AbortSignal): Promise<unknown>;
  /** From 0 to below 1. */
  random(): number;
}

const systemClock: Clock = {
  now: () => performance.now(),
  sleep: (ms, signal) => sleep(ms, { signal }),
  random: () => Math.random(),
};

/** `gone`: there is no room to delete. */
export type Decision = 'delete' | 'keep' | 'gone';

/** The room, the limits, and what may end its deletion early. */
export interface RoomDeletion {
  /** The REST client of LiveKit. */
  readonly rest: RoomRest;
  /** The room's name. */
  readonly roomName: string;
  /** What is known about the room's identity. */
  readonly room: RoomIdentity;
  /** For the decisions and all attempts together, in milliseconds. */
  readonly limitMs: number;
  /** Called before each attempt, numbered from 1; a rejection counts as a failed one. Default: `delete`. */
  readonly decide?: (attempt: number, signal: AbortSignal) => Decision | Promise<Decision>;
  /** Default: `error.retryable`. */
  readonly isRetryable?: (error: LiveKitRESTError) => boolean;
  /** Longest backoff between two attempts, in milliseconds. Default 1_000. */
  readonly maxBackoffMs?: number;
  /** Aborts with the reason `gone` or `kept` when no deletion is needed any more; see `deleteRoom`. */
  readonly needless: AbortSignal;
  /** Ends the deletion at once: it has failed then. */
  readonly signal?: AbortSignal;
  /** Called before each wait for a further attempt. */
  readonly onRetry?: (fields: { attempts: number; waitMs: number; error: LiveKitRESTError }) => void;
  /** Default: the system's. */
  readonly clock?: Clock;
}

/** The result of `deleteRoom`; see {@link RoomDeletionOutcome}. */
export interface DeletionResult extends Pick<RoomDeletionOutcome, 'attempts' | 'elapsedMs' | 'error'> {
  /** The result: `deleted`; `already-gone` without a deletion of our own; `kept` by decision; `failed`. */
  readonly status: 'deleted' | 'already-gone' | 'kept' | 'failed';
}

/**
 * Decides, deletes and retries until there is a result; never rejects.
 *
 * `needless` ends decisions and waits at once. A request under way is finished first, and its answer counts:
 * LiveKit stops its cleanup when the caller hangs up. The limit and `signal` abort the request.
 */
export async function deleteRoom(deletion: RoomDeletion): Promise<DeletionResult> {
  const { roomName, limitMs, decide = () => 'delete', needless, signal, clock = systemClock } = deletion;
  const { isRetryable = ({ retryable }) => retryable, maxBackoffMs, onRetry } = deletion;
  const startedMs = clock.now();
  const over = new AbortController();
  const idle = AbortSignal.any([needless, over.signal]);
  let attempts = 0;
  let answerLost = false;
  let isLost = false;
  let lastError: LiveKitRESTError | undefined;

  const end = (status: DeletionResult['status'], error?: LiveKitRESTError): DeletionResult => {
    const elapsedMs = Math.round(clock.now() - startedMs);
    return { status, attempts, elapsedMs, ...(error && { error }) };
  };
  const gone = (): DeletionResult => end(answerLost ? 'deleted' : 'already-gone');
  const cutOff = (body: string): DeletionResult =>
    end('failed', lastError ?? new LiveKitRESTError(roomName, { kind: 'timeout', retryable: true, body }));
  const interrupted = new Promise<undefined>((resolve) => {
    idle.addEventListener('abort', () => resolve(undefined));
  });

  const work = async (): Promise<DeletionResult> => {
    for (let round = 1; !idle.aborted; round += 1) {
      try {
        const decided = decide(round, idle);
        // without a promise the request is sent before `deleteRoom` returns
        const decision = typeof decided === 'string' ? decided : await Promise.race([decided, interrupted]);
        if (idle.aborted) break;
        if (decision !== 'delete') return end(decision === 'keep' ? 'kept' : 'already-gone');
        attempts += 1;
        const result = await attemptDeletion({ ...deletion, nodeMayBeLost: isLost, signal: over.signal });
        return result === 'deleted' ? end('deleted') : gone();
      } catch (thrown) {
        const error = toLiveKitRESTError(roomName, thrown);
        if (error.kind === 'not_found') return gone();
        lastError = error;
        answerLost ||= answerWasLost(error);
        isLost ||= nodeMayBeLost(error);
        if (idle.aborted) break;
        const failed = { retryable: isRetryable(error), retryAfterMs: error.retryAfterMs };
        const remainingMs = limitMs - (clock.now() - startedMs);
        const backoff = { attempts: round, remainingMs, random: clock.random(), maxBackoffMs };
        const waitMs = retryDelayMs({ error: failed, ...backoff });
        if (waitMs === undefined) return end('failed', error);
        onRetry?.({ attempts, waitMs, error });
        await clock.sleep(waitMs, idle);
      }
    }
    return needless.reason === 'kept' ? end('kept') : gone();
  };

  if (signal?.aborted) return cutOff('stopped by the caller');
  const stopped = new Promise<DeletionResult>((resolve) => {
    const stop = (): void => resolve(cutOff('stopped by the caller'));
    signal?.addEventListener('abort', stop, { signal: over.signal });
  });
  const result = work();
  const deadline = clock.sleep(limitMs, over.signal).then(() => cutOff(`not done within ${limitMs} ms`));
  try {
    return await Promise.race([result, stopped, deadline]);
  } finally {
    over.abort();
  }
}

/** One attempt; see `attemptDeletion`. */
export interface DeletionAttempt extends Pick<RoomDeletion, 'rest' | 'roomName' | 'room' | 'signal'> {
  /** An earlier attempt met the answer of a lost node; see `nodeMayBeLost`. */
  readonly nodeMayBeLost: boolean;
}

/**
 * Deletes the room; where its node may be lost and it is still listed, `CreateRoom` goes before.
 *
 * Steps that the `rest` does not have are left out. A room of the same name that is known to be another is not
 * touched: the one that was meant is gone then.
 *
 * @throws {LiveKitRESTError} As the deletion did; `not_found` too.
 */
export async function attemptDeletion(attempt: DeletionAttempt): Promise<'deleted' | 'gone'> {
  const { rest, roomName, room, nodeMayBeLost, signal } = attempt;
  const mustMatch = !room.owned && isKnown(room);
  if (rest.listRooms !== undefined && (mustMatch || nodeMayBeLost)) {
    const canIgnore = (error: LiveKitRESTError): boolean => !mustMatch && !isWorthWaiting(error);
    const listed = await ignoring(canIgnore, () => findRoom(rest, roomName, { signal }));
    if (listed === 'absent') return 'gone';
    if (typeof listed === 'object' && mustMatch && whichRoom(room, listed) === 'another') return 'gone';
    if (nodeMayBeLost && listed !== undefined) {
      // fails for some seconds after the node has died; deleting would take 3 s to fail as well
      const create = async () => rest.createRoom?.(roomName, { signal });
      await ignoring(({ retryable }) => !retryable, create);
    }
  }
  await rest.deleteRoomByName(roomName, { signal });
  return 'deleted';
}

/** The result of a step of which minor failures must not prevent the deletion; `undefined` for such a failure. */
async function ignoring<T>(
  canIgnore: (error: LiveKitRESTError) => boolean,
  step: () => Promise<T>,
): Promise<T | undefined> {
  try {
    return await step();
  } catch (thrown) {
    if (!canIgnore(toLiveKitRESTError('', thrown))) throw thrown;
    return undefined;
  }
}
