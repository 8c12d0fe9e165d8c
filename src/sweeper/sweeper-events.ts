/** The events and reports of a sweeper: plain values that can be printed, stored and compared. */

import type { LiveKitRESTError } from '../lib/errors.ts';
import type { ListedRoom } from '../rooms/rest/room-rest.ts';
import type { Orphan, ReapStatus } from './engine/engine.ts';
import type { DeleteReason, KeepReason } from './orphan-policy.ts';

/** An orphan and what became of it. */
export interface OrphanReport {
  /** The room's name. */
  readonly roomName: string;
  /** LiveKit's id of the room. */
  readonly sid: string;
  /** Milliseconds since 1970, by LiveKit's clock. */
  readonly creationTimeMs: number;
  /** Why the room counts as abandoned. */
  readonly reason: DeleteReason;
  /** How long no bot had shown a sign of life, in milliseconds of observed time. */
  readonly silentMs: number;
  /** The outcome. */
  readonly status: ReapStatus;
  /** Why it was spared: a sign of life, or another room of the same name. */
  readonly sparedBecause?: KeepReason | 'replaced';
  /** Set where the deletion has failed. */
  readonly error?: LiveKitRESTError;
}

/** One pass: the rooms, the cost, and the orphans found since the previous pass. */
export interface SweepReport {
  /** Owned rooms that still exist, as far as is known. */
  readonly owned: number;
  /** Owned rooms that this process has not decided about: silent, but not for long enough. */
  readonly undecided: number;
  /** Probes that LiveKit answered. */
  readonly looked: number;
  /** Probes that failed. */
  readonly failedLooks: number;
  /** Duration of the pass, in milliseconds. */
  readonly durationMs: number;
  /** The abandoned rooms, with what was done about each. */
  readonly orphans: readonly OrphanReport[];
  /** Names of rooms with the prefix and without a marker: never deleted. */
  readonly unmarked: readonly string[];
}

/** The events of a `Sweeper`. */
export interface SweeperEvents {
  /** An orphan was found and is about to be deleted; in a dry run no further event follows. */
  orphanFound: (orphan: Orphan) => void;
  /** An orphan was deleted, or was gone already. */
  roomReaped: (report: OrphanReport) => void;
  /** The last probe before the deletion found that the room is no orphan any more. */
  roomSpared: (report: OrphanReport) => void;
  /** An orphan could not be deleted. */
  roomReapFailed: (report: OrphanReport) => void;
  /**
   * The alarm, once in a pass, with the first room that was kept: more orphans than one pass may delete. Check
   * whether the bots are really dead.
   */
  deletionsCapped: (alarm: {
    readonly roomName: string;
    readonly owned: number;
    readonly cap: number;
  }) => void;
  /** A room with the prefix and without a marker, once for each. */
  unmarkedRoomFound: (room: ListedRoom) => void;
  /** LiveKit did not answer a list, or the engine failed: the time until the next list does not count. */
  sweepFailed: (error: Error) => void;
  /** A pass has ended. */
  swept: (report: SweepReport) => void;
}
