/** Ends the run when its room is gone or replaced, and blocks joining again. */

import type { Frame } from '../../frames/frame.ts';
import { CancelTaskFrame, EndTaskFrame } from '../../frames/lifecycle.ts';
import type { Logger } from '../../lib/logger.ts';
import type { RoomRest } from '../../rooms/rest/room-rest.ts';
import type { ResolvedLiveKitOptions } from './livekit-options.ts';
import type { RoomSession } from './room-session.ts';
import { withRetries } from './with-retries.ts';

/** Ends the run when its room is gone or replaced, and blocks joining again. */
export class RejoinGuard {
  readonly #options: ResolvedLiveKitOptions;
  readonly #pushToTask: (frame: Frame) => void;
  #reason: string | undefined;

  /** @param pushToTask Pushes a task frame upstream. */
  constructor(options: ResolvedLiveKitOptions, pushToTask: (frame: Frame) => void) {
    this.#options = options;
    this.#pushToTask = pushToTask;
  }

  /** Why joining is blocked; `undefined` while it is not. */
  get reason(): string | undefined {
    return this.#reason;
  }

  /** Blocks joining; the first reason stays. */
  close(reason: string): void {
    this.#reason ??= reason;
  }

  /** The server has ended the connection, for good. */
  disconnected(reason: string): void {
    const { deleter, onRemoteDisconnect, logger, roomName } = this.#options;
    const isDeleted = reason === 'ROOM_DELETED';
    // another participant has joined with the bot's identity
    const isDuplicate = reason === 'DUPLICATE_IDENTITY';
    logger.info({ roomName, reason }, 'the server has ended the connection');
    if (isDeleted) {
      this.close('its room was deleted');
      deleter?.markDeleted('exit');
    }
    if (isDuplicate) {
      this.close('another participant has taken its place');
      deleter?.keepRoom(reason);
    }
    const policy = isDeleted || (isDuplicate && onRemoteDisconnect === 'ignore') ? 'end' : onRemoteDisconnect;
    if (policy === 'end') this.#pushToTask(new EndTaskFrame(reason));
    else if (policy === 'cancel') this.#pushToTask(new CancelTaskFrame(reason));
  }

  /**
   * To be called after a reconnect. A bot must not continue in a room that was deleted and created anew meanwhile, by
   * others or by its own reconnect.
   *
   * @returns Whether the room is another one; the session is closing then, and the run ending.
   */
  async isReplaced(session: RoomSession): Promise<boolean> {
    const { rest, logger, roomName } = this.#options;
    const sid = (await session.identity)?.sid;
    if (sid === undefined) return false;
    const joined = { roomName, sid, isLeft: () => session.closed };
    if ((await isSameRoom(rest, joined, logger)) || session.closed) return false;
    logger.warn({ roomName, sid }, 'the room was deleted and is another one now; the bot leaves it');
    this.close('its room was replaced by another one');
    void session.close();
    this.#pushToTask(new EndTaskFrame('ROOM_REPLACED'));
    return true;
  }
}

/** The room that was joined. */
export interface JoinedRoom {
  /** The room's name. */
  readonly roomName: string;
  /** Its sid when it was joined. */
  readonly sid: string;
  /** Whether the bot has left it, which ends the retries. */
  readonly isLeft: () => boolean;
}

/** With the waits between them these take 21 s. */
const attempts = 5;

/**
 * Whether the room of that name still has the sid that was joined.
 *
 * The SDK does not report it: a process that was suspended while its room was deleted reconnects into a new room of
 * the same name, created by its own reconnect, and sees only `reconnected`.
 *
 * @returns True also when it cannot be determined.
 */
export async function isSameRoom(
  rest: RoomRest | undefined,
  { roomName, sid, isLeft }: JoinedRoom,
  logger: Logger,
): Promise<boolean> {
  if (rest?.listRooms === undefined) return true;
  const probe = async (): Promise<boolean> => {
    const rooms = await rest.listRooms?.([roomName]);
    const room = rooms?.find(({ name }) => name === roomName);
    // it is about to be listed, or a disconnect is about to arrive
    if (room === undefined) throw new Error('the room is not listed');
    return room.sid === sid;
  };
  try {
    return await withRetries(probe, { attempts, givesUp: isLeft });
  } catch (error) {
    if (!isLeft()) logger.warn({ roomName, error }, 'the room could not be verified after a reconnect');
    return true;
  }
}
