import type { ListedRoom } from '../rooms/room-rest.ts';
import type { Orphan } from './engine.ts';
import type { OrphanReport, SweepReport } from './sweep-report.ts';

/** The events of a `Sweeper`. */
export interface SweeperEvents {
  /** A room without a living bot was found, and is about to be deleted; in a dry run nothing follows. */
  orphanFound: (orphan: Orphan) => void;
  /** Also for a room that was gone already. */
  roomReaped: (report: OrphanReport) => void;
  /** At the last look before the deletion it was no orphan any more. */
  roomSpared: (report: OrphanReport) => void;
  roomReapFailed: (report: OrphanReport) => void;
  /**
   * The alarm, once in a pass, with the first room that was held back: more orphans than one pass may delete. Look
   * whether the bots are really dead.
   */
  deletionsCapped: (alarm: {
    readonly roomName: string;
    readonly owned: number;
    readonly cap: number;
  }) => void;
  /** The prefix is ours and the marker is missing. Told when it is new. */
  unmarkedRoomFound: (room: ListedRoom) => void;
  /** LiveKit did not answer a list, or the engine failed: this time does not count. */
  sweepFailed: (error: Error) => void;
  swept: (report: SweepReport) => void;
}
