/** LiveKit's deletion is not final: a client that joins again makes the room again, and is thrown out again. */

import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { type LiveKitServer, startLiveKitServer } from '../../src/testing/start-livekit-server.ts';
import { spawnCaller } from '../support/caller.ts';
import { killBots, startBot } from '../support/doomed-bot.ts';
import { promised } from '../support/promised.ts';
import { describeWith } from '../support/requirements.ts';
import { listRooms, roomService } from '../support/room-service.ts';
import { joinToken } from '../support/tokens.ts';

const describe = await describeWith('livekit-server', '@livekit/rtc-node');
/** The first look comes after a second; then the caller has to be told. */
const firstLookMs = 1_000;
const tellingMs = 1_000;

describe('a client that joins again as soon as its room is deleted', () => {
  let server: LiveKitServer;
  beforeAll(async () => {
    server = await startLiveKitServer({ config: {} });
  });
  afterEach(killBots);
  afterAll(() => server.stop());

  it('is out again at the first look, and the bot says so', async () => {
    const [roomName, lookAlike] = ['again', 'again-2'];
    await roomService(server).createRoom({ name: lookAlike, emptyTimeout: 300 });
    const token = await joinToken(server, roomName, 'human');
    await using human = spawnCaller({ url: server.url, token, rejoins: true });
    await human.waitFor('joined', { timeoutMs: 90_000 });
    const bot = await startBot({ server, roomName, room: { owned: true }, stays: true });

    bot.cancel();
    const first = await human.waitFor('disconnected');
    const back = await human.waitFor('joined', { where: ({ at }) => at > first.at });
    const second = await human.waitFor('disconnected', { where: ({ at }) => at > back.at });
    await human.stop();

    expect([first.reason, second.reason]).toEqual(['ROOM_DELETED', 'ROOM_DELETED']);
    expect(second.at - first.at).toBeLessThan(promised(firstLookMs + tellingMs));
    const { reappearance } = await bot.waitFor('roomReappeared');
    expect(reappearance).toMatchObject({ roomName, status: 'deleted-again', afterMs: firstLookMs });
    const left = async () => (await listRooms(server)).map(({ name }) => name);
    await expect.poll(left, { timeout: 90_000 }).toEqual([lookAlike]);
  });
});
