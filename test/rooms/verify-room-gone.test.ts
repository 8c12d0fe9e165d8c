import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { LiveKitRESTError } from '../../src/lib/errors.ts';
import { type Logger, silentLogger } from '../../src/lib/logger.ts';
import { leaseAttribute } from '../../src/rooms/lease.ts';
import type { ListedParticipant, ListedRoom, RoomRest } from '../../src/rooms/rest/room-rest.ts';
import { RoomDeleter } from '../../src/rooms/room-deleter.ts';
import type { RoomDeleterOptions } from '../../src/rooms/room-deleter-options.ts';
import { nextCheckDelayMs } from '../../src/rooms/verify-room-gone.ts';
import { listedParticipant } from '../support/listed-participant.ts';

const busy = new LiveKitRESTError('room', { kind: 'unavailable', retryable: true, status: 503 });
const notFound = new LiveKitRESTError('room', { kind: 'not_found', retryable: false, status: 404 });
/** 128 random bits: nobody else's. */
const ownName = `endframe-${'0123456789abcdef'.repeat(2)}`;

interface World {
  /** Of the room, while there is one. */
  sid: string | undefined;
  fails: LiveKitRESTError | undefined;
  failsToDelete: LiveKitRESTError | undefined;
  /** Who is in the room, at a time in seconds. */
  inside: (atS: number) => ListedParticipant[];
  failsToList: LiveKitRESTError | undefined;
}

/** A server with one room name, whose calls are noted with the second they came in. */
function setup(options: Partial<RoomDeleterOptions> = {}) {
  const startedAt = Date.now();
  const calls: string[] = [];
  const world: World = {
    sid: 'RM_1',
    fails: undefined,
    failsToDelete: undefined,
    inside: () => [],
    failsToList: undefined,
  };
  const note = (call: string): void => {
    calls.push(`${call} ${(Date.now() - startedAt) / 1_000}`);
    if (world.fails !== undefined) throw world.fails;
  };
  const roomName = options.roomName ?? ownName;
  const listed = (sid: string): ListedRoom => ({ name: roomName, sid, creationTimeMs: 1_000, metadata: '' });
  const rest: RoomRest = {
    deleteRoomByName: async () => {
      note('delete');
      if (world.failsToDelete !== undefined) throw world.failsToDelete;
      if (world.sid === undefined) throw notFound;
      world.sid = undefined;
      return true;
    },
    listRooms: async () => {
      note('list');
      return world.sid === undefined ? [] : [listed(world.sid)];
    },
    listParticipants: async () => {
      note('look into');
      if (world.failsToList !== undefined) throw world.failsToList;
      return world.inside((Date.now() - startedAt) / 1_000);
    },
    createRoom: async () => {
      note('create');
      world.sid ??= 'RM_created';
      return listed(world.sid);
    },
    ...options.rest,
  };
  const warn = vi.fn<Logger['warn']>();
  const deleter = new RoomDeleter({ logger: { ...silentLogger, warn }, ...options, roomName, rest });
  const reappeared = vi.fn();
  deleter.on('roomReappeared', reappeared);
  return { deleter, calls, world, reappeared, warn };
}

describe('a room that was deleted', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => {
    vi.useRealTimers();
    vi.restoreAllMocks();
  });

  it('is looked for after 1, 6 and 20 seconds', async () => {
    const { deleter, calls, reappeared } = setup();
    expect(await deleter.deleteRoom('end')).toMatchObject({ status: 'deleted', elapsedMs: 0 });
    await vi.advanceTimersByTimeAsync(600_000);
    expect(calls).toEqual(['delete 0', 'list 1', 'list 6', 'list 20']);
    expect(reappeared).not.toHaveBeenCalled();
    expect(vi.getTimerCount()).toBe(0);
  });

  it('is looked for when it was gone already: LiveKit also says so when it has lost its data', async () => {
    const { deleter, calls, world } = setup();
    world.sid = undefined;
    expect(await deleter.deleteRoom('end')).toMatchObject({ status: 'already-gone' });
    await vi.advanceTimersByTimeAsync(30_000);
    expect(calls).toEqual(['delete 0', 'list 1', 'list 6', 'list 20']);
  });

  it('is looked for when the server has said that it is gone', async () => {
    const { deleter, calls, world } = setup();
    world.sid = undefined;
    deleter.markDeleted('end');
    await vi.advanceTimersByTimeAsync(30_000);
    expect(calls).toEqual(['list 1', 'list 6', 'list 20']);
  });

  it('is deleted again when it comes back, and looked for anew', async () => {
    const { deleter, calls, world, reappeared, warn } = setup();
    await deleter.deleteRoom('end');
    await vi.advanceTimersByTimeAsync(5_000);
    world.sid = 'RM_2';
    await vi.advanceTimersByTimeAsync(60_000);
    expect(calls).toEqual([
      'delete 0',
      'list 1',
      'list 6',
      'look into 6',
      'delete 6',
      'list 7',
      'list 12',
      'list 26',
    ]);
    const told = { roomName: ownName, sid: 'RM_2', afterMs: 6_000, status: 'deleted-again' };
    expect(reappeared).toHaveBeenCalledExactlyOnceWith(told);
    expect(warn).toHaveBeenCalledExactlyOnceWith(told, expect.stringContaining('came back'));
  });

  it('is left to others when it comes back for two minutes', async () => {
    const { deleter, calls, world, reappeared } = setup();
    deleter.on('roomReappeared', () => void queueMicrotask(() => Object.assign(world, { sid: 'RM_again' })));
    await deleter.deleteRoom('end');
    world.sid = 'RM_2';
    await vi.advanceTimersByTimeAsync(600_000);
    expect(reappeared).toHaveBeenCalledTimes(120);
    expect(calls.at(-1)).toBe('delete 120');
  });

  it('is looked for again when a look gets no answer, less and less often', async () => {
    const { deleter, calls, world } = setup();
    await deleter.deleteRoom('end');
    world.fails = busy;
    await vi.advanceTimersByTimeAsync(2_000);
    world.fails = undefined;
    await vi.advanceTimersByTimeAsync(2_000);
    expect(calls).toEqual(['delete 0', 'list 1', 'list 3']);
    world.fails = busy;
    await vi.advanceTimersByTimeAsync(600_000);
    const looks = [8, 18, 32, 46, 60, 74, 88, 102, 116];
    expect(calls.slice(3)).toEqual(looks.map((atS) => `list ${atS}`));
  });

  it('is deleted again when it came back while LiveKit started again', async () => {
    const { deleter, calls, world, reappeared } = setup();
    await deleter.deleteRoom('end');
    world.fails = busy;
    await vi.advanceTimersByTimeAsync(6_000);
    world.fails = undefined;
    world.sid = 'RM_2';
    await vi.advanceTimersByTimeAsync(2_000);
    expect(reappeared.mock.calls).toMatchObject([[{ status: 'deleted-again', afterMs: 7_000 }]]);
    expect(calls).toContain('delete 7');
  });

  it('is tried again at the next look when it cannot be deleted', async () => {
    const { deleter, world, reappeared } = setup();
    await deleter.deleteRoom('end');
    world.sid = 'RM_2';
    world.failsToDelete = busy;
    await vi.advanceTimersByTimeAsync(1_500);
    world.failsToDelete = undefined;
    await vi.advanceTimersByTimeAsync(30_000);
    expect(reappeared.mock.calls).toMatchObject([
      [{ status: 'remains', afterMs: 1_000 }],
      [{ status: 'deleted-again', afterMs: 2_000 }],
    ]);
  });

  it('is not looked for with verify: false, by a rest that cannot list, or after it was kept', async () => {
    const without = setup({ verify: false });
    await without.deleter.deleteRoom('end');
    const blind = setup({ rest: { listRooms: undefined } as unknown as RoomRest });
    await blind.deleter.deleteRoom('end');
    const kept = setup({ deleteWhen: 'never' });
    await kept.deleter.deleteRoom('end');
    await vi.advanceTimersByTimeAsync(60_000);
    expect([without.calls, blind.calls, kept.calls]).toEqual([['delete 0'], ['delete 0'], []]);
  });

  it('does not keep the process alive', async () => {
    const setTimeoutSpy = vi.spyOn(globalThis, 'setTimeout');
    const { deleter } = setup();
    await deleter.deleteRoom('end');
    await vi.advanceTimersByTimeAsync(0);
    const timer = setTimeoutSpy.mock.results.at(-1)?.value as NodeJS.Timeout;
    expect(timer.hasRef()).toBe(false);
  });
});

describe('a room that came back with a bot in it', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => {
    vi.useRealTimers();
    vi.restoreAllMocks();
  });

  const bot = (lease?: string): ListedParticipant =>
    listedParticipant('bot', {
      isAgent: true,
      attributes: lease === undefined ? {} : { [leaseAttribute]: lease },
    });
  /** Bumps its lease every so many seconds, until it stops. */
  const beating =
    (everyS: number, untilS = Number.POSITIVE_INFINITY) =>
    (atS: number) => [bot(`run.${Math.floor(Math.min(atS, untilS) / everyS)}`)];

  /** What was done to a room that came back 2 s after its deletion. */
  async function comesBack(inside: World['inside'], seconds = 120) {
    const { deleter, calls, world, reappeared } = setup();
    await deleter.deleteRoom('end');
    await vi.advanceTimersByTimeAsync(2_000);
    Object.assign(world, { sid: 'RM_2', inside });
    await vi.advanceTimersByTimeAsync(seconds * 1_000);
    const deletedAt = calls.filter((call) => call.startsWith('delete')).map((call) => Number(call.slice(7)));
    return { calls, reappeared, deletedAt, world };
  }

  it.each([1, 5, 20, 30])('is left alone while the lease beats every %i s', async (everyS) => {
    const { deletedAt, reappeared, world } = await comesBack(beating(everyS));
    expect([deletedAt, world.sid]).toEqual([[0], 'RM_2']);
    expect(reappeared).not.toHaveBeenCalled();
    expect(vi.getTimerCount()).toBe(0);
  });

  it('is left alone where the bot has just joined and writes its lease a little later', async () => {
    const { deletedAt } = await comesBack((atS) => (atS < 8 ? [bot()] : beating(5)(atS)));
    expect(deletedAt).toEqual([0]);
  });

  it('is left alone where another bot takes the place of the first in the middle of a look', async () => {
    const inside = (atS: number) =>
      atS < 8 ? [bot('a.1')] : [{ ...beating(5)(atS)[0], sid: 'PA_2' } as ListedParticipant];
    expect((await comesBack(inside)).deletedAt).toEqual([0]);
  });

  it('is deleted again where the lease stands still for 30 s', async () => {
    const { deletedAt, reappeared } = await comesBack(beating(5, 3));
    expect(deletedAt).toEqual([0, 36]);
    expect(reappeared).toHaveBeenCalledOnce();
  });

  it('is deleted again as soon as the bot is gone', async () => {
    const { deletedAt } = await comesBack((atS) => (atS < 14 ? [bot('a.1')] : [listedParticipant('ada')]));
    expect(deletedAt).toEqual([0, 16]);
  });

  it('is deleted again at a later look, when the bot has died by then', async () => {
    const { deletedAt } = await comesBack(beating(5, 12));
    expect(deletedAt).toEqual([0, 55]);
  });

  it('is deleted again at once where nobody in it is a bot, and soon where an agent has no lease', async () => {
    expect((await comesBack(() => [listedParticipant('ada')])).deletedAt).toEqual([0, 6]);
    expect((await comesBack(() => [bot()])).deletedAt).toEqual([0, 11]);
  });

  it('is looked at again where LiveKit does not say who is in it', async () => {
    const { deleter, calls, world } = setup();
    await deleter.deleteRoom('end');
    Object.assign(world, { sid: 'RM_2', failsToList: busy, inside: beating(5) });
    await vi.advanceTimersByTimeAsync(2_000);
    world.failsToList = undefined;
    await vi.advanceTimersByTimeAsync(120_000);
    expect(calls.filter((call) => call.startsWith('delete'))).toEqual(['delete 0']);
    expect(calls.slice(0, 4)).toEqual(['delete 0', 'list 1', 'look into 1', 'list 3']);
  });

  it('is deleted again where LiveKit refuses to say it, or the rest cannot ask', async () => {
    const refused = new LiveKitRESTError('room', { kind: 'auth', retryable: false, status: 401 });
    const { deleter, calls, world } = setup();
    await deleter.deleteRoom('end');
    Object.assign(world, { sid: 'RM_2', failsToList: refused });
    await vi.advanceTimersByTimeAsync(1_500);
    expect(calls).toEqual(['delete 0', 'list 1', 'look into 1', 'delete 1']);
    const blind = setup({ rest: { listParticipants: undefined } as unknown as RoomRest });
    await blind.deleter.deleteRoom('end');
    Object.assign(blind.world, { sid: 'RM_2', inside: beating(5) });
    await vi.advanceTimersByTimeAsync(1_500);
    expect(blind.calls).toEqual(['delete 0', 'list 1', 'delete 1']);
  });
});

describe('a room whose name others use', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => {
    vi.useRealTimers();
    vi.restoreAllMocks();
  });
  const shared = { roomName: 'daily-stand-up' };

  it('is left alone when it comes back as another', async () => {
    const { deleter, calls, world, reappeared } = setup(shared);
    await deleter.arm();
    await deleter.deleteRoom('end');
    world.sid = 'RM_2';
    await vi.advanceTimersByTimeAsync(60_000);
    expect(calls.filter((call) => call.startsWith('delete'))).toEqual(['delete 0']);
    expect(reappeared).not.toHaveBeenCalled();
  });

  it('is deleted again when it comes back as the same', async () => {
    const { deleter, world, reappeared } = setup(shared);
    await deleter.arm();
    await deleter.deleteRoom('end');
    world.sid = 'RM_1';
    await vi.advanceTimersByTimeAsync(1_000);
    expect(reappeared).toHaveBeenCalledOnce();
    expect(world.sid).toBeUndefined();
  });

  it('is left alone afterwards when nothing was known of it', async () => {
    const { deleter, calls, world } = setup(shared);
    await deleter.deleteRoom('end');
    world.sid = 'RM_1';
    await vi.advanceTimersByTimeAsync(60_000);
    expect(calls.filter((call) => call.startsWith('delete'))).toEqual(['delete 0']);
  });

  it('is not deleted at all when another has taken its place', async () => {
    const { deleter, calls, world } = setup({ ...shared, room: { owned: false, sid: 'RM_0' } });
    expect(await deleter.deleteRoom('end')).toMatchObject({ status: 'already-gone' });
    expect(calls).toEqual(['list 0']);
    expect(world.sid).toBe('RM_1');
  });

  it('is not deleted when another has taken its place since the start', async () => {
    const { deleter, calls, world } = setup(shared);
    await deleter.arm();
    world.sid = 'RM_2';
    expect(await deleter.deleteRoom('end')).toMatchObject({ status: 'already-gone' });
    expect(calls).toEqual(['list 0', 'list 0']);
    expect(world.sid).toBe('RM_2');
  });

  it.each([
    ['LiveKit does not answer at the start', { fails: busy }],
    ['it is created after the start', { sid: undefined }],
  ])('is not deleted when another has taken its place, although %s', async (_, atTheStart) => {
    const { deleter, calls, world } = setup(shared);
    Object.assign(world, atTheStart);
    await deleter.arm();
    world.fails = undefined;
    world.sid = 'RM_1';
    await vi.advanceTimersByTimeAsync(60_000);
    expect(calls).toEqual(['list 0', 'list 1']);
    world.sid = 'RM_2';
    expect(await deleter.deleteRoom('end')).toMatchObject({ status: 'already-gone' });
    expect(world.sid).toBe('RM_2');
  });

  it('is not asked for any more after its end', async () => {
    const { deleter, calls, world } = setup(shared);
    world.fails = busy;
    await deleter.arm();
    world.fails = undefined;
    world.sid = undefined;
    await deleter.deleteRoom('end');
    calls.length = 0;
    await vi.advanceTimersByTimeAsync(60_000);
    expect(calls).toEqual(['list 1', 'list 6', 'list 20']); // the looks after a deletion
  });

  it('is looked at before every attempt, when it was known from the start', async () => {
    vi.spyOn(Math, 'random').mockReturnValue(0.5);
    const { deleter, calls, world } = setup(shared);
    await deleter.arm();
    world.failsToDelete = busy;
    const outcome = deleter.deleteRoom('end');
    await vi.advanceTimersByTimeAsync(10);
    world.failsToDelete = undefined;
    world.sid = 'RM_2';
    await vi.advanceTimersByTimeAsync(100);
    expect(await outcome).toMatchObject({ status: 'already-gone', attempts: 2 });
    expect(calls).toEqual(['list 0', 'list 0', 'delete 0', 'list 0.05']);
    expect(world.sid).toBe('RM_2');
  });
});

describe('nextCheckDelayMs', () => {
  it.each([
    [{ clear: 0, unanswered: 0, waitedMs: 0 }, 1_000],
    [{ clear: 1, unanswered: 0, waitedMs: 1_000 }, 5_000],
    [{ clear: 2, unanswered: 0, waitedMs: 6_000 }, 14_000],
    [{ clear: 3, unanswered: 0, waitedMs: 20_000 }, undefined],
    [{ clear: 0, unanswered: 3, waitedMs: 7_000 }, 8_000],
    [{ clear: 1, unanswered: 3, waitedMs: 9_000 }, 14_000],
    [{ clear: 1, unanswered: 9, waitedMs: 110_000 }, undefined],
    [{ clear: 2, unanswered: 0, waitedMs: 107_000 }, undefined],
  ])('after %o is %s', (progress, delayMs) => {
    expect(nextCheckDelayMs(progress)).toBe(delayMs);
  });
});
