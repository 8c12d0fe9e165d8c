import type { ListedRoom } from '../rooms/room-rest.ts';
import type { Observation } from './observation.ts';

/** Rooms to look at, in this order. */
export interface LookOrder {
  readonly steady: readonly ListedRoom[];
  /** Their look before failed: the next one may hang, and must not hold up the others. */
  readonly doubtful: readonly ListedRoom[];
}

/** Silent rooms first, because their looks have to come in time; of the doubtful ones, who waits longest. Pure. */
export function lookOrder(rooms: readonly ListedRoom[], known: ReadonlyMap<string, Observation>): LookOrder {
  const failedMs = ({ name }: ListedRoom): number | undefined => known.get(name)?.failedMs;
  const isSilent = ({ name }: ListedRoom): boolean => known.get(name)?.silentSinceMs !== undefined;
  const steady = rooms.filter((room) => failedMs(room) === undefined);
  const doubtful = rooms.filter((room) => failedMs(room) !== undefined);
  return {
    steady: steady.toSorted((one, other) => Number(isSilent(other)) - Number(isSilent(one))),
    doubtful: doubtful.toSorted((one, other) => (failedMs(one) ?? 0) - (failedMs(other) ?? 0)),
  };
}
