import type { Frame } from '../../frames/frame.ts';
import { CancelTaskFrame, EndTaskFrame } from '../../frames/lifecycle.ts';
import type { LiveKitPlan } from './livekit-options.ts';
import type { LiveKitRoom } from './livekit-room.ts';
import { isSameRoom } from './same-room.ts';

/** What the loss of a room means for the run in it, and why a transport must not join again. */
export class RoomFence {
  readonly #plan: LiveKitPlan;
  readonly #ask: (frame: Frame) => void;
  #reason: string | undefined;

  /** @param ask Asks the task for something, with a task frame. */
  constructor(plan: LiveKitPlan, ask: (frame: Frame) => void) {
    this.#plan = plan;
    this.#ask = ask;
  }

  /** `undefined` while it may join. */
  get reason(): string | undefined {
    return this.#reason;
  }

  close(reason: string): void {
    this.#reason ??= reason;
  }

  /** The server has ended the connection, for good. */
  disconnected(reason: string): void {
    const { deleter, onRemoteDisconnect, logger, roomName } = this.#plan;
    const isDeleted = reason === 'ROOM_DELETED';
    // another participant has joined with the bot's identity
    const isSucceeded = reason === 'DUPLICATE_IDENTITY';
    logger.info({ roomName, reason }, 'the server has ended the connection');
    if (isDeleted) {
      this.close('its room was deleted');
      deleter?.roomIsGone('exit');
    }
    if (isSucceeded) {
      this.close('another participant has taken its place');
      deleter?.keepRoom(reason);
    }
    const policy = isDeleted || (isSucceeded && onRemoteDisconnect === 'ignore') ? 'end' : onRemoteDisconnect;
    if (policy === 'end') this.#ask(new EndTaskFrame(reason));
    else if (policy === 'cancel') this.#ask(new CancelTaskFrame(reason));
  }

  /**
   * The connection was interrupted, and is there again. A bot must not go on in a room that is another one now, nor
   * in one that it brought back to life by reconnecting.
   *
   * @returns Whether it was; the bot has begun to leave it then, and the run to end.
   */
  async isReplaced(room: LiveKitRoom): Promise<boolean> {
    const { rest, logger, roomName } = this.#plan;
    const sid = (await room.identity)?.sid;
    if (sid === undefined) return false;
    const joined = { roomName, sid, isLeft: () => room.closed };
    if ((await isSameRoom(rest, joined, logger)) || room.closed) return false;
    logger.warn({ roomName, sid }, 'the room was deleted and is another one now; the bot leaves it');
    this.close('its room was replaced by another one');
    void room.close();
    this.#ask(new EndTaskFrame('ROOM_REPLACED'));
    return true;
  }
}
