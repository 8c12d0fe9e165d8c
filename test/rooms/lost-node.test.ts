import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { LiveKitRESTError, type LiveKitRESTErrorKind } from '../../src/lib/errors.ts';
import { silentLogger } from '../../src/lib/logger.ts';
import { deleteRoom } from '../../src/rooms/delete-room.ts';
import { guardedDeletion } from '../../src/rooms/guardian/guarded-room.ts';
import type { RoomRest } from '../../src/rooms/rest/room-rest.ts';
import { isRetryable } from '../../src/rooms/retry-policy.ts';
import { RoomDeleter } from '../../src/rooms/room-deleter.ts';

function failure(
  kind: LiveKitRESTErrorKind,
  status?: number,
  code?: string,
  body?: string,
): LiveKitRESTError {
  return new LiveKitRESTError('room', { kind, retryable: isRetryable(kind, status), status, code, body });
}

const noResponse = failure('unavailable', 503, 'unavailable', 'no response from servers');
const noObject = failure('unavailable', 500, 'unknown', 'could not find object');
const noAnswer = failure('timeout');
const refused = failure('auth', 403);

interface Node {
  /** What `DeleteRoom` meets until the room has moved to another node. */
  readonly answer: LiveKitRESTError;
  readonly answersAfterMs?: number;
  /** From when on `CreateRoom` moves it. */
  readonly movableAfterMs?: number;
  readonly listed?: boolean;
  readonly list?: LiveKitRESTError;
}

/** A cluster in which the room's node is lost. */
function cluster({ answer, answersAfterMs = 0, movableAfterMs = 0, listed = true, list }: Node) {
  const startedAt = Date.now();
  const calls: string[] = [];
  let moved = false;
  let exists = listed;
  const room = { name: 'room', sid: 'RM_1', creationTimeMs: 1_000, metadata: '' };
  const rest = {
    deleteRoomByName: async (): Promise<true> => {
      calls.push('delete');
      if (!moved) {
        await new Promise((resolve) => setTimeout(resolve, answersAfterMs));
        throw answer;
      }
      exists = false;
      return true;
    },
    listRooms: async () => {
      calls.push('list');
      if (list !== undefined) throw list;
      return exists ? [room] : [];
    },
    createRoom: async () => {
      calls.push('create');
      if (Date.now() - startedAt < movableAfterMs) throw noResponse;
      moved = true;
      return room;
    },
  } satisfies RoomRest;
  return { rest, calls };
}

async function deleteIn(rest: RoomRest) {
  const deleter = new RoomDeleter({
    roomName: 'room',
    rest,
    logger: silentLogger,
    verify: false,
  });
  const outcome = deleter.deleteRoom('end');
  await vi.advanceTimersByTimeAsync(10_000);
  return outcome;
}

describe('a room on a lost node', () => {
  beforeEach(() => {
    vi.useFakeTimers();
    vi.spyOn(Math, 'random').mockReturnValue(0.5);
  });
  afterEach(() => {
    vi.useRealTimers();
    vi.restoreAllMocks();
  });

  it.each([
    ['503, no response from servers', noResponse],
    ['500, could not find object', noObject],
    ['no answer at all', noAnswer],
  ])('is created and deleted after %s', async (_, answer) => {
    const { rest, calls } = cluster({ answer, answersAfterMs: 3_000 });
    expect(await deleteIn(rest)).toMatchObject({ status: 'deleted', attempts: 2, elapsedMs: 3_050 });
    expect(calls).toEqual(['delete', 'list', 'create', 'delete']);
  });

  it('is not created while it cannot move, nor deleted for three seconds in between', async () => {
    const { rest, calls } = cluster({ answer: noResponse, answersAfterMs: 3_000, movableAfterMs: 4_000 });
    expect(await deleteIn(rest)).toMatchObject({ status: 'deleted' });
    expect(calls.filter((call) => call === 'delete')).toHaveLength(2);
  });

  it.each([noResponse, noAnswer])('is gone when it is not listed after %o', async (answer) => {
    const { rest, calls } = cluster({ answer, listed: false });
    expect(await deleteIn(rest)).toMatchObject({ status: 'deleted', attempts: 2 });
    expect(calls).toEqual(['delete', 'list']);
  });

  it.each([
    ['another 500', failure('unavailable', 500, 'unknown', 'out of luck')],
    ['a 503 of a proxy', failure('unavailable', 503)],
    ['a reset', failure('network')],
  ])('is not suspected after %s', async (_, answer) => {
    const { rest, calls } = cluster({ answer });
    expect(await deleteIn(rest)).toMatchObject({ status: 'failed' });
    expect(new Set(calls)).toEqual(new Set(['delete']));
  });

  it('is deleted as before where listing is refused', async () => {
    const { rest, calls } = cluster({ answer: noResponse, list: refused });
    expect(await deleteIn(rest)).toMatchObject({ status: 'failed', error: { code: 'unavailable' } });
    expect(calls.slice(0, 4)).toEqual(['delete', 'list', 'delete', 'list']);
  });

  it('is deleted as before by a rest that can nothing else', async () => {
    const { rest, calls } = cluster({ answer: noResponse });
    expect(await deleteIn({ deleteRoomByName: rest.deleteRoomByName })).toMatchObject({ status: 'failed' });
    expect(new Set(calls)).toEqual(new Set(['delete']));
  });

  it('is the same to a guardian', async () => {
    const { rest, calls } = cluster({ answer: noResponse, answersAfterMs: 3_000 });
    const deletion = guardedDeletion(
      { roomName: 'room', room: { owned: true }, deleteWhen: 'always' },
      { rest, limitMs: 600_000, calledOff: new AbortController().signal },
    );
    const result = deleteRoom(deletion);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(await result).toMatchObject({ status: 'deleted' });
    expect(calls).toEqual(['delete', 'list', 'create', 'delete']);
  });
});
