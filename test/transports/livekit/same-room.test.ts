import { describe, expect, it, vi } from 'vitest';
import { silentLogger } from '../../../src/logger.ts';
import type { ListedRoom, RoomRest } from '../../../src/rooms/room-rest.ts';
import { isSameRoom } from '../../../src/transports/livekit/same-room.ts';

const joined = { roomName: 'lobby', sid: 'RM_1' };

function restWith(...rooms: readonly Partial<ListedRoom>[]): RoomRest {
  return {
    deleteRoomByName: async () => true,
    listRooms: async () => rooms as readonly ListedRoom[],
  };
}

describe('isSameRoom', () => {
  it.each([
    ['is the one that was joined', [{ name: 'lobby', sid: 'RM_1' }], true],
    ['is another one', [{ name: 'lobby', sid: 'RM_2' }], false],
    ['is not listed', [], true],
    ['is not the one that was asked for', [{ name: 'Lobby', sid: 'RM_2' }], true],
  ])('knows a room that %s', async (_what, rooms, same) => {
    expect(await isSameRoom(restWith(...rooms), joined, silentLogger)).toBe(same);
  });

  it('trusts what nobody can tell', async () => {
    const failing = { ...restWith(), listRooms: vi.fn().mockRejectedValue(new Error('no answer')) };
    expect(await isSameRoom(failing, joined, silentLogger)).toBe(true);
    expect(await isSameRoom({ deleteRoomByName: async () => true }, joined, silentLogger)).toBe(true);
    expect(await isSameRoom(undefined, joined, silentLogger)).toBe(true);
    expect(
      await isSameRoom(restWith({ name: 'lobby', sid: 'RM_2' }), { ...joined, sid: '' }, silentLogger),
    ).toBe(true);
  });
});
