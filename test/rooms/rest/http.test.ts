import { afterEach, expect, it, vi } from 'vitest';
import { FakeLiveKitServer } from '../../../src/testing/fake-livekit-server.ts';
import { killBots, startBot } from '../../support/doomed-bot.ts';

afterEach(killBots);

it.each(['gzip', 'deflate', 'br'] as const)(
  'the guardian of a killed bot deletes its room through a proxy that compresses whatever is asked: %s',
  async (coding) => {
    await using server = await FakeLiveKitServer.start();
    server.fail({ kind: 'compressed', coding });
    const { sid } = server.createRoom('shared');
    // so that the guardian has to read a list, too
    const bot = await startBot({ server, roomName: 'shared', room: { owned: false, sid } });
    bot.kill('SIGKILL');
    await vi.waitFor(() => expect(server.rooms).toEqual([]), { timeout: 90_000, interval: 10 });
  },
);
