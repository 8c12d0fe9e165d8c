import { LiveKitRESTError } from '../errors.ts';
import type { RestCallOptions } from '../rooms/room-rest.ts';
import { withTimeLimit } from '../rooms/time-limit.ts';
import type { SweeperRest } from './sweeper-options.ts';

/** Longer than what `LiveKitRESTHelper` allows itself: for a `rest` of another make, which may never answer. */
const limitMs = 30_000;

/** The same calls, of which those that look always settle, whatever `rest` does; deletions are bounded elsewhere. */
export function boundedRest(rest: SweeperRest): SweeperRest {
  const bound = <T>(
    what: string,
    { signal }: RestCallOptions,
    call: (options: RestCallOptions) => Promise<T>,
  ): Promise<T> => {
    const body = `no answer within ${limitMs} ms`;
    const onTimeout = (): Error =>
      new LiveKitRESTError(what, { kind: 'timeout', retryable: true, body }, 'look at');
    return withTimeLimit({ limitMs, signal, onTimeout }, async (own) => call({ signal: own }));
  };
  return {
    deleteRoomByName: (name, options) => rest.deleteRoomByName(name, options),
    listRooms: (names, options = {}) =>
      bound(names.join(', '), options, (bounded) => rest.listRooms(names, bounded)),
    listParticipants: (name, options = {}) =>
      bound(name, options, (bounded) => rest.listParticipants(name, bounded)),
    ...(rest.createRoom && { createRoom: rest.createRoom.bind(rest) }),
  };
}
