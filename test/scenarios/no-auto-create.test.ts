/** A LiveKit in which joining creates no rooms: they are created explicitly, end as ever, and end for good. */

import { beforeAll, expect, it } from 'vitest';
import { LiveKitRESTHelper } from '../../src/rooms/rest/livekit-rest-helper.ts';
import { generateRoomName } from '../../src/rooms/room-name.ts';
import type { LiveKitServer } from '../../src/testing/start-livekit-server.ts';
import { spawnCaller } from '../support/caller.ts';
import { DoomedBot, startBot } from '../support/doomed-bot.ts';
import { endedAfter } from '../support/ended-after-each.ts';
import { promised } from '../support/promised.ts';
import { describeWith } from '../support/requirements.ts';
import { sharedLiveKit } from '../support/shared-services.ts';
import { now } from '../support/talking-bot.ts';
import { joinToken } from '../support/tokens.ts';
import {
  boundMs,
  measuringMs,
  startBystanders,
  startSweeper,
  uniquePrefix,
} from '../sweeper/quick-sweeper.ts';

const describe = await describeWith('livekit-server', '@livekit/rtc-node');

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

// most of it is waiting, and each test has a prefix of its own
describe('where joining creates no rooms', () => {
  let server: LiveKitServer;
  beforeAll(async () => {
    server = await sharedLiveKit('livekit-without-auto-create');
  });

  it.concurrent.for(ends)('row 59: a room is gone for good after %s', async ([, limitMs, end], context) => {
    const keep = endedAfter(context);
    const prefix = uniquePrefix('strict');
    const roomName = generateRoomName(prefix);
    const bystanders = keep(await startBystanders(server, roomName));
    await new LiveKitRESTHelper({ ...server, apiUrl: server.httpUrl }).createRoom(roomName);
    const token = await joinToken(server, roomName, 'human');
    const human = keep(spawnCaller({ url: server.url, token, rejoins: true }));
    await human.waitFor('joined', { timeoutMs: 90_000 });
    const bot = keep(await startBot({ server, url: server.url, roomName, leaseBeatMs: 500 }));
    keep(startSweeper(server, prefix));

    const endedAt = now();
    await end(bot);
    const { at, reason } = await human.waitFor('disconnected', { timeoutMs: 90_000 });
    expect(reason).toBe('ROOM_DELETED');
    expect(at - endedAt).toBeLessThan(promised(limitMs));
    await human.waitFor('failed', { timeoutMs: 90_000 });
    await bystanders.expectOnlyThese();
  });

  it.concurrent('row 59: a bot whose room was not created fails, and touches no other', async (context) => {
    const keep = endedAfter(context);
    const roomName = generateRoomName(uniquePrefix('strict'));
    const bystanders = keep(await startBystanders(server, roomName));
    const bot = keep(new DoomedBot({ server, url: server.url, roomName }));
    expect(await bot.exited).toEqual({ code: 1, signal: null });
    expect(bot.events.map(({ event }) => event)).not.toContain('started');
    await bystanders.expectOnlyThese();
  });
});
