import { asyncScheduler, type SchedulerLike } from 'rxjs';
import { InvalidOptionError } from '../lib/errors.ts';
import { type Logger, stderrLogger } from '../lib/logger.ts';
import {
  checkBoolean,
  checkDurationMs,
  checkFunction,
  checkLogger,
  checkMethods,
  checkOptions,
  checkText,
} from '../lib/options.ts';
import type { DeleteWhen } from './delete-when.ts';
import { isGeneratedRoomName } from './generated-room-name.ts';
import type { DeletionPlan } from './room-deletion.ts';
import { isKnown, type RoomIdentity } from './room-identity.ts';
import { checkRoomName } from './room-name.ts';
import type { RoomRest } from './room-rest.ts';

export interface RoomDeleterOptions {
  readonly roomName: string;
  /** `LiveKitRESTHelper`, or anything that can delete a room. */
  readonly rest: RoomRest;
  /**
   * Which room is meant. Default: owned when endframe generated the name; otherwise what is listed under it when
   * the deleter is armed. Once a `sid` or a time is known, no other room of that name is ever deleted.
   */
  readonly room?: RoomIdentity | undefined;
  /** Default `'always'`. Who is inside is asked by `rest.listParticipants`. */
  readonly deleteWhen?: DeleteWhen | undefined;
  /** The bot's own identity, which `deleteWhen` does not count. */
  readonly ownIdentity?: string | undefined;
  /** For the decision and all attempts together, in milliseconds. Default 7 000. */
  readonly deadlineMs?: number | undefined;
  /** Whether to look again after the deletion, for what comes back. Default true. */
  readonly verify?: boolean | undefined;
  /**
   * Whether a process of its own deletes the room when this one is killed or stuck, from `arm()` on. Default
   * false; true in pipelines. It needs a `LiveKitRESTHelper` as `rest`, and does not use the helper's `fetch`.
   */
  readonly guardian?: boolean | undefined;
  /** After so long without a sign of this process's event loop it counts as stuck. Default 4 000. */
  readonly guardianHeartbeatMs?: number | undefined;
  readonly logger?: Logger | undefined;
  /** For virtual time. Default: RxJS's asyncScheduler. */
  readonly scheduler?: SchedulerLike | undefined;
  /** For the jitter, from 0 to below 1. Default `Math.random`. */
  readonly random?: (() => number) | undefined;
}

const policies: readonly unknown[] = ['always', 'no-humans-left', 'no-agents-left', 'never'];

/** What a `RoomDeleter` does before and after the deletion, too. */
export interface DeleterPlan extends DeletionPlan {
  readonly verify: boolean;
  /** `undefined` leaves it to whoever arms the deleter. */
  readonly guardian: boolean | undefined;
  readonly guardianHeartbeatMs: number;
}

/**
 * What a `RoomDeleter` needs, with the defaults filled in.
 *
 * @throws {InvalidOptionError} An option can never work.
 */
export function deletionPlan(options: RoomDeleterOptions): DeleterPlan {
  checkOptions(options);
  const { roomName, rest, room, deleteWhen = 'always', ownIdentity, deadlineMs = 7_000 } = options;
  const { verify = true, guardian, guardianHeartbeatMs = 4_000, logger = stderrLogger } = options;
  const { scheduler = asyncScheduler, random = Math.random } = options;
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
  checkMethods('scheduler', scheduler, ['now', 'schedule']);
  checkFunction('random', random);
  const deletion = {
    roomName,
    rest,
    deleteWhen,
    ownIdentity,
    deadlineMs,
    logger,
    scheduler,
    random: anyJitter(random),
  };
  const identity = room ?? { owned: isGeneratedRoomName(roomName) };
  return { ...deletion, room: identity, verify, guardian, guardianHeartbeatMs };
}

/** One that throws, or is no number from 0 to below 1, must not keep a room from being deleted. */
function anyJitter(random: () => number): () => number {
  return () => {
    try {
      const drawn = random();
      return drawn >= 0 && drawn < 1 ? drawn : Math.random();
    } catch {
      return Math.random();
    }
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
  // or nobody could tell it from another one
  if (!room.owned && isKnown(room)) checkMethods('rest', rest, ['deleteRoomByName', 'listRooms']);
}
