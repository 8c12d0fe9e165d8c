/** Which of the rooms of one name is meant. Pure. */

import type { ListedRoom } from './room-rest.ts';

/** Which room is meant, where others may have one of the same name. */
export interface RoomIdentity {
  /** True when nobody else uses the name, as with generated names. */
  readonly owned: boolean;
  readonly sid?: string | undefined;
  readonly creationTimeMs?: number | undefined;
}

/** Whether it can be told from another room of the same name. */
export function isKnown({ sid, creationTimeMs }: RoomIdentity): boolean {
  return (sid ?? creationTimeMs) !== undefined;
}

/** `unknown` where nothing but the name is known of a room whose name others use too. */
export type Sameness = 'ours' | 'another' | 'unknown';

/** Whether a listed room is the one that is meant; under a name of our own, whatever comes back is. */
export function whichRoom(room: RoomIdentity, listed: ListedRoom): Sameness {
  const { owned, sid, creationTimeMs } = room;
  if (owned) return 'ours';
  if (!isKnown(room)) return 'unknown';
  const sameSid = sid === undefined || sid === listed.sid;
  // older servers list whole seconds
  const sameTime =
    creationTimeMs === undefined ||
    Math.floor(creationTimeMs / 1_000) === Math.floor(listed.creationTimeMs / 1_000);
  return sameSid && sameTime ? 'ours' : 'another';
}
