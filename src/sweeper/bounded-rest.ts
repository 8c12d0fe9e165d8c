import { LiveKitRESTError } from '../errors.ts';
import type { RestCallOptions } from '../rooms/room-rest.ts';
import { withTimeLimit } from '../rooms/time-limit.ts';
import type { SweeperRest } from './sweeper-options.ts';

/** For a list of all rooms. Longer than what `LiveKitRESTHelper` allows itself. */
const listLimitMs = 30_000;

/**
 * The same calls, of which those that look always settle, whatever `rest` does; deletions are bounded elsewhere.
 *
 * @param lookLimitMs For everything but the list of all rooms.
 */
export function boundedRest(rest: SweeperRest, lookLimitMs: number): SweeperRest {
  const bound = <T>(
    what: string,
    { signal }: RestCallOptions,
    limitMs: number,
    call: (options: RestCallOptions) => Promise<T>,
  ): Promise<T> => {
    const body = `no answer within ${limitMs} ms`;
    const onTimeout = (): Error =>
      new LiveKitRESTError(what, { kind: 'timeout', retryable: true, body }, 'look at');
    return withTimeLimit({ limitMs, signal, onTimeout }, async (own) => call({ signal: own }));
  };
  return {
    deleteRoomByName: (name, options) => rest.deleteRoomByName(name, options),
    listRooms: (names, options = {}) => {
      const limitMs = names.length === 0 ? listLimitMs : lookLimitMs;
      return bound(names.join(', '), options, limitMs, (bounded) => rest.listRooms(names, bounded));
    },
    listParticipants: (name, options = {}) =>
      bound(name, options, lookLimitMs, (bounded) => rest.listParticipants(name, bounded)),
    ...(rest.createRoom && { createRoom: rest.createRoom.bind(rest) }),
  };
}
