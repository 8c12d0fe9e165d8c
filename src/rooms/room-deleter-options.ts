import { asyncScheduler, type SchedulerLike } from 'rxjs';
import { InvalidOptionError } from '../errors.ts';
import { type Logger, stderrLogger } from '../logger.ts';
import type { DeleteWhen } from './delete-when.ts';
import { checkBoolean, checkLimitMs, checkMethods, checkText } from './option-checks.ts';
import type { DeletionPlan } from './room-deletion.ts';
import { checkRoomName } from './room-name.ts';
import type { RoomRest } from './room-rest.ts';

/** Which room is meant, where others may have one of the same name. */
export interface RoomIdentity {
  /** True when nobody else uses the name, as with generated names. */
  readonly owned: boolean;
  readonly sid?: string | undefined;
  readonly creationTimeMs?: number | undefined;
}

export interface RoomDeleterOptions {
  readonly roomName: string;
  /** `LiveKitRESTHelper`, or anything that can delete a room. */
  readonly rest: RoomRest;
  /** Not used yet: checked here, acted on when rooms are looked at after their deletion. */
  readonly room?: RoomIdentity | undefined;
  /** Default `'always'`. Who is inside is asked by `rest.listParticipants`. */
  readonly deleteWhen?: DeleteWhen | undefined;
  /** The bot's own identity, which `deleteWhen` does not count. */
  readonly ownIdentity?: string | undefined;
  /** For the decision and all attempts together, in milliseconds. Default 7 000. */
  readonly deadlineMs?: number | undefined;
  /** Not used yet. Default true. */
  readonly verify?: boolean | undefined;
  /** Not used yet. Default false. */
  readonly guardian?: boolean | undefined;
  readonly logger?: Logger | undefined;
  /** For virtual time. Default: RxJS's asyncScheduler. */
  readonly scheduler?: SchedulerLike | undefined;
  /** For the jitter, from 0 to below 1. Default `Math.random`. */
  readonly random?: (() => number) | undefined;
}

const policies: readonly unknown[] = ['always', 'no-humans-left', 'no-agents-left', 'never'];

/**
 * What a `RoomDeleter` needs, with the defaults filled in.
 *
 * @throws {InvalidOptionError} An option can never work.
 */
export function deletionPlan(options: RoomDeleterOptions): DeletionPlan {
  const { roomName, rest, room, deleteWhen = 'always', ownIdentity, deadlineMs = 7_000 } = options;
  const { verify = true, guardian = false, logger = stderrLogger } = options;
  const { scheduler = asyncScheduler, random = Math.random } = options;
  checkRoomName(roomName);
  checkMethods('rest', rest, ['deleteRoomByName']);
  checkIdentity(room);
  checkPolicy(deleteWhen, rest);
  if (ownIdentity !== undefined) checkText('ownIdentity', ownIdentity);
  checkLimitMs('deadlineMs', deadlineMs);
  checkBoolean('verify', verify);
  checkBoolean('guardian', guardian);
  checkMethods('logger', logger, ['debug', 'info', 'warn', 'error']);
  checkMethods('scheduler', scheduler, ['now', 'schedule']);
  if (typeof random !== 'function') throw new InvalidOptionError('random', 'a function');
  return { roomName, rest, deleteWhen, ownIdentity, deadlineMs, logger, scheduler, random };
}

function checkPolicy(deleteWhen: DeleteWhen, rest: RoomRest): void {
  if (typeof deleteWhen !== 'function' && !policies.includes(deleteWhen)) {
    throw new InvalidOptionError('deleteWhen', `a function or one of ${policies.join(', ')}`, deleteWhen);
  }
  const counts = deleteWhen === 'no-humans-left' || deleteWhen === 'no-agents-left';
  if (counts) checkMethods('rest', rest, ['deleteRoomByName', 'listParticipants']);
}

function checkIdentity(room: RoomIdentity | undefined): void {
  if (room === undefined) return;
  if (typeof room !== 'object' || room === null) throw new InvalidOptionError('room', 'an object', room);
  checkBoolean('room.owned', room.owned);
  if (room.sid !== undefined) checkText('room.sid', room.sid);
  if (room.creationTimeMs !== undefined && !(room.creationTimeMs > 0)) {
    throw new InvalidOptionError('room.creationTimeMs', 'milliseconds since 1970', room.creationTimeMs);
  }
}
