/** What an observer remembers of a room from look to look, on its own clock. Pure, and plain JSON. */

import { leaseAttribute } from '../rooms/lease.ts';
import type { ListedParticipant, ListedRoom } from '../rooms/room-rest.ts';

/** Times are milliseconds of the observer's clock, never of LiveKit's or a bot's. */
export interface Observation {
  /** Which room it was: another sid or creation time is another room. */
  readonly sid: string;
  readonly creationTimeMs: number;
  /** When the newest look was answered. */
  readonly lookedMs: number;
  /** When a look failed last, if one did since then. */
  readonly failedMs?: number;
  /** When the next look is planned; one that comes much later finds a gap. */
  readonly dueMs: number;
  /**
   * Since when no bot has shown a sign of life; `undefined` when the newest look saw one. Moved on by the times
   * that were not observed, so that the difference to now is observed time.
   */
  readonly silentSinceMs: number | undefined;
  /** Looks in a row without one, the newest included. */
  readonly silentLooks: number;
  /** The leases seen so far, by identity. */
  readonly leases: Readonly<Record<string, string>>;
  /** Deletions that were tried and failed. */
  readonly failedReaps: number;
}

/** One answer of LiveKit about a room. */
export interface Look {
  readonly room: Pick<ListedRoom, 'sid' | 'creationTimeMs'>;
  readonly participants: readonly ListedParticipant[];
  /** Before the request left, and after the answer came: its truth lies somewhere in between. */
  readonly askedMs: number;
  readonly answeredMs: number;
}

export interface ObservationOptions {
  /** Who counts as a bot without a lease. */
  readonly isBot: (participant: ListedParticipant) => boolean;
  /** The usual rhythm; a look may be that much too late twice, or once more than it was planned ahead. */
  readonly pollMs: number;
  /** The observer knows that it was blind at this time: the time between the looks around it does not count. */
  readonly blindMs?: number | undefined;
  /**
   * How much of a silence from before a failed look counts after it, in milliseconds. The rest has to be observed
   * in one piece, in which a bot that could not write its lease either gets the time to do it. Default 0.
   */
  readonly carriedMs?: number | undefined;
}

/** Enough for every bot a room may see; what others write into their attributes must not grow without end. */
const mostLeases = 32;

/**
 * What is known after a look. `dueMs` is left at the look itself, for the planner to move.
 *
 * A sign of life is a lease that is not the one remembered, or a bot that has none and is present. Time between
 * two looks with a failure in between is not observed, and does not count. A look after a gap (the observer
 * frozen, LiveKit or Redis away, a clock that jumped) starts from nothing: the silence of the observer is not the
 * silence of the bot.
 */
export function observe(
  before: Observation | undefined,
  { room, participants, askedMs, answeredMs }: Look,
  options: ObservationOptions,
): Observation {
  const { sid, creationTimeMs } = room;
  const known = { sid, creationTimeMs, lookedMs: answeredMs, dueMs: answeredMs };
  const present = participants.filter(({ state }) => state !== 'DISCONNECTED');
  const current = leasesOf(present);
  const isAlive = present.some((one) => leaseOf(one) === undefined && options.isBot(one));
  const tookTooLong = answeredMs - askedMs > options.pollMs;
  if (before === undefined || tookTooLong || isVoid(before, room, askedMs, options)) {
    const silentSinceMs = isAlive ? undefined : answeredMs;
    const silentLooks = isAlive ? 0 : 1;
    return { ...known, silentSinceMs, silentLooks, leases: Object.fromEntries(current), failedReaps: 0 };
  }
  const leases = newest({ ...before.leases, ...Object.fromEntries(current) });
  if (isAlive || current.some(([identity, lease]) => before.leases[identity] !== lease)) {
    return { ...known, silentSinceMs: undefined, silentLooks: 0, leases, failedReaps: 0 };
  }
  const { silentLooks, failedReaps } = before;
  if (wasBlind(before, askedMs, options)) {
    const { carriedMs = 0 } = options;
    const silentMs = Math.max(0, before.lookedMs - (before.silentSinceMs ?? before.lookedMs));
    const silentSinceMs = answeredMs - Math.min(silentMs, carriedMs);
    return { ...known, silentSinceMs, silentLooks: Math.max(1, silentLooks), leases, failedReaps };
  }
  // leases that all stand still did so since they were seen; a bot that is gone may have gone just now
  const stillListed = Object.keys(before.leases).length === current.length && current.length > 0;
  const silentSinceMs = before.silentSinceMs ?? (stillListed ? before.lookedMs : answeredMs);
  return { ...known, silentSinceMs, silentLooks: silentLooks + 1, leases, failedReaps };
}

/** What is known after a look that failed: as much as before. `dueMs` is left at the failure. */
export function observeFailure(before: Observation | undefined, failedMs: number): Observation {
  return { ...(before ?? { ...nothing, lookedMs: failedMs }), failedMs, dueMs: failedMs };
}

/** When the room was looked at last, well or in vain. */
export function triedMs({ lookedMs, failedMs = lookedMs }: Observation): number {
  return failedMs;
}

/** Of no room: the first look that succeeds starts from nothing. */
const nothing = {
  sid: '',
  creationTimeMs: 0,
  silentSinceMs: undefined,
  silentLooks: 0,
  leases: {},
  failedReaps: 0,
} as const;

/** The lease of a participant; LiveKit removes attributes that are set to nothing. */
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
  return entries.length <= mostLeases ? leases : Object.fromEntries(entries.slice(-mostLeases));
}

function isVoid(
  before: Observation,
  room: Look['room'],
  askedMs: number,
  { pollMs }: ObservationOptions,
): boolean {
  const { lookedMs, dueMs } = before;
  const patienceMs = Math.max(2 * pollMs, dueMs - triedMs(before));
  return (
    before.sid !== room.sid ||
    before.creationTimeMs !== room.creationTimeMs ||
    askedMs < lookedMs ||
    askedMs > dueMs + patienceMs
  );
}

/** Whether a look or a list failed since the look before. A time that lies ahead is one of a clock that was set back. */
function wasBlind(
  { lookedMs, failedMs }: Observation,
  askedMs: number,
  { blindMs = Number.NEGATIVE_INFINITY }: ObservationOptions,
): boolean {
  return failedMs !== undefined || (lookedMs <= blindMs && blindMs <= askedMs);
}
