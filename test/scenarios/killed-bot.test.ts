/** However a bot stops, its caller is out of the room within a second; one that is stuck, after its limit. */

import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import type { LiveKitServer } from '../../src/testing/start-livekit-server.ts';
import { spawnCaller } from '../support/caller.ts';
import { killBots, startBot } from '../support/doomed-bot.ts';
import { type LiveBystanders, startLiveBystanders } from '../support/live-bystanders.ts';
import { promised } from '../support/promised.ts';
import { describeWith } from '../support/requirements.ts';
import { listRooms, roomExists, roomService } from '../support/room-service.ts';
import { sharedLiveKit } from '../support/shared-services.ts';
import { joinToken } from '../support/tokens.ts';
import { die, heartbeatMs, promisedMs, waysToDie } from '../support/ways-to-die.ts';

/** After a deletion the guardian looks whether the room has come back. */
const firstLookMs = 1_000;
const describe = await describeWith('livekit-server', '@livekit/rtc-node');

describe('the room of a bot', () => {
  let server: LiveKitServer;
  let bystanders: LiveBystanders;
  beforeAll(async () => {
    server = await sharedLiveKit();
    bystanders = await startLiveBystanders(server, 'doomed-');
  });
  afterAll(async () => {
    await bystanders[Symbol.asyncDispose]();
    await killBots();
  });

  it.concurrent.each(waysToDie.map((way) => [way.title, way] as const))(
    'is gone after %s',
    async (_, way) => {
      const { reason, outAfterMs, left, bystander } = await die(server, way, bystanders);
      expect(reason).toBe('ROOM_DELETED');
      expect(left).toEqual([bystander]);
      expect(outAfterMs).toBeLessThan(promised(promisedMs + (way.ends === 'stuck' ? heartbeatMs : 0)));
    },
  );

  it.concurrent('is gone again when a caller joins again at once', async () => {
    const roomName = `doomed-${process.pid}-again`;
    const token = await joinToken(server, roomName, 'ada');
    await using caller = spawnCaller({ url: server.url, token, rejoins: true });
    await caller.waitFor('joined', { timeoutMs: 90_000 });
    await using bot = await startBot({ server, roomName, room: { owned: true } });
    bot.kill('SIGKILL');
    const out = await caller.waitFor('disconnected');
    const outAgain = await caller.waitFor('disconnected', {
      where: ({ at }) => at > out.at,
      timeoutMs: 90_000,
    });
    expect([out.reason, outAgain.reason]).toEqual(['ROOM_DELETED', 'ROOM_DELETED']);
    // frozen in the room, it joins no more, and LiveKit would miss it much later
    await caller.waitFor('joined', { where: ({ at }) => at > outAgain.at });
    caller.kill('SIGSTOP');
    await vi.waitFor(async () => expect(await roomExists(server, roomName)).toBe(false), { timeout: 90_000 });
    expect(outAgain.at - out.at).toBeLessThan(promised(firstLookMs + promisedMs));
  });

  it.concurrent('row 59: is gone for good where joining creates no rooms', async () => {
    const strict = await sharedLiveKit('livekit-without-auto-create');
    const roomName = `doomed-${process.pid}-strict`;
    const bystander = `${roomName}-2`;
    for (const name of [roomName, bystander])
      await roomService(strict).createRoom({ name, emptyTimeout: 300 });
    const token = await joinToken(strict, roomName, 'ada');
    await using caller = spawnCaller({ url: strict.url, token, rejoins: true });
    await caller.waitFor('joined', { timeoutMs: 90_000 });
    await using bot = await startBot({ server: strict, roomName });
    bot.kill('SIGKILL');
    expect((await caller.waitFor('disconnected')).reason).toBe('ROOM_DELETED');
    await caller.waitFor('failed', { timeoutMs: 90_000 });
    expect((await listRooms(strict, roomName, bystander)).map(({ name }) => name)).toEqual([bystander]);
  });
});
