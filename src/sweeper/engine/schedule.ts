/** How often rooms are listed and probed, so that the cost stays bounded as rooms become many. Pure. */

import type { ListedRoom } from '../../rooms/rest/room-rest.ts';
import { type Observation, triedMs } from '../observation.ts';
import type { QueuedProbe } from './engine.ts';

/** This many rooms are probed in every pass. */
const roomsPerPass = 1_000;
/** Listing may take a fifth of the time. */
const pausePerListing = 4;
/** After the first failed deletion of a room, and the longest. */
const firstBackoffMs = 10_000;
const longestBackoffMs = 300_000;
/** After the first failed list. */
const firstRetryMs = 1_000;
/** Shorter delays are those of a busy machine. */
const shortestStallMs = 1_000;

/** What a pass took, in milliseconds. */
export interface PassCost {
  /** Without the wait for the turn. */
  readonly durationMs: number;
  /** The list alone. */
  readonly listMs: number;
}

/**
 * The pause after a pass, in milliseconds: the rest of the interval, longer where listing is slow.
 *
 * @param costs The newest passes; their minimum counts, because a process that was frozen is not slow.
 */
export function pauseMs(costs: readonly PassCost[], pollMs: number): number {
  const { durationMs, listMs } = cheapest(costs);
  return Math.max(pollMs - durationMs, listMs * pausePerListing, pollMs / 10);
}

/** The time from pass to pass, in milliseconds. */
export function passIntervalMs(costs: readonly PassCost[], pollMs: number): number {
  return Math.max(pollMs, cheapest(costs).durationMs + pauseMs(costs, pollMs));
}

/** Whether a list took so much longer than usual that LiveKit or this process must have been frozen. */
export function isStalled(listMs: number, costs: readonly PassCost[], pollMs: number): boolean {
  return listMs > Math.max(pollMs, shortestStallMs, 2 * cheapest(costs).listMs);
}

function cheapest(costs: readonly PassCost[]): PassCost {
  if (costs.length === 0) return { durationMs: 0, listMs: 0 };
  return {
    durationMs: Math.min(...costs.map(({ durationMs }) => durationMs)),
    listMs: Math.min(...costs.map(({ listMs }) => listMs)),
  };
}

/** What the time of the next probe depends on. */
export interface ProbePlan {
  /** Owned rooms. */
  readonly owned: number;
  /** From pass to pass, in milliseconds. */
  readonly intervalMs: number;
  /** The maximum time between two probes of a room, in milliseconds. */
  readonly longestSpacingMs: number;
  /** How much later than scheduled this probe was. */
  readonly latenessMs?: number;
}

/**
 * When a room is due again, on the observer's clock.
 *
 * A silent room, and one after a failed probe, in the next pass; one with a living bot later, the more rooms there
 * are.
 */
export function dueMs({ probedMs, failedMs, silentSinceMs }: Observation, plan: ProbePlan): number {
  const { owned, intervalMs, longestSpacingMs, latenessMs = 0 } = plan;
  // probes that are always late have to be scheduled further apart, or each would count as one after a gap
  const soonestMs = Math.max(intervalMs, Math.min(2 * latenessMs, longestSpacingMs));
  if (failedMs !== undefined) return failedMs + soonestMs;
  if (silentSinceMs !== undefined) return probedMs + soonestMs;
  const spreadMs = Math.min(intervalMs * Math.ceil(owned / roomsPerPass), longestSpacingMs);
  return probedMs + Math.max(soonestMs, spreadMs);
}

/**
 * Whether a pass has to probe a room: the pass nearest to its time does. Also when the newest probe lies in the
 * future, because the observer's clock was set back, as Redis's may be.
 */
export function isDue(seen: Observation | undefined, nowMs: number, intervalMs: number): boolean {
  return seen === undefined || seen.dueMs <= nowMs + intervalMs / 2 || triedMs(seen) > nowMs;
}

/** Silent rooms first, because their probes are urgent; failing rooms last, the longest unobserved first. */
export function probeOrder(
  rooms: readonly ListedRoom[],
  known: ReadonlyMap<string, Observation | undefined>,
): QueuedProbe[] {
  const rank = ({ name }: ListedRoom): number => {
    const { failedMs, silentSinceMs } = known.get(name) ?? {};
    return failedMs ?? (silentSinceMs === undefined ? -1 : -2);
  };
  const isFailing = ({ name }: ListedRoom): boolean => known.get(name)?.failedMs !== undefined;
  return rooms
    .toSorted((one, other) => rank(one) - rank(other))
    .map((room) => ({ room, failing: isFailing(room) }));
}

/** The limits of {@link retryMs}, in milliseconds. */
export interface RetryPlan {
  /** The interval of the passes, in milliseconds. */
  readonly pollMs: number;
  /** The maximum delay, in milliseconds. */
  readonly longestMs: number;
}

/** The pause after this many failures in a row: exponential, from a second or a fifth of a poll. */
export function retryMs(failures: number, { pollMs, longestMs }: RetryPlan): number {
  return Math.min(longestMs, Math.min(firstRetryMs, pollMs / 5) * 2 ** (failures - 1));
}

/** How long a room is left alone after this many failed deletions. */
export function backoffMs(failures: number): number {
  return Math.min(longestBackoffMs, firstBackoffMs * 2 ** (failures - 1));
}
