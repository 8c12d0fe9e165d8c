import { firstValueFrom } from 'rxjs';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { EndTaskFrame } from '../../../src/frames/lifecycle.ts';
import { silentLogger } from '../../../src/lib/logger.ts';
import type { ListedRoom, RoomRest } from '../../../src/rooms/rest/room-rest.ts';
import { resolveLiveKitOptions } from '../../../src/transports/livekit/livekit-options.ts';
import { isSameRoom, RejoinGuard } from '../../../src/transports/livekit/rejoin-guard.ts';

const joined = { roomName: 'lobby', sid: 'RM_1', isLeft: () => false };

function restWith(...rooms: readonly Partial<ListedRoom>[]): RoomRest {
  return {
    deleteRoomByName: async () => true,
    listRooms: async () => rooms as readonly ListedRoom[],
  };
}

describe('isSameRoom', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  async function isSame(rest: RoomRest | undefined): Promise<boolean> {
    const answer = isSameRoom(rest, joined, silentLogger);
    await vi.runAllTimersAsync();
    return answer;
  }

  it.each([
    ['is the one that was joined', [{ name: 'lobby', sid: 'RM_1' }], true],
    ['is another one', [{ name: 'lobby', sid: 'RM_2' }], false],
    ['is not listed', [], true],
    ['is not the one that was asked for', [{ name: 'Lobby', sid: 'RM_2' }], true],
  ])('handles a room that %s', async (_what, rooms, same) => {
    expect(await isSame(restWith(...rooms))).toBe(same);
  });

  it('retries when the first answers are inconclusive', async () => {
    const listRooms = vi
      .fn<NonNullable<RoomRest['listRooms']>>()
      .mockRejectedValueOnce(new Error('no answer'))
      .mockResolvedValueOnce([])
      .mockResolvedValue([{ name: 'lobby', sid: 'RM_2' } as ListedRoom]);
    expect(await isSame({ ...restWith(), listRooms })).toBe(false);
    expect(listRooms).toHaveBeenCalledTimes(3);
  });

  it('retries for as long as LiveKit may take to recover', async () => {
    const answersFromMs = Date.now() + 20_000;
    const listRooms = vi.fn(async () => {
      if (Date.now() < answersFromMs) throw new Error('no answer');
      return [{ name: 'lobby', sid: 'RM_2' } as ListedRoom];
    });
    expect(await isSame({ ...restWith(), listRooms })).toBe(false);
  });

  it('stops retrying once the bot has left, without a warning', async () => {
    const listRooms = vi.fn().mockRejectedValue(new Error('no answer'));
    const warn = vi.fn();
    const logger = { ...silentLogger, warn };
    const answer = isSameRoom({ ...restWith(), listRooms }, { ...joined, isLeft: () => true }, logger);
    await vi.runAllTimersAsync();
    expect(await answer).toBe(true);
    expect(listRooms).toHaveBeenCalledOnce();
    expect(warn).not.toHaveBeenCalled();
  });

  it('returns true where it cannot be determined', async () => {
    const listRooms = vi.fn().mockRejectedValue(new Error('no answer'));
    expect(await isSame({ ...restWith(), listRooms })).toBe(true);
    expect(await isSame({ deleteRoomByName: async () => true })).toBe(true);
    expect(await isSame(undefined)).toBe(true);
  });
});

describe('RejoinGuard', () => {
  it('ends the run of a deleted room although the logger throws', async () => {
    const broken = (): never => {
      throw new Error('disk full');
    };
    const logger = { debug: broken, info: broken, warn: broken, error: broken };
    const options = resolveLiveKitOptions({
      url: 'ws://livekit.example.com',
      apiKey: 'key',
      apiSecret: 'secret',
      logger,
    });
    const push = vi.fn();
    new RejoinGuard(options, push).disconnected('ROOM_DELETED');
    expect(push).toHaveBeenCalledExactlyOnceWith(expect.any(EndTaskFrame));
    expect(options.deleter && (await firstValueFrom(options.deleter.outcome$))).toMatchObject({
      status: 'already-gone',
    });
  });
});
