import { firstValueFrom, lastValueFrom, toArray } from 'rxjs';
import { describe, expect, expectTypeOf, it, vi } from 'vitest';
import { LiveKitRESTError } from '../../src/lib/errors.ts';
import type { Logger } from '../../src/lib/logger.ts';
import type { RoomDeletionOutcome } from '../../src/rooms/delete-room.ts';
import type { DeletionTrigger } from '../../src/rooms/delete-when.ts';
import type { RoomRest } from '../../src/rooms/rest/room-rest.ts';
import { RoomDeleter } from '../../src/rooms/room-deleter.ts';

const refused = new LiveKitRESTError('room', { kind: 'auth', retryable: false, status: 401 });

function setup(rest: Partial<RoomRest> = {}, { deleteWhen = 'always' as 'always' | 'never' } = {}) {
  const calls: string[] = [];
  const lines: [level: keyof Logger, fields: object, message: string][] = [];
  const events: [name: string, outcome: RoomDeletionOutcome][] = [];
  const log =
    (level: keyof Logger): Logger['error'] =>
    (fields, message) =>
      void lines.push([level, fields, message]);
  const deleter = new RoomDeleter({
    roomName: 'room',
    deleteWhen,
    rest: {
      deleteRoomByName: async (name) => {
        calls.push(name);
        return true;
      },
      ...rest,
    },
    logger: { debug: log('debug'), info: log('info'), warn: log('warn'), error: log('error') },
  });
  for (const name of ['roomDeleted', 'roomKept', 'roomDeleteFailed'] as const) {
    deleter.on(name, (outcome) => void events.push([name, outcome]));
  }
  return { deleter, calls, lines, events };
}

describe('RoomDeleter', () => {
  it('sends one request for a hundred concurrent calls', async () => {
    const { deleter, calls } = setup();
    const triggers: DeletionTrigger[] = ['end', 'cancel', 'exit', 'signal', 'manual'];
    const outcomes = await Promise.all(
      Array.from({ length: 100 }, (_, index) => deleter.deleteRoom(triggers[index % 5] ?? 'end')),
    );
    expect(calls).toEqual(['room']);
    expect(new Set(outcomes).size).toBe(1);
    expect(outcomes[0]).toMatchObject({ status: 'deleted', trigger: 'end', attempts: 1 });
    expect(await deleter.deleteRoom('manual')).toBe(outcomes[0]);
    expect(calls).toEqual(['room']);
  });

  it.each([
    ['RM_1', 1_700_000_000_123, 'deleted'],
    ['RM_2', 1_700_000_000_123, 'already-gone'],
    ['RM_1', 1_700_000_005_000, 'already-gone'],
  ])('knows from who is inside which room is meant: %s of %s is %s', async (sid, creationTimeMs, status) => {
    const listRooms = async () => [{ name: 'room', sid, creationTimeMs, metadata: '' }];
    const { deleter, calls } = setup({ listRooms });
    deleter.identify({ sid: 'RM_1', creationTimeMs: 1_700_000_000_000 });
    expect(await deleter.deleteRoom('end')).toMatchObject({ status, attempts: 1 });
    expect(calls).toEqual(status === 'deleted' ? ['room'] : []);
  });

  it('sends nothing until it is asked', async () => {
    const { deleter, calls } = setup();
    const watching = firstValueFrom(deleter.outcome$);
    expect(calls).toEqual([]);
    await deleter.deleteRoom('end');
    expect(await watching).toMatchObject({ status: 'deleted' });
  });

  it('tells late watchers the one outcome, and completes', async () => {
    const { deleter } = setup();
    const outcome = await deleter.deleteRoom('end');
    expect(await lastValueFrom(deleter.outcome$.pipe(toArray()))).toEqual([outcome]);
    expect(Object.isFrozen(outcome)).toBe(true);
  });

  it('finishes the deletion when the last watcher leaves', async () => {
    const { deleter, events } = setup();
    const subscription = deleter.outcome$.subscribe();
    void deleter.deleteRoom('end');
    subscription.unsubscribe();
    await vi.waitFor(() => expect(events).toMatchObject([['roomDeleted', { status: 'deleted' }]]));
  });

  it('deletes at the end of an await using block', async () => {
    const { deleter, calls } = setup();
    await deleter[Symbol.asyncDispose]();
    expect(calls).toEqual(['room']);
    expect(await firstValueFrom(deleter.outcome$)).toMatchObject({ trigger: 'exit' });
    expectTypeOf<RoomDeleter>().toExtend<AsyncDisposable>();
  });

  it('knows its room', () => {
    expect(setup().deleter.roomName).toBe('room');
  });

  describe('tells', () => {
    const notFound = new LiveKitRESTError('room', { kind: 'not_found', retryable: false, status: 404 });
    const rejecting = (error: LiveKitRESTError) => ({ deleteRoomByName: () => Promise.reject(error) });

    it.each([
      ['deleted', 'roomDeleted', 'info', {}, 'always'],
      ['already-gone', 'roomDeleted', 'info', rejecting(notFound), 'always'],
      ['kept', 'roomKept', 'info', {}, 'never'],
      ['failed', 'roomDeleteFailed', 'error', rejecting(refused), 'always'],
    ] as const)('%s by the event %s and a log line', async (status, event, level, rest, deleteWhen) => {
      const { deleter, events, lines } = setup(rest, { deleteWhen });
      const outcome = await deleter.deleteRoom('end');
      expect(outcome.status).toBe(status);
      expect(events).toEqual([[event, outcome]]);
      expect(lines).toMatchObject([
        [level, { status, roomName: 'room', trigger: 'end' }, expect.any(String)],
      ]);
    });

    it('why a room is kept that has a successor of the bot in it', async () => {
      const { deleter, events, lines } = setup();
      deleter.keepRoom('DUPLICATE_IDENTITY');
      const outcome = await deleter.deleteRoom('end');
      expect(events).toEqual([['roomKept', outcome]]);
      expect(lines).toMatchObject([
        ['warn', { status: 'kept', reason: 'DUPLICATE_IDENTITY' }, 'the room is kept'],
      ]);
    });

    it('what to look at when the server refuses', async () => {
      const { deleter, lines } = setup(rejecting(refused));
      await deleter.deleteRoom('end');
      expect(lines[0]?.[1]).toMatchObject({
        kind: 'auth',
        error: refused,
        hint: expect.stringContaining('API key'),
      });
    });

    it('also those who listen beside one that throws', async () => {
      const { deleter, events } = setup();
      const errors: unknown[] = [];
      deleter.removeAllListeners('roomDeleted');
      deleter.on('error', (error) => void errors.push(error));
      deleter.on('roomDeleted', () => {
        throw new Error('a bug');
      });
      deleter.on('roomDeleted', (outcome) => void events.push(['roomDeleted', outcome]));
      expect(await deleter.deleteRoom('end')).toMatchObject({ status: 'deleted' });
      expect(events).toHaveLength(1);
      expect(errors).toMatchObject([{ message: 'a bug' }]);
    });

    it('nobody when the logger throws, and deletes all the same', async () => {
      const broken = (): never => {
        throw new Error('disk full');
      };
      const logger: Logger = { debug: broken, info: broken, warn: broken, error: broken };
      const deleter = new RoomDeleter({
        roomName: 'room',
        logger,
        rest: { deleteRoomByName: async () => true },
      });
      expect(await deleter.deleteRoom('end')).toMatchObject({ status: 'deleted' });
    });

    it('each event with its outcome, in the types too', () => {
      const { deleter } = setup();
      deleter.on('roomKept', (outcome) => expectTypeOf(outcome).toEqualTypeOf<RoomDeletionOutcome>());
      // @ts-expect-error no such event
      deleter.on('roomBurnt', () => {});
    });
  });

  describe('warmUp', () => {
    it('passes on to the rest', async () => {
      const warmUp = vi.fn(async () => {});
      const { deleter, lines } = setup({ warmUp });
      await deleter.warmUp();
      expect(warmUp).toHaveBeenCalledOnce();
      expect(lines).toEqual([]);
    });

    it('does nothing where there is nothing to warm up', async () => {
      const { deleter, lines, calls } = setup();
      await deleter.warmUp();
      expect([lines, calls]).toEqual([[], []]);
    });

    it('reports wrong credentials as an error', async () => {
      const { deleter, lines } = setup({ warmUp: () => Promise.reject(refused) });
      await deleter.warmUp();
      expect(lines).toMatchObject([
        ['error', { kind: 'auth', status: 401, error: refused }, expect.any(String)],
      ]);
    });

    it('reports what may get better as a warning', async () => {
      const { deleter, lines } = setup({ warmUp: () => Promise.reject(new Error('no route')) });
      await deleter.warmUp();
      expect(lines).toMatchObject([['warn', { kind: 'network' }, expect.any(String)]]);
    });

    it('ends at the deadline', async () => {
      const rest = {
        deleteRoomByName: async (): Promise<true> => true,
        warmUp: () => new Promise<void>(() => {}),
      };
      const warn = vi.fn();
      const logger: Logger = { debug: warn, info: warn, warn, error: warn };
      await new RoomDeleter({ roomName: 'room', rest, deadlineMs: 20, logger }).warmUp();
      expect(warn).toHaveBeenCalledOnce();
    });
  });
});
