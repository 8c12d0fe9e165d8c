import type { Logger } from '../../lib/logger.ts';
import type { RoomRest } from '../../rooms/room-rest.ts';
import { withRetries } from './with-retries.ts';

export interface JoinedRoom {
  readonly roomName: string;
  /** Of the room that was joined. */
  readonly sid: string;
  /** Whether the bot has left it, so that nobody needs to know any more. */
  readonly isLeft: () => boolean;
}

/** With the pauses between them these take 21 s. */
const attempts = 5;

/**
 * Whether the room that was joined is still the one of that name.
 *
 * The SDK does not tell: a bot that was frozen while its room was deleted comes back into a new room of the same
 * name, which it has just created itself, and believes that it has only reconnected.
 *
 * @returns True also when nobody can tell.
 */
export async function isSameRoom(
  rest: RoomRest | undefined,
  { roomName, sid, isLeft }: JoinedRoom,
  logger: Logger,
): Promise<boolean> {
  if (rest?.listRooms === undefined) return true;
  const look = async (): Promise<boolean> => {
    const rooms = await rest.listRooms?.([roomName]);
    const room = rooms?.find(({ name }) => name === roomName);
    // it will be, or the disconnect is on its way
    if (room === undefined) throw new Error('the room is not listed');
    return room.sid === sid;
  };
  try {
    return await withRetries(look, { attempts, givesUp: isLeft });
  } catch (error) {
    if (!isLeft())
      logger.warn({ roomName, error }, 'whether the room is still the same could not be found out');
    return true;
  }
}
