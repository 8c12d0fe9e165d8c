/** A LiveKit in which joining creates no rooms: they are created explicitly, end as ever, and end for good. */

import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest';
import { generateRoomName } from '../../src/rooms/generated-room-name.ts';
import { LiveKitRESTHelper } from '../../src/rooms/livekit-rest-helper.ts';
import { type LiveKitServer, startLiveKitServer } from '../../src/testing/start-livekit-server.ts';
import { spawnCaller } from '../support/caller.ts';
import { DoomedBot, killBots, startBot } from '../support/doomed-bot.ts';
import { endedAfterEach } from '../support/ended-after-each.ts';
import { promised } from '../support/promised.ts';
import { describeWith } from '../support/requirements.ts';
import { listRooms, roomService } from '../support/room-service.ts';
import { now } from '../support/talking-bot.ts';
import { joinToken } from '../support/tokens.ts';
import { boundMs, measuringMs, startBystanders, startSweeper } from '../sweeper/quick-sweeper.ts';

const describe = await describeWith('livekit-server', '@livekit/rtc-node');
vi.setConfig({ testTimeout: 90_000 });
const prefix = 'strict-';

/** Within how many milliseconds the human has to be out. */
const ends: readonly (readonly [after: string, limitMs: number, end: (bot: DoomedBot) => unknown])[] = [
  ['an EndFrame', 1_000, (bot) => bot.end()],
  ['SIGKILL, by its guardian', 1_000, (bot) => bot.kill('SIGKILL')],
  [
    'SIGKILL of bot and guardian, by a sweeper',
    boundMs + measuringMs,
    async (bot) => {
      process.kill(await bot.guardianPid(), 'SIGKILL');
      bot.kill('SIGKILL');
    },
  ],
];

describe('where joining creates no rooms', () => {
  let server: LiveKitServer;
  beforeAll(async () => {
    server = await startLiveKitServer({ config: { room: { auto_create: false } } });
  });
  afterEach(async () => {
    await killBots();
    for (const { name } of await listRooms(server)) await roomService(server).deleteRoom(name);
  });
  afterAll(() => server.stop());
  const keep = endedAfterEach();

  it.each(ends)('row 59: a room is gone for good after %s', async (_, limitMs, end) => {
    const roomName = generateRoomName(prefix);
    const bystanders = keep(await startBystanders(server, roomName));
    await new LiveKitRESTHelper({ ...server, apiUrl: server.httpUrl }).createRoom(roomName);
    const token = await joinToken(server, roomName, 'human');
    const human = keep(spawnCaller({ url: server.url, token, rejoins: true }));
    await human.waitFor('joined', { timeoutMs: 30_000 });
    const bot = await startBot({ server, url: server.url, roomName, leaseBeatMs: 500 });
    keep(startSweeper(server, prefix));

    const endedAt = now();
    await end(bot);
    const { at, reason } = await human.waitFor('disconnected', { timeoutMs: 30_000 });
    expect(reason).toBe('ROOM_DELETED');
    expect(at - endedAt).toBeLessThan(promised(limitMs));
    await human.waitFor('failed', { timeoutMs: 60_000 });
    await bystanders.expectOnlyThese();
  });

  it('row 59: a bot whose room was not created fails, and touches no other', async () => {
    const roomName = generateRoomName(prefix);
    const bystanders = keep(await startBystanders(server, roomName));
    const bot = new DoomedBot({ server, url: server.url, roomName });
    expect(await bot.exited).toEqual({ code: 1, signal: null });
    expect(bot.events.map(({ event }) => event)).not.toContain('started');
    await bystanders.expectOnlyThese();
  });
});
