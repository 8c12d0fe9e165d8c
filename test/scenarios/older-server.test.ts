/** What the newest server is tested for elsewhere, on the oldest one: a killed bot's room is gone. */

import { afterAll, beforeAll, expect, it } from 'vitest';
import { type LiveKitServer, startLiveKitServer } from '../../src/testing/start-livekit-server.ts';
import { killBots } from '../support/doomed-bot.ts';
import { type LiveBystanders, startLiveBystanders } from '../support/live-bystanders.ts';
import { describeWith } from '../support/requirements.ts';
import { oldestServerVersion } from '../support/server-versions.ts';
import { die, waysToDie } from '../support/ways-to-die.ts';

const describe = await describeWith('livekit-server v1.9.11', '@livekit/rtc-node');

describe(`on LiveKit ${oldestServerVersion} the room of a bot`, () => {
  let server: LiveKitServer;
  let bystanders: LiveBystanders;
  beforeAll(async () => {
    server = await startLiveKitServer({ version: oldestServerVersion });
    bystanders = await startLiveBystanders(server, 'doomed-');
  });
  afterAll(async () => {
    await bystanders[Symbol.asyncDispose]();
    await killBots();
    await server.stop();
  });

  const ways = waysToDie.filter(({ title }) => title === 'SIGKILL' || title === 'an endless loop');
  it.each(ways.map((way) => [way.title, way] as const))('is gone after %s', async (_, way) => {
    const { reason, left, bystander } = await die(server, way, bystanders);
    expect(reason).toBe('ROOM_DELETED');
    expect(left).toEqual([bystander]);
  });
});
