import { beforeAll, expect, it } from 'vitest';
import { type LiveKitServer, startLiveKitServer } from '../../../src/testing/start-livekit-server.ts';
import { promised } from '../../support/promised.ts';
import { describeWith } from '../../support/requirements.ts';
import { listRooms, roomExists, roomService } from '../../support/room-service.ts';
import { sharedLiveKit } from '../../support/shared-services.ts';
import { startBotProcess } from './bot-process.ts';
import { call } from './call.ts';

const describe = await describeWith('livekit-server', '@livekit/rtc-node');

describe('a process with a LiveKitTransport', () => {
  let server: LiveKitServer;
  beforeAll(async () => {
    server = await sharedLiveKit();
  });

  it.each([
    ['end', 'ended'],
    ['cancel', 'cancelled'],
  ])('exits by itself after the %s, with code 0', async (mode, reason) => {
    const bot = startBotProcess(server, mode);
    expect(await bot.told('reason')).toBe(reason);
    expect(await bot.exited).toBe(0);
    expect(bot.times.exitMs - bot.times.doneMs).toBeLessThan(promised(2_000));
    expect(await roomExists(server, (await bot.told('started')) as string)).toBe(false);
    expect(bot.output()).toContain('"forced":false');
  });

  it('can join again after it has left', async () => {
    const bot = startBotProcess(server, 'end', '3');
    expect(await bot.exited).toBe(0);
    expect(bot.output().match(/"outcome":"deleted"/g)).toHaveLength(3);
    const rooms = [...bot.output().matchAll(/"started":"(.+?)"/g)].map(([, name = '']) => name);
    expect(new Set(rooms).size).toBe(3);
    expect(await listRooms(server, ...rooms)).toEqual([]);
  });

  it('exits by itself when somebody else has deleted the room', async () => {
    const bot = startBotProcess(server, 'wait');
    const roomName = (await bot.told('started')) as string;
    await roomService(server).deleteRoom(roomName);
    expect(await bot.exited).toBe(0);
    expect(bot.output()).toContain('"outcome":"already-gone"');
  });

  it('exits with code 1 when it cannot join, and prints neither token nor secret', async () => {
    const apiSecret = 'not-the-secret-of-this-server-000000';
    const bot = startBotProcess({ ...server, apiSecret });
    expect(await bot.exited).not.toBe(0);
    expect(bot.output()).toContain('could not be joined');
    expect(bot.output()).toContain('"reason":"failed"');
    expect(bot.output()).not.toContain('eyJ');
    expect(bot.output()).not.toContain(apiSecret);
  });

  it('exits by itself when the server is frozen at the end', async () => {
    const frozen = await startLiveKitServer({ config: {} });
    try {
      const bot = startBotProcess(frozen, 'wait');
      const roomName = (await bot.told('started')) as string;
      const ada = await call(frozen, roomName);
      process.kill(frozen.pid as number, 'SIGSTOP');
      const at = performance.now();
      bot.kill('SIGTERM');
      expect(await bot.exited).toBe(3);
      expect(performance.now() - at).toBeLessThan(promised(9_500));
      await ada.stop();
    } finally {
      process.kill(frozen.pid as number, 'SIGCONT');
      await frozen.stop();
    }
  });

  it('cleans up after a SIGTERM', async () => {
    const bot = startBotProcess(server, 'wait');
    const roomName = (await bot.told('started')) as string;
    const ada = await call(server, roomName);
    bot.kill('SIGTERM');
    expect(await bot.exited).toBe(0);
    expect(await ada.waitFor('disconnected')).toMatchObject({ reason: 'ROOM_DELETED' });
    expect(await roomExists(server, roomName)).toBe(false);
  });
});
