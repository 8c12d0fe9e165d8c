/** What every `RoomRest` promises, whatever server stands behind it. */

import { describe, expect, it } from 'vitest';
import { InvalidOptionError, LiveKitRESTError } from '../../src/lib/errors.ts';
import type { RoomRest } from '../../src/rooms/rest/room-rest.ts';
import type { RestServer } from '../support/room-service.ts';

export interface RoomRestSubject {
  /** @param apiSecret Another one than the server's. */
  readonly createRest: (apiSecret?: string) => Required<RoomRest>;
  /** Lets somebody join, and tells how it ended for them. */
  readonly joins: (room: string, identity: string) => Promise<{ readonly disconnected: Promise<string> }>;
  /** Does it while the server's clock is so far ahead of ours, in milliseconds. */
  readonly withServerAhead: <T>(aheadMs: number, work: () => Promise<T>) => Promise<T>;
}

export function roomRestContract(server: () => RestServer, getSubject: () => RoomRestSubject): void {
  const subject = () => {
    const { createRest, ...rest } = getSubject();
    return { rest: createRest(), stranger: createRest('x'.repeat(32)), createRest, ...rest };
  };
  let rooms = 0;
  const newName = (): string => `contract-${process.pid}-${rooms++}`;
  const failure = (promise: Promise<unknown>): Promise<unknown> =>
    promise.then(
      () => 'no error',
      (error) => error,
    );

  describe('RoomRest', () => {
    it('deletes a room, which throws everybody out', async () => {
      const { rest, joins } = subject();
      const name = newName();
      const ada = await joins(name, 'ada');
      const bob = await joins(name, 'bob');
      expect(await rest.deleteRoomByName(name)).toBe(true);
      expect(await Promise.all([ada.disconnected, bob.disconnected])).toEqual([
        'ROOM_DELETED',
        'ROOM_DELETED',
      ]);
      expect(await rest.listRooms([name])).toEqual([]);
    });

    it('says not_found of a room that is not there', async () => {
      const error = await failure(subject().rest.deleteRoomByName(newName()));
      expect(error).toBeInstanceOf(LiveKitRESTError);
      expect(error).toMatchObject({ status: 404, code: 'not_found', kind: 'not_found', retryable: false });
    });

    it('says auth of a wrong secret, and shows no token', async () => {
      const error = await failure(subject().stranger.deleteRoomByName('x'));
      expect(error).toMatchObject({ status: 401, kind: 'auth', retryable: false });
      expect(String(error)).not.toMatch(/eyJ/);
      expect(String(error)).not.toContain(server().apiSecret);
    });

    it.each([300_000, -300_000])(
      'deletes a room while the clocks are %i ms apart, and knows a wrong secret all the same',
      async (aheadMs) => {
        const { createRest, withServerAhead } = subject();
        const name = newName();
        await createRest().createRoom(name);
        await withServerAhead(aheadMs, async () => {
          const error = await failure(createRest('x'.repeat(32)).deleteRoomByName(name));
          expect(error).toMatchObject({ status: 401, kind: 'auth', retryable: false });
          expect(await createRest().deleteRoomByName(name)).toBe(true);
        });
        expect(await createRest().listRooms([name])).toEqual([]);
      },
    );

    it('creates a room, and gives the one there is the second time', async () => {
      const { rest } = subject();
      const name = newName();
      const room = await rest.createRoom(name);
      expect(room).toMatchObject({ name, sid: expect.stringMatching(/^RM_/), metadata: '' });
      expect(Math.abs(room.creationTimeMs - Date.now())).toBeLessThan(60_000);
      expect(await rest.createRoom(name)).toEqual(room);
      expect(await rest.listRooms([name])).toEqual([room]);
    });

    it('lists the rooms of these names, or all', async () => {
      const { rest } = subject();
      const [one, two] = [newName(), newName()];
      await rest.createRoom(one);
      await rest.createRoom(two);
      expect((await rest.listRooms([two, 'nowhere'])).map(({ name }) => name)).toEqual([two]);
      expect((await rest.listRooms([])).map(({ name }) => name)).toEqual(expect.arrayContaining([one, two]));
    });

    it('lists who is inside', async () => {
      const { rest, joins } = subject();
      const name = newName();
      expect(await rest.listParticipants(name)).toEqual([]);
      await joins(name, 'ada');
      await joins(name, 'bob');
      const inside = await rest.listParticipants(name);
      expect(inside.map(({ identity }) => identity).sort()).toEqual(['ada', 'bob']);
      expect(inside[0]).toMatchObject({ kind: 'STANDARD', isAgent: false, attributes: {} });
      await rest.deleteRoomByName(name);
    });

    it.each(['Grüße 👋', '../%2e?#', '"\\\n', ' spaces ', 'x'.repeat(200)])(
      'deletes exactly the room %j',
      async (odd) => {
        const { rest } = subject();
        const name = newName() + odd;
        const neighbour = `${name}x`;
        await rest.createRoom(name);
        await rest.createRoom(neighbour);
        await rest.deleteRoomByName(name);
        expect((await rest.listRooms([name, neighbour])).map((room) => room.name)).toEqual([neighbour]);
        await rest.deleteRoomByName(neighbour);
      },
    );

    it.each(['', 'x'.repeat(257), '\ud800'])('refuses the name %j', async (name) => {
      expect(await failure(subject().rest.deleteRoomByName(name))).toBeInstanceOf(InvalidOptionError);
    });

    it('warms up with the right secret only', async () => {
      await subject().rest.warmUp();
      expect(await failure(subject().stranger.warmUp())).toMatchObject({ kind: 'auth' });
    });

    it('stops when the signal does', async () => {
      const reason = new Error('enough');
      const signal = AbortSignal.abort(reason);
      expect(await failure(subject().rest.deleteRoomByName(newName(), { signal }))).toBe(reason);
    });
  });
}
