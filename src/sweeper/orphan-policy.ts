/** Whether a room is an orphan, and why: the one place that can sentence a room. Pure. */

import type { ListedParticipant, ListedRoom } from '../rooms/room-rest.ts';
import { leaseOf, type Observation } from './observation.ts';
import { type OwnershipRule, ownershipOf } from './ownership.ts';

export interface OrphanPolicyOptions extends OwnershipRule {
  /** How long a lease may stand still before its bot counts as dead, in milliseconds of observed time. */
  readonly leaseTtlMs: number;
  /** How long a room may be without a bot, when the bots that were seen in it had no lease. */
  readonly graceMs: number;
  /** How old a room may become, whoever is in it; `null`: as old as it likes. */
  readonly maxSessionMs: number | null;
  /**
   * LiveKit's time now, milliseconds since 1970, or an earlier one; `undefined` when it is not known. The
   * observer's own calendar must not decide: a wrong one would make every room too old.
   */
  readonly serverTimeMs: number | undefined;
}

/**
 * `not-ours`: the name says so. `marker-missing`: only the name says it is ours, which is not enough. `watching`:
 * silent, and not for long enough.
 */
export type KeepReason = 'not-ours' | 'marker-missing' | 'bot-alive' | 'watching';

/** `lease-expired`: a bot is listed and its JavaScript loop is dead. `bot-gone`: none is listed. */
export type DeleteReason = 'bot-gone' | 'lease-expired' | 'too-old';

export type OrphanDecision =
  | { readonly action: 'keep'; readonly reason: KeepReason }
  | { readonly action: 'delete'; readonly reason: DeleteReason };

/** However long the silence: so many looks must have seen it. */
const leastLooks = 3;

/**
 * Decides about one room.
 *
 * @param participants Who is listed in it, from the newest look.
 * @param observation What {@link observe} made of that look.
 * @param nowMs When that look was asked for, on the observer's clock.
 */
export function decideOrphan(
  room: ListedRoom,
  participants: readonly ListedParticipant[],
  observation: Observation,
  nowMs: number,
  options: OrphanPolicyOptions,
): OrphanDecision {
  const ownership = ownershipOf(room, options);
  if (ownership === 'foreign') return { action: 'keep', reason: 'not-ours' };
  if (ownership === 'unmarked') return { action: 'keep', reason: 'marker-missing' };
  if (isTooOld(room, options)) return { action: 'delete', reason: 'too-old' };
  const { silentSinceMs, silentLooks, leases } = observation;
  if (silentSinceMs === undefined) return { action: 'keep', reason: 'bot-alive' };
  const limitMs = Object.keys(leases).length > 0 ? options.leaseTtlMs : options.graceMs;
  if (silentLooks < leastLooks || nowMs - silentSinceMs < limitMs)
    return { action: 'keep', reason: 'watching' };
  const isListed = participants.some((one) => one.state !== 'DISCONNECTED' && leaseOf(one) !== undefined);
  return { action: 'delete', reason: isListed ? 'lease-expired' : 'bot-gone' };
}

function isTooOld({ creationTimeMs }: ListedRoom, options: OrphanPolicyOptions): boolean {
  const { maxSessionMs, serverTimeMs } = options;
  if (maxSessionMs === null || serverTimeMs === undefined || creationTimeMs <= 0) return false;
  return serverTimeMs - creationTimeMs > maxSessionMs;
}
