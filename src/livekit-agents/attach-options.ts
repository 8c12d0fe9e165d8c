/** What `attachRoomCleanup()` takes and gives. */

import type { Observable } from 'rxjs';
import { checkDurationMs, checkLogger, checkText } from '../lib/options.ts';
import type { LifecycleEvent } from '../processors/frame-processor-setup.ts';
import type { DeletionTrigger } from '../rooms/delete-when.ts';
import type { RoomDeleterOptions } from '../rooms/room-deleter-options.ts';
import type { RoomDeletionOutcome } from '../rooms/room-deletion.ts';
import type { RestCallOptions } from '../rooms/room-rest.ts';
import type { AgentSessionEvents } from './job-context.ts';
import type { JobRoomOptions } from './job-room.ts';

export interface AttachRoomCleanupOptions
  extends JobRoomOptions,
    Omit<RoomDeleterOptions, 'roomName' | 'rest' | 'ownIdentity'> {
  /**
   * How long the bot may take to leave after the session has closed, in milliseconds; then the room is deleted
   * with the bot inside. Default 2 000.
   */
  readonly leaveTimeoutMs?: number | undefined;
  /**
   * Ends the job when the person the session talks to has been away for this long, in milliseconds, whatever
   * took them out of the room. Default: never; the session itself ends when they hang up.
   */
  readonly absenceGraceMs?: number | undefined;
  /**
   * Whom `absenceGraceMs` is about. Default: the first person in the room; to be named where several may be there
   * before the bot.
   */
  readonly participantIdentity?: string | undefined;
}

/** A job whose room is deleted at its end. */
export interface AttachedRoomCleanup {
  /** StartFrame, then the frame that ended the job: a late subscriber gets the latest; completes, never errors. */
  readonly lifecycle$: Observable<LifecycleEvent>;
  /** Replays its one value, then completes; never errors. Console mode: `kept`. */
  readonly outcome$: Observable<RoomDeletionOutcome>;
  /** Deletes the room now, or joins the deletion under way; never rejects. */
  deleteRoom(trigger?: DeletionTrigger, options?: RestCallOptions): Promise<RoomDeletionOutcome>;
  /** Ends the job when this session closes, for a session made after attaching. */
  watchSession(session: AgentSessionEvents): void;
}

/** @throws {InvalidOptionError} An option that only jobs have can never work. */
export function checkAttachOptions(options: AttachRoomCleanupOptions): void {
  const { leaveTimeoutMs, absenceGraceMs, participantIdentity, logger } = options;
  if (leaveTimeoutMs !== undefined) checkDurationMs('leaveTimeoutMs', leaveTimeoutMs);
  if (absenceGraceMs !== undefined) checkDurationMs('absenceGraceMs', absenceGraceMs);
  if (participantIdentity !== undefined) checkText('participantIdentity', participantIdentity);
  if (logger !== undefined) checkLogger('logger', logger);
}
