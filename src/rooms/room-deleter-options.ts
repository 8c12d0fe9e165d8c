/** The options of a `RoomDeleter`, checked and with defaults. */

import { InvalidOptionError } from '../lib/errors.ts';
import { type Logger, stderrLogger } from '../lib/logger.ts';
import {
  checkBoolean,
  checkDurationMs,
  checkLogger,
  checkMethods,
  checkOptions,
  checkText,
} from '../lib/options.ts';
import type { DeleteWhen } from './delete-when.ts';
import type { RoomRest } from './rest/room-rest.ts';
import { isKnown, type RoomIdentity } from './room-identity.ts';
import { checkRoomName, isGeneratedRoomName } from './room-name.ts';

/** Options of a {@link RoomDeleter}. */
export interface RoomDeleterOptions {
  /** The room's name. */
  readonly roomName: string;
  /** `LiveKitRESTHelper`, or anything that can delete a room. */
  readonly rest: RoomRest;
  /**
   * Which room is meant. Default: owned when endframe generated the name; otherwise what is listed under it when
   * the deleter is armed. Once a `sid` or a time is known, no other room of that name is ever deleted.
   */
  readonly room?: RoomIdentity | undefined;
  /** Default `'always'`. Policies that count participants need `rest.listParticipants`. */
  readonly deleteWhen?: DeleteWhen | undefined;
  /** The bot's own identity, which `deleteWhen` does not count. */
  readonly ownIdentity?: string | undefined;
  /** For the decision and all attempts together, in milliseconds. Default 7_000. */
  readonly deadlineMs?: number | undefined;
  /** Whether to check after the deletion for a room that comes back. Default true. */
  readonly verify?: boolean | undefined;
  /**
   * Whether a process of its own deletes the room when this one is killed or stuck, from `arm()` on. Default
   * false; true in pipelines. It needs a `LiveKitRESTHelper` as `rest`, and does not use the helper's `fetch`.
   */
  readonly guardian?: boolean | undefined;
  /** A silent event loop counts as stuck after so long, in milliseconds. Default 4_000. */
  readonly guardianHeartbeatMs?: number | undefined;
  /** Receives log lines. Default: stderr. */
  readonly logger?: Logger | undefined;
}

const policies: readonly unknown[] = ['always', 'no-humans-left', 'no-agents-left', 'never'];

/** With the defaults filled in. */
export interface ResolvedRoomDeleterOptions {
  /** The room's name. */
  readonly roomName: string;
  /** The REST client of LiveKit. */
  readonly rest: RoomRest;
  /** What is known about the room's identity. */
  readonly room: RoomIdentity;
  /** When the room is deleted. */
  readonly deleteWhen: DeleteWhen;
  /** The identity of the bot's participant; `undefined` where unknown. */
  readonly ownIdentity: string | undefined;
  /** The limit for the whole deletion, in milliseconds. */
  readonly deadlineMs: number;
  /** Whether the room is checked after its deletion. */
  readonly verify: boolean;
  /** `undefined` leaves it to the caller of `arm()`. */
  readonly guardian: boolean | undefined;
  /** How long the bot may be silent before its guardian takes over, in milliseconds. */
  readonly guardianHeartbeatMs: number;
  /** The logger. */
  readonly logger: Logger;
}

/** @throws {InvalidOptionError} An option can never work. */
export function resolveRoomDeleterOptions(options: RoomDeleterOptions): ResolvedRoomDeleterOptions {
  checkOptions(options);
  const { roomName, rest, room, deleteWhen = 'always', ownIdentity, deadlineMs = 7_000 } = options;
  const { verify = true, guardian, guardianHeartbeatMs = 4_000, logger = stderrLogger } = options;
  checkRoomName(roomName);
  checkMethods('rest', rest, ['deleteRoomByName']);
  checkIdentity(room, rest);
  checkPolicy(deleteWhen, rest);
  if (ownIdentity !== undefined) checkText('ownIdentity', ownIdentity);
  checkDurationMs('deadlineMs', deadlineMs);
  checkBoolean('verify', verify);
  if (guardian !== undefined) checkBoolean('guardian', guardian);
  checkDurationMs('guardianHeartbeatMs', guardianHeartbeatMs);
  checkLogger('logger', logger);
  return {
    roomName,
    rest,
    room: room ?? { owned: isGeneratedRoomName(roomName) },
    deleteWhen,
    ownIdentity,
    deadlineMs,
    verify,
    guardian,
    guardianHeartbeatMs,
    logger,
  };
}

function checkPolicy(deleteWhen: DeleteWhen, rest: RoomRest): void {
  if (typeof deleteWhen !== 'function' && !policies.includes(deleteWhen)) {
    throw new InvalidOptionError('deleteWhen', `a function or one of ${policies.join(', ')}`, deleteWhen);
  }
  const counts = deleteWhen === 'no-humans-left' || deleteWhen === 'no-agents-left';
  if (counts) checkMethods('rest', rest, ['deleteRoomByName', 'listParticipants']);
}

function checkIdentity(room: RoomIdentity | undefined, rest: RoomRest): void {
  if (room === undefined) return;
  if (typeof room !== 'object' || room === null) throw new InvalidOptionError('room', 'an object', room);
  checkBoolean('room.owned', room.owned);
  if (room.sid !== undefined) checkText('room.sid', room.sid);
  if (room.creationTimeMs !== undefined && !(room.creationTimeMs > 0)) {
    throw new InvalidOptionError('room.creationTimeMs', 'milliseconds since 1970', room.creationTimeMs);
  }
  // it must be distinguished from another one
  if (!room.owned && isKnown(room)) checkMethods('rest', rest, ['deleteRoomByName', 'listRooms']);
}
