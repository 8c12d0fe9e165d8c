import { describe, expect, it } from 'vitest';
import { InvalidOptionError } from '../../src/lib/errors.ts';
import { stderrLogger } from '../../src/lib/logger.ts';
import { LiveKitRESTHelper } from '../../src/rooms/rest/livekit-rest-helper.ts';
import { RoomDeleter } from '../../src/rooms/room-deleter.ts';
import { type RoomDeleterOptions, resolveRoomDeleterOptions } from '../../src/rooms/room-deleter-options.ts';
import { generateRoomName } from '../../src/rooms/room-name.ts';

const rest = { deleteRoomByName: async (): Promise<true> => true };

describe('resolveRoomDeleterOptions', () => {
  it('has these defaults', () => {
    expect(resolveRoomDeleterOptions({ roomName: 'r', rest })).toMatchObject({
      deleteWhen: 'always',
      ownIdentity: undefined,
      deadlineMs: 7_000,
      logger: stderrLogger,
      room: { owned: false },
      verify: true,
      guardian: undefined,
      guardianHeartbeatMs: 4_000,
    });
  });

  it.each([undefined, null])('refuses %s instead of options', (options) => {
    expect(() => new RoomDeleter(options as never)).toThrow(InvalidOptionError);
    expect(() => new LiveKitRESTHelper(options as never)).toThrow(InvalidOptionError);
  });

  it('takes a name that endframe generated for our own', () => {
    const roomName = generateRoomName('prod-');
    expect(resolveRoomDeleterOptions({ roomName, rest }).room).toEqual({ owned: true });
    expect(resolveRoomDeleterOptions({ roomName, rest, room: { owned: false } }).room).toEqual({
      owned: false,
    });
  });

  it.each([
    { deleteWhen: 'never' },
    { deleteWhen: async () => true },
    { deadlineMs: 1, verify: false, guardian: true },
    { room: { owned: true } },
    { room: { owned: false, sid: 'RM_1', creationTimeMs: 1 }, rest: { ...rest, listRooms: async () => [] } },
  ] satisfies Partial<RoomDeleterOptions>[])('takes %o', (options) => {
    expect(() => resolveRoomDeleterOptions({ roomName: 'r', rest, ...options })).not.toThrow();
  });

  it('wants to see a room that is to be told from others of its name', () => {
    const room = { owned: false, sid: 'RM_1' };
    expect(() => resolveRoomDeleterOptions({ roomName: 'r', rest, room })).toThrow(/listRooms\(\)/);
  });

  it.each([
    ['roomName', ''],
    ['roomName', undefined],
    ['roomName', 'x'.repeat(257)],
    ['rest', undefined],
    ['rest', null],
    ['rest', {}],
    ['deleteWhen', 'sometimes'],
    ['deleteWhen', null],
    ['ownIdentity', ''],
    ['deadlineMs', 0],
    ['deadlineMs', -1],
    ['deadlineMs', Number.NaN],
    ['deadlineMs', Number.POSITIVE_INFINITY],
    ['verify', 'yes'],
    ['guardian', 1],
    ['guardianHeartbeatMs', 0],
    ['logger', {}],
    ['room', true],
    ['room', null],
  ])('refuses %s: %o', (option, value) => {
    const options = { roomName: 'r', rest, [option]: value } as unknown as RoomDeleterOptions;
    expect(() => resolveRoomDeleterOptions(options)).toThrow(InvalidOptionError);
    expect(() => resolveRoomDeleterOptions(options)).toThrow(`Option "${option}" must be `);
  });

  it.each([
    [{}, 'room.owned'],
    [{ owned: true, sid: '' }, 'room.sid'],
    [{ owned: true, creationTimeMs: Number.NaN }, 'room.creationTimeMs'],
  ])('refuses the room %o', (room, option) => {
    const options = { roomName: 'r', rest, room } as RoomDeleterOptions;
    expect(() => resolveRoomDeleterOptions(options)).toThrow(`Option "${option}" must be `);
  });

  it.each(['no-humans-left', 'no-agents-left'] as const)(
    'wants a rest that can count for %s',
    (deleteWhen) => {
      const listParticipants = async (): Promise<[]> => [];
      expect(() => resolveRoomDeleterOptions({ roomName: 'r', rest, deleteWhen })).toThrow(
        'listParticipants()',
      );
      expect(() =>
        resolveRoomDeleterOptions({ roomName: 'r', rest: { ...rest, listParticipants }, deleteWhen }),
      ).not.toThrow();
    },
  );
});
