import { expect, it, onTestFinished } from 'vitest';
import {
  type LiveKitServer,
  type LiveKitServerConfig,
  startLiveKitServer,
} from '../../../src/testing/start-livekit-server.ts';
import { describeWith } from '../../support/requirements.ts';
import { listParticipants, roomExists, roomService } from '../../support/room-service.ts';
import { call, startBot, tone } from './call.ts';

const describe = await describeWith('livekit-server', '@livekit/rtc-node');

describe('a LiveKitTransport whose room was replaced while it was not reachable', () => {
  async function startServer(config: LiveKitServerConfig = {}): Promise<LiveKitServer> {
    const server = await startLiveKitServer({ config });
    onTestFinished(() => server.stop());
    return server;
  }

  /** A server that forgets everything, and has a room of that name again before anybody comes back. */
  async function replaceRoom(server: LiveKitServer, roomName: string): Promise<void> {
    await server.stop();
    const port = Number(new URL(server.httpUrl).port);
    await startServer({ port, keys: { [server.apiKey]: server.apiSecret } });
    await roomService(server).createRoom({ name: roomName });
  }

  it('notices, leaves it, and does not delete it, where others may use the name', async () => {
    const server = await startServer();
    const bot = startBot(server, { roomName: 'lobby' });
    await bot.started;
    await replaceRoom(server, 'lobby');
    const ada = await call(server, 'lobby');
    bot.says(...tone(60_000));
    expect(await bot.result).toMatchObject({ reason: 'ended', frame: { reason: 'ROOM_REPLACED' } });
    expect(bot.events).toContain('disconnected ROOM_REPLACED');
    expect(bot.outcomes).toMatchObject([{ status: 'already-gone' }]);
    const inside = await listParticipants(server, 'lobby');
    expect(inside.map(({ identity }) => identity)).toEqual(['ada']);
    expect(ada.events.map(({ event }) => event)).not.toContain('disconnected');
    const again = startBot(server, { transport: bot.transport });
    expect(await again.result).toMatchObject({ reason: 'failed' });
    expect(await listParticipants(server, 'lobby')).toHaveLength(1);
  });

  it('notices, leaves it, and deletes it, where the name is nobody else’s', async () => {
    const server = await startServer();
    const bot = startBot(server);
    await bot.started;
    await replaceRoom(server, bot.transport.roomName);
    const ada = await call(server, bot.transport.roomName);
    expect(await bot.result).toMatchObject({ reason: 'ended', frame: { reason: 'ROOM_REPLACED' } });
    expect(bot.outcomes).toMatchObject([{ status: 'deleted' }]);
    expect(await ada.waitFor('disconnected')).toMatchObject({ reason: 'ROOM_DELETED' });
    expect(await roomExists(server, bot.transport.roomName)).toBe(false);
  });
});
