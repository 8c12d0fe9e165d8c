/** Which of the rooms of one name is meant, and whether it is listed. */

import type { ListedRoom, RestCallOptions, RoomRest } from './rest/room-rest.ts';

/** Which room is meant, where others may have one of the same name. */
export interface RoomIdentity {
  /** True when the name is used for one session only, as generated names are. */
  readonly owned: boolean;
  /** LiveKit's id. */
  readonly sid?: string | undefined;
  /** When the room was created, in milliseconds since 1970. */
  readonly creationTimeMs?: number | undefined;
}

/** Whether it can be distinguished from another room of the same name. */
export function isKnown({ sid, creationTimeMs }: RoomIdentity): boolean {
  return (sid ?? creationTimeMs) !== undefined;
}

/** `unknown`: only the name is known, which others use too. */
export type Sameness = 'ours' | 'another' | 'unknown';

/** Whether a listed room is the one that is meant; under an owned name it always is. */
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

/** The listed room of that name; `undefined` for a `rest` that cannot list. */
export async function findRoom(
  rest: RoomRest,
  roomName: string,
  options?: RestCallOptions,
): Promise<ListedRoom | 'absent' | undefined> {
  const listed = await rest.listRooms?.([roomName], options);
  return listed === undefined ? undefined : (listed.find(({ name }) => name === roomName) ?? 'absent');
}
