/** Which rooms are owned, and which of them are orphans: the only code that decides on deletion. Pure. */

import type { ListedParticipant, ListedRoom } from '../rooms/rest/room-rest.ts';
import { isGeneratedRoomName } from '../rooms/room-name.ts';
import { leaseOf, type Observation } from './observation.ts';

/** Which rooms a sweeper may delete. */
export interface OwnershipRule {
  /** The prefix of the names of owned rooms. */
  readonly prefix: string;
  /**
   * `required`: besides the prefix, a generated name or the key in the room's metadata. `prefix-only` is for bots in
   * other languages, whose rooms have nothing else: no other rooms may have the prefix then.
   */
  readonly marker: 'required' | 'prefix-only';
  /** A key of the room's metadata, as a JSON object; its value must be neither `false` nor `null`. */
  readonly metadataKey: string;
}

/** `unmarked`: has the prefix and no marker, which may have been overwritten. */
export type Ownership = 'ours' | 'unmarked' | 'foreign';

/** Whether a sweeper may delete a room. An empty prefix owns nothing. */
export function ownershipOf(
  { name, metadata }: Pick<ListedRoom, 'name' | 'metadata'>,
  { prefix, marker, metadataKey }: OwnershipRule,
): Ownership {
  if (prefix === '' || !name.startsWith(prefix)) return 'foreign';
  if (marker === 'prefix-only' || isGeneratedRoomName(name)) return 'ours';
  return hasKey(metadata, metadataKey) ? 'ours' : 'unmarked';
}

function hasKey(metadata: string, key: string): boolean {
  if (!metadata.startsWith('{')) return false;
  try {
    const json = JSON.parse(metadata) as Record<string, unknown>;
    return Object.hasOwn(json, key) && json[key] !== false && json[key] !== null;
  } catch {
    return false;
  }
}

/** When an owned room is an orphan. */
export interface OrphanPolicyOptions extends OwnershipRule {
  /** After how long an unchanged lease means that its bot is dead, in milliseconds of observed time. */
  readonly leaseTtlMs: number;
  /** How long a room may be without a bot, if no lease was seen in it, in milliseconds of observed time. */
  readonly graceMs: number;
  /** The maximum age of a room in milliseconds, occupied or not; `null`: unlimited. */
  readonly maxSessionMs: number | null;
  /**
   * LiveKit's time, milliseconds since 1970, or an earlier one; `undefined` when it is unknown. A wrong local
   * calendar alone must not make rooms too old.
   */
  readonly serverTimeMs: number | undefined;
}

/**
 * `not-ours`: without the prefix. `marker-missing`: with the prefix and without a marker. `watching`: silent for not
 * long enough.
 */
export type KeepReason = 'not-ours' | 'marker-missing' | 'bot-alive' | 'watching';

/** `lease-expired`: a bot is listed and its event loop is blocked. `bot-gone`: no bot is listed. */
export type DeleteReason = 'bot-gone' | 'lease-expired' | 'too-old';

/** What to do with a room, and why. */
export type OrphanDecision =
  | { readonly action: 'keep'; readonly reason: KeepReason }
  | { readonly action: 'delete'; readonly reason: DeleteReason };

/** The least number of consecutive silent probes, however long the silence. */
const minSilentProbes = 3;

/**
 * Decides about one room.
 *
 * @param participants The answer of the newest probe.
 * @param observation The result of {@link observe} for it.
 * @param nowMs When that probe was sent, on the observer's clock.
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
  const { silentSinceMs, silentProbes, leases } = observation;
  if (silentSinceMs === undefined) return { action: 'keep', reason: 'bot-alive' };
  const limitMs = Object.keys(leases).length > 0 ? options.leaseTtlMs : options.graceMs;
  if (silentProbes < minSilentProbes || nowMs - silentSinceMs < limitMs)
    return { action: 'keep', reason: 'watching' };
  const isListed = participants.some((one) => one.state !== 'DISCONNECTED' && leaseOf(one) !== undefined);
  return { action: 'delete', reason: isListed ? 'lease-expired' : 'bot-gone' };
}

function isTooOld({ creationTimeMs }: ListedRoom, options: OrphanPolicyOptions): boolean {
  const { maxSessionMs, serverTimeMs } = options;
  if (maxSessionMs === null || serverTimeMs === undefined || creationTimeMs <= 0) return false;
  return serverTimeMs - creationTimeMs > maxSessionMs;
}
