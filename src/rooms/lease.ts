/** The lease: a counter in a bot's participant attributes that only a living event loop increments. No rxjs. */

import { toLiveKitRESTError } from './rest/rest-error.ts';
import type { ListedParticipant, RoomRest } from './rest/room-rest.ts';

/**
 * The participant attribute that holds it: `4f0c2a9be117.42`, a random run of the bot and its beats so far, from 0.
 *
 * Observers compare only whether it changed.
 */
export const leaseAttribute = 'endframe.lease';

/** Interval of the beats, in milliseconds. Observers wait for several before they act. */
export const leaseBeatMs = 5_000;

/** Where to look for a living bot. */
export interface LeaseQuery {
  /** The REST client of LiveKit. */
  readonly rest: RoomRest;
  /** The room's name. */
  readonly roomName: string;
  /** Waits, in milliseconds. */
  readonly sleep: (ms: number) => Promise<unknown>;
  /** Whether a participant counts. Default: all do. */
  readonly counts?: (participant: ListedParticipant) => boolean;
}

/** As sweepers have it: a lease that has not changed for longer belongs to a dead bot. */
const leaseTtlMs = 30_000;

/**
 * Whether the lease of a bot in the room changes.
 *
 * One reading proves presence only, and a killed bot is listed for 20 s; two readings, a beat apart, prove that its
 * event loop turns. Without a lease in the room the answer is immediate; an agent without one, as it is after
 * joining, has until the next reading to write it. An unchanged lease is read for 30 s.
 *
 * @returns False as well where `rest` cannot list participants, or LiveKit refuses to.
 * @throws {LiveKitRESTError} LiveKit does not answer, but may later.
 */
export async function hasLivingBot(query: LeaseQuery): Promise<boolean> {
  let before = await readLeases(query);
  for (let waitedMs = 0; waitedMs < leaseTtlMs && before.size > 0; waitedMs += leaseBeatMs) {
    await query.sleep(leaseBeatMs);
    const now = await readLeases(query);
    if ([...now].some(([sid, lease]) => before.has(sid) && before.get(sid) !== lease)) return true;
    before = new Map([...now].filter(([sid, lease]) => lease !== undefined || !before.has(sid)));
  }
  return false;
}

/** The lease of each bot by its participant sid; `undefined` for an agent without one. */
async function readLeases(query: LeaseQuery): Promise<ReadonlyMap<string, string | undefined>> {
  const { rest, roomName, counts = () => true } = query;
  const inside = await rest.listParticipants?.(roomName).catch((thrown: unknown) => {
    const error = toLiveKitRESTError(roomName, thrown);
    if (error.retryable) throw error;
    return [];
  });
  const leases = new Map<string, string | undefined>();
  for (const one of inside ?? []) {
    const lease = one.attributes[leaseAttribute] || undefined;
    const isBot = lease !== undefined || one.isAgent;
    if (isBot && one.state !== 'DISCONNECTED' && counts(one)) leases.set(one.sid, lease);
  }
  return leases;
}
