/** One attempt at deleting a room. Shared with the guardian, which loads no rxjs. */

import type { LiveKitRESTError } from '../lib/errors.ts';
import { asRestError } from './foreign-error.ts';
import { isKnown, type RoomIdentity, whichRoom } from './room-identity.ts';
import type { ListedRoom, RestCallOptions, RoomRest } from './room-rest.ts';

export interface DeletionAttempt {
  readonly rest: RoomRest;
  readonly roomName: string;
  readonly room: RoomIdentity;
  /** An earlier attempt met what a lost node answers; see `nodeMayBeLost`. */
  readonly nodeMayBeLost: boolean;
  readonly signal: AbortSignal;
}

/**
 * Deletes the room, by way of `CreateRoom` where its node may be lost and it is still listed.
 *
 * Steps that the `rest` cannot do are left out. A room of the same name that is known to be another is not
 * touched: the one that was meant is gone then.
 *
 * @throws {LiveKitRESTError} As the deletion did; `not_found` too.
 */
export async function attemptDeletion(attempt: DeletionAttempt): Promise<'deleted' | 'gone'> {
  const { rest, roomName, room, nodeMayBeLost, signal } = attempt;
  const mustMatch = !room.owned && isKnown(room);
  if (rest.listRooms !== undefined && (mustMatch || nodeMayBeLost)) {
    const isMinor = (error: LiveKitRESTError): boolean => !mustMatch && !isWorthWaiting(error);
    const listed = await orNothing(isMinor, () => findRoom(rest, roomName, { signal }));
    if (listed === 'absent') return 'gone';
    if (typeof listed === 'object' && mustMatch && whichRoom(room, listed) === 'another') return 'gone';
    if (nodeMayBeLost && listed !== undefined) {
      // fails for some seconds after the node has died; deleting would take 3 s to fail as well
      await orNothing(
        ({ retryable }) => !retryable,
        async () => rest.createRoom?.(roomName, { signal }),
      );
    }
  }
  await rest.deleteRoomByName(roomName, { signal });
  return 'deleted';
}

/** The listed room of that name; `undefined` when this `rest` cannot tell. */
export async function findRoom(
  rest: RoomRest,
  roomName: string,
  options: RestCallOptions,
): Promise<ListedRoom | 'absent' | undefined> {
  const listed = await rest.listRooms?.([roomName], options);
  return listed === undefined ? undefined : (listed.find(({ name }) => name === roomName) ?? 'absent');
}

/** The server is away or busy: any other request would meet the same. */
export function isWorthWaiting({ kind }: LiveKitRESTError): boolean {
  return kind === 'network' || kind === 'timeout' || kind === 'rate_limited';
}

/** A step on the way that fails in a minor way must not keep the deletion from being tried. */
async function orNothing<T>(
  isMinor: (error: LiveKitRESTError) => boolean,
  step: () => Promise<T>,
): Promise<T | undefined> {
  try {
    return await step();
  } catch (thrown) {
    if (!isMinor(asRestError('', thrown))) throw thrown;
    return undefined;
  }
}
