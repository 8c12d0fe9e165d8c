/** What a sweeper remembers of a room from probe to probe, on its own clock. Pure; observations are plain JSON. */

import { leaseAttribute } from '../rooms/lease.ts';
import type { ListedParticipant, ListedRoom } from '../rooms/rest/room-rest.ts';

/** What is known of a room. Times are milliseconds of the observer's clock, never of LiveKit's or a bot's. */
export interface Observation {
  /** Identifies the room, with `creationTimeMs`. */
  readonly sid: string;
  /** When the room was created, in milliseconds since 1970. */
  readonly creationTimeMs: number;
  /** When the newest successful probe was answered. */
  readonly probedMs: number;
  /** When a probe last failed, if one did since then. */
  readonly failedMs?: number;
  /** When the next probe is scheduled; one that comes much later finds a gap. */
  readonly dueMs: number;
  /**
   * Since when no bot has shown a sign of life; `undefined` when the newest probe found one. Moved forward by
   * unobserved time, so that the difference to now is observed time.
   */
  readonly silentSinceMs: number | undefined;
  /** Consecutive probes without a sign of life. */
  readonly silentProbes: number;
  /** The leases seen so far, by identity. */
  readonly leases: Readonly<Record<string, string>>;
  /** Failed deletions. */
  readonly failedReaps: number;
}

/** LiveKit's answer about a room. */
export interface ProbeAnswer {
  /** What is known about the room's identity. */
  readonly room: Pick<ListedRoom, 'sid' | 'creationTimeMs'>;
  /** The participants in the room. */
  readonly participants: readonly ListedParticipant[];
  /** Before the request was sent. */
  readonly askedMs: number;
  /** After the answer arrived. */
  readonly answeredMs: number;
}

/** How an answer is interpreted. */
export interface ObservationOptions {
  /** Whether a participant without a lease is a bot. */
  readonly isBot: (participant: ListedParticipant) => boolean;
  /** The usual interval; a probe may be late by twice as much, or by its scheduled interval if that is longer. */
  readonly pollMs: number;
  /** When observation was last known to be interrupted: the time between the probes around it does not count. */
  readonly lastGapMs?: number | undefined;
  /**
   * How much of a silence from before a failed probe counts after it, in milliseconds. The rest has to be observed
   * without a failure, which gives a bot that could not write its lease either the time to do so.
   *
   * @defaultValue 0
   */
  readonly carryOverMs?: number | undefined;
}

/** More than the bots of one room; participants may write any number of them. */
const maxLeases = 32;

/**
 * The observation after a successful probe. `dueMs` is the time of the answer; the engine sets it.
 *
 * A sign of life is a lease that differs from the remembered one, or a present bot without a lease. Time between two
 * probes with a failure in between is unobserved, and does not count. After a gap (the observer was frozen, LiveKit or
 * Redis away, a clock was set back) the observation is reset: unobserved time is not silence.
 */
export function observe(
  before: Observation | undefined,
  { room, participants, askedMs, answeredMs }: ProbeAnswer,
  options: ObservationOptions,
): Observation {
  const { sid, creationTimeMs } = room;
  const known = { sid, creationTimeMs, probedMs: answeredMs, dueMs: answeredMs };
  const present = participants.filter(({ state }) => state !== 'DISCONNECTED');
  const current = leasesOf(present);
  const isAlive = present.some((one) => leaseOf(one) === undefined && options.isBot(one));
  const tookTooLong = answeredMs - askedMs > options.pollMs;
  if (before === undefined || tookTooLong || isOutdated(before, room, askedMs, options)) {
    const silentSinceMs = isAlive ? undefined : answeredMs;
    const silentProbes = isAlive ? 0 : 1;
    return { ...known, silentSinceMs, silentProbes, leases: Object.fromEntries(current), failedReaps: 0 };
  }
  const leases = newest({ ...before.leases, ...Object.fromEntries(current) });
  if (isAlive || current.some(([identity, lease]) => before.leases[identity] !== lease)) {
    return { ...known, silentSinceMs: undefined, silentProbes: 0, leases, failedReaps: 0 };
  }
  const { silentProbes, failedReaps } = before;
  if (hasGap(before, askedMs, options)) {
    const { carryOverMs = 0 } = options;
    const silentMs = Math.max(0, before.probedMs - (before.silentSinceMs ?? before.probedMs));
    const silentSinceMs = answeredMs - Math.min(silentMs, carryOverMs);
    return { ...known, silentSinceMs, silentProbes: Math.max(1, silentProbes), leases, failedReaps };
  }
  // unchanged leases are so since the previous probe; a bot that is not listed may have left just now
  const stillListed = Object.keys(before.leases).length === current.length && current.length > 0;
  const silentSinceMs = before.silentSinceMs ?? (stillListed ? before.probedMs : answeredMs);
  return { ...known, silentSinceMs, silentProbes: silentProbes + 1, leases, failedReaps };
}

/** The observation after a failed probe: as before. `dueMs` is the time of the failure; the engine sets it. */
export function observeFailure(before: Observation | undefined, failedMs: number): Observation {
  return { ...(before ?? { ...nothing, probedMs: failedMs }), failedMs, dueMs: failedMs };
}

/** When the room was last probed, successfully or not. */
export function triedMs({ probedMs, failedMs = probedMs }: Observation): number {
  return failedMs;
}

/** Matches no room: the first successful probe resets it. */
const nothing = {
  sid: '',
  creationTimeMs: 0,
  silentSinceMs: undefined,
  silentProbes: 0,
  leases: {},
  failedReaps: 0,
} as const;

/** The lease of a participant; `undefined` without one. LiveKit removes empty attributes. */
export function leaseOf({ attributes }: ListedParticipant): string | undefined {
  return attributes[leaseAttribute] || undefined;
}

function leasesOf(participants: readonly ListedParticipant[]): [identity: string, lease: string][] {
  return participants.flatMap((one) => {
    const lease = leaseOf(one);
    return lease === undefined ? [] : [[one.identity, lease] as [string, string]];
  });
}

function newest(leases: Record<string, string>): Readonly<Record<string, string>> {
  const entries = Object.entries(leases);
  return entries.length <= maxLeases ? leases : Object.fromEntries(entries.slice(-maxLeases));
}

/** Whether an observation has to be reset: it is of another room, or older than the schedule allows. */
function isOutdated(
  before: Observation,
  room: ProbeAnswer['room'],
  askedMs: number,
  { pollMs }: ObservationOptions,
): boolean {
  const { probedMs, dueMs } = before;
  const toleranceMs = Math.max(2 * pollMs, dueMs - triedMs(before));
  return (
    before.sid !== room.sid ||
    before.creationTimeMs !== room.creationTimeMs ||
    askedMs < probedMs ||
    askedMs > dueMs + toleranceMs
  );
}

/** Whether a probe or a list failed since the previous probe. A gap in the future is one of a clock that was set back. */
function hasGap(
  { probedMs, failedMs }: Observation,
  askedMs: number,
  { lastGapMs = Number.NEGATIVE_INFINITY }: ObservationOptions,
): boolean {
  return failedMs !== undefined || (probedMs <= lastGapMs && lastGapMs <= askedMs);
}
