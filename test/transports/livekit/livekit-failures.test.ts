import { afterEach, beforeAll, expect, it, onTestFinished, vi } from 'vitest';
import { EndFrame } from '../../../src/frames/lifecycle.ts';
import type { RoomRest } from '../../../src/rooms/rest/room-rest.ts';
import { type LiveKitServer, startLiveKitServer } from '../../../src/testing/start-livekit-server.ts';
import { loadRtcNode } from '../../../src/transports/livekit/rtc-node.ts';
import { promised } from '../../support/promised.ts';
import { describeWith } from '../../support/requirements.ts';
import { roomExists, roomService } from '../../support/room-service.ts';
import { sharedLiveKit } from '../../support/shared-services.ts';
import { tokenFor } from '../../support/tokens.ts';
import { call, newTransport, startBot, tone } from './call.ts';

const describe = await describeWith('livekit-server', '@livekit/rtc-node');

describe('LiveKitTransport, in trouble', () => {
  let server: LiveKitServer;
  beforeAll(async () => {
    server = await sharedLiveKit();
  });
  afterEach(() => vi.restoreAllMocks());

  function recordingRest(): RoomRest & { readonly deleted: string[] } {
    const deleted: string[] = [];
    return {
      deleted,
      deleteRoomByName: async (roomName) => {
        deleted.push(roomName);
        return true;
      },
    };
  }

  async function frozenServer(): Promise<LiveKitServer> {
    const frozen = await startLiveKitServer({ config: {} });
    onTestFinished(() => frozen.stop());
    process.kill(frozen.pid as number, 'SIGSTOP');
    return frozen;
  }

  it('fails the run when it cannot join, and deletes the room all the same', async () => {
    const rest = recordingRest();
    const bot = startBot(server, { url: 'ws://127.0.0.1:9', deleteRoomOnEnd: { rest } });
    const errors = vi.fn();
    bot.task.on('error', errors);
    expect(await bot.result).toMatchObject({
      reason: 'failed',
      error: { message: expect.stringContaining('could not be joined') },
    });
    expect(rest.deleted).toEqual([bot.transport.roomName]);
    expect(bot.events).toEqual([]);
  });

  it('fails the run when it has joined and cannot publish', async () => {
    const token = await tokenFor(server, 'mute', { roomJoin: true, room: 'mute-room', canPublish: false });
    const bot = startBot(server, { token });
    expect(await bot.result).toMatchObject({ reason: 'failed' });
    expect(bot.events).toEqual(['connected', 'left']);
    expect(await roomExists(server, 'mute-room')).toBe(false);
  });

  it('can be cancelled while it joins', async () => {
    const rest = recordingRest();
    const bot = startBot(await frozenServer(), { deleteRoomOnEnd: { rest } });
    await new Promise((resolve) => setTimeout(resolve, 300));
    const at = performance.now();
    bot.task.cancel();
    expect(await bot.result).toMatchObject({ reason: 'cancelled' });
    expect(performance.now() - at).toBeLessThan(promised(2_000));
    expect(rest.deleted).toEqual([bot.transport.roomName]);
  });

  it('fails the run when joining takes too long', async () => {
    const rest = recordingRest();
    const taskOptions = { setupTimeoutMs: 500 };
    const bot = startBot(await frozenServer(), { deleteRoomOnEnd: { rest }, taskOptions });
    expect(await bot.result).toMatchObject({ reason: 'failed' });
    expect(rest.deleted).toEqual([bot.transport.roomName]);
  });

  it.each([
    ['throws', () => Promise.reject(new Error('no'))],
    ['never returns', () => new Promise<void>(() => {})],
  ])('deletes the room when leaving it %s', async (_what, disconnect) => {
    const { Room } = await loadRtcNode();
    const transport = newTransport(server);
    const ada = await call(server, transport.roomName);
    const bot = startBot(server, { transport });
    await bot.started;
    vi.spyOn(Room.prototype, 'disconnect').mockImplementation(disconnect);
    bot.says(...tone(200), new EndFrame());
    expect(await bot.result).toMatchObject({ reason: 'ended', forced: false });
    expect(await ada.waitFor('disconnected')).toMatchObject({ reason: 'ROOM_DELETED' });
    expect(await roomExists(server, transport.roomName)).toBe(false);
  });

  it('does not join again when its room was deleted', async () => {
    const bot = startBot(server);
    await bot.started;
    await roomService(server).deleteRoom(bot.transport.roomName);
    await bot.result;
    const again = startBot(server, { transport: bot.transport });
    expect(await again.result).toMatchObject({ reason: 'failed' });
    expect(await roomExists(server, bot.transport.roomName)).toBe(false);
  });

  it('does not join again after it has deleted its room itself', async () => {
    const bot = startBot(server);
    await bot.started;
    bot.says(new EndFrame());
    await bot.result;
    const again = startBot(server, { transport: bot.transport });
    expect(await again.result).toMatchObject({ reason: 'failed' });
    expect(await roomExists(server, bot.transport.roomName)).toBe(false);
  });
});
