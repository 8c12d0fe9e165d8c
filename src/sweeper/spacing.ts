/** How often rooms are listed and looked at, so that the cost stays bounded as rooms become many. Pure. */

import { type Observation, triedMs } from './observation.ts';

/** So many rooms are looked at in every pass. */
const roomsPerPass = 1_000;
/** Listing may take a fifth of the time. */
const pausePerListing = 4;
/** After the first deletion that failed, and at most. */
const firstBackoffMs = 10_000;
const longestBackoffMs = 300_000;

/** After the first list that failed. */
const firstRetryMs = 1_000;

/** Less than this is a busy machine. */
const shortestHoldUpMs = 1_000;

/** What a pass took, in milliseconds. */
export interface PassCost {
  /** All of it, and the list alone. */
  readonly durationMs: number;
  readonly listMs: number;
}

/**
 * How long to wait after a pass, in milliseconds: what is left of the rhythm, longer where listing is slow.
 *
 * @param costs The newest passes; the cheapest one counts, because a process that was frozen is not slow.
 */
export function pauseMs(costs: readonly PassCost[], pollMs: number): number {
  const { durationMs, listMs } = cheapest(costs);
  return Math.max(pollMs - durationMs, listMs * pausePerListing, pollMs / 10);
}

/** How long from pass to pass. */
export function rhythmMs(costs: readonly PassCost[], pollMs: number): number {
  return Math.max(pollMs, cheapest(costs).durationMs + pauseMs(costs, pollMs));
}

/** Whether a list took so much longer than usual that LiveKit or this process must have stood still meanwhile. */
export function wasHeldUp(listMs: number, costs: readonly PassCost[], pollMs: number): boolean {
  const usualMs = costs.length > 0 ? cheapest(costs).listMs : 0;
  return listMs > Math.max(pollMs, shortestHoldUpMs, 2 * usualMs);
}

function cheapest(costs: readonly PassCost[]): PassCost {
  return {
    durationMs: Math.min(...costs.map(({ durationMs }) => durationMs)),
    listMs: Math.min(...costs.map(({ listMs }) => listMs)),
  };
}

/** What the time of the next look depends on. */
export interface SpacingPlan {
  readonly owned: number;
  readonly rhythmMs: number;
  readonly longestSpacingMs: number;
  /** How much later than planned this look was. Default 0. */
  readonly latenessMs?: number;
}

/**
 * When a room is due again, on the observer's clock.
 *
 * A silent room in the next pass, and so is one whose look failed; one with a living bot later, the more rooms
 * there are.
 */
export function dueMs({ lookedMs, failedMs, silentSinceMs }: Observation, plan: SpacingPlan): number {
  const { owned, rhythmMs, longestSpacingMs, latenessMs = 0 } = plan;
  // looks that come late are planned further apart, or none of them would ever count
  const soonestMs = Math.max(rhythmMs, Math.min(2 * latenessMs, longestSpacingMs));
  if (failedMs !== undefined) return failedMs + soonestMs;
  if (silentSinceMs !== undefined) return lookedMs + soonestMs;
  const spreadMs = Math.min(rhythmMs * Math.ceil(owned / roomsPerPass), longestSpacingMs);
  return lookedMs + Math.max(soonestMs, spreadMs);
}

/**
 * Whether a pass has to look at a room: the one that is nearest to the time, so that a pass in time does not come
 * too early. Also when the newest look lies ahead: the observer's clock was set back, as Redis's may be.
 */
export function isDue(seen: Observation | undefined, nowMs: number, rhythmMs: number): boolean {
  return seen === undefined || seen.dueMs <= nowMs + rhythmMs / 2 || triedMs(seen) > nowMs;
}

/**
 * How long to wait after so many lists in a row that failed: a second, or less where polls are short, and longer
 * and longer.
 */
export function retryMs(failures: number, { pollMs, longestMs }: RetryPlan): number {
  return Math.min(longestMs, Math.min(firstRetryMs, pollMs / 5) * 2 ** (failures - 1));
}

export interface RetryPlan {
  readonly pollMs: number;
  readonly longestMs: number;
}

/** How long a room is left alone after its deletion failed: it must not take the time of others. */
export function backoffMs(failures: number): number {
  return Math.min(longestBackoffMs, firstBackoffMs * 2 ** (failures - 1));
}
