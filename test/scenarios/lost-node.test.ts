/** A LiveKit cluster that loses a node, by order or by accident, or its database: the room goes all the same. */

import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, expect, it, type TestContext, vi } from 'vitest';
import { silentLogger } from '../../src/lib/logger.ts';
import { LiveKitRESTHelper } from '../../src/rooms/rest/livekit-rest-helper.ts';
import { RoomDeleter } from '../../src/rooms/room-deleter.ts';
import { generateRoomName } from '../../src/rooms/room-name.ts';
import type { LiveKitServer } from '../../src/testing/start-livekit-server.ts';
import { spawnCaller } from '../support/caller.ts';
import { killBots, startBot } from '../support/doomed-bot.ts';
import { diesWithin } from '../support/is-alive.ts';
import { type LiveKitCluster, startCluster } from '../support/livekit-cluster.ts';
import { promised } from '../support/promised.ts';
import { describeWith } from '../support/requirements.ts';
import { listRooms, roomService } from '../support/room-service.ts';
import { now } from '../support/talking-bot.ts';
import { joinToken } from '../support/tokens.ts';
import { startLeasedBots } from '../sweeper/leased-bots.ts';
import { boundMs, limits, measuringMs, startBystanders, startSweeper } from '../sweeper/quick-sweeper.ts';

const describe = await describeWith('livekit-server', '@livekit/rtc-node', 'redis-server');

// each test has a cluster of its own
describe('in a cluster', () => {
  afterAll(killBots);

  function deleterAt(server: LiveKitServer, roomName: string) {
    const { apiKey, apiSecret, httpUrl: apiUrl } = server;
    const rest = new LiveKitRESTHelper({ apiKey, apiSecret, apiUrl });
    const deleter = new RoomDeleter({ roomName, rest, room: { owned: true }, logger: silentLogger });
    const reappeared = vi.fn();
    deleter.on('roomReappeared', reappeared);
    return { deleter, reappeared };
  }

  const names = async (server: LiveKitServer) => (await listRooms(server)).map(({ name }) => name).sort();

  it.concurrent('a room whose node was killed is deleted through another one', async () => {
    await using cluster = await startCluster();
    const first = await cluster.addNode();
    for (const name of ['call', 'call-2']) await roomService(first).createRoom({ name });
    const second = await cluster.addNode();
    process.kill(first.pid as number, 'SIGKILL');

    const { deleter } = deleterAt(second, 'call');
    const outcome = await deleter.deleteRoom('end');
    expect(outcome).toMatchObject({ status: 'deleted' });
    expect(outcome.attempts).toBeGreaterThan(1);
    // the other one is as stranded, and is not ours
    expect(await names(second)).toEqual(['call-2']);
  });

  /** A room on a node that is to go, and rooms that must stay, on another. */
  async function setup({ onTestFinished }: TestContext) {
    const cluster: LiveKitCluster = await startCluster();
    onTestFinished(() => cluster[Symbol.asyncDispose]());
    const [roomName, neighbour] = [generateRoomName('node-'), generateRoomName('node-')];
    const doomed = await cluster.addNode();
    await roomService(doomed).createRoom({ name: roomName, emptyTimeout: 300 });
    const other = await cluster.addNode();
    await cluster.createRoomOnNewest(neighbour);
    await cluster.createRoomOnNewest(`${roomName}-2`);
    return { doomed, other, roomName, neighbour };
  }

  it.concurrent('row 71: a node that is told to stop lets a call end, and nothing of it is left', async (context) => {
    const { doomed, other, roomName, neighbour } = await setup(context);
    await using bystanders = await startBystanders(other, roomName, neighbour);
    const token = await joinToken(doomed, roomName, 'human');
    await using human = spawnCaller({ url: doomed.url, token });
    await human.waitFor('joined', { timeoutMs: 90_000 });
    const { url, pid = 0 } = doomed;
    await using bot = await startBot({ server: doomed, url, apiUrl: other.httpUrl, roomName });

    process.kill(pid, 'SIGTERM');
    await sleep(1_000);
    expect(human.events.map(({ event }) => event)).not.toContain('disconnected');
    bot.end();
    const { reason } = await human.waitFor('disconnected');
    expect(reason).toBe('ROOM_DELETED');
    const { outcome } = await bot.waitFor('outcome');
    expect(outcome).toMatchObject({ status: 'deleted', trigger: 'end' });
    expect(await diesWithin(pid, 30_000)).toBe(true);
    await bystanders.expectOnlyThese();
  });

  it.concurrent('row 71: a sweeper deletes the room of a bot that died with its node', async (context) => {
    const { doomed, other, roomName, neighbour } = await setup(context);
    await using bystanders = await startBystanders(other, roomName, neighbour);
    await using bot = await startLeasedBots(doomed, [roomName]);
    await using sweeper = startSweeper(other, 'node-');
    await sleep(2_000);
    process.kill(doomed.pid ?? 0, 'SIGKILL');
    bot.kill('SIGKILL');
    const lostAt = now();

    const isListed = async () => (await names(other)).includes(roomName);
    await vi.waitUntil(async () => !(await isListed()), { timeout: 90_000, interval: 50 });
    expect(now() - lostAt).toBeLessThan(promised(boundMs + measuringMs));
    const reaped = () => sweeper.reaped.map((orphan) => [orphan.roomName, orphan.reason, orphan.status]);
    await vi.waitFor(() => expect(reaped()).toEqual([[roomName, 'lease-expired', 'deleted']]));
    await sleep(2 * limits.pollMs);
    await bystanders.expectOnlyThese();
  });

  it.concurrent('a room that Redis has forgotten is found and deleted when it is listed again', async () => {
    await using cluster = await startCluster();
    const node = await cluster.addNode();
    const callers = await Promise.all(
      ['call', 'call-2'].map(async (room) =>
        spawnCaller({ url: node.url, token: await joinToken(node, room, 'ada') }),
      ),
    );
    try {
      await Promise.all(callers.map((caller) => caller.waitFor('joined')));
      await cluster.redis.client.flushall();

      const { deleter, reappeared } = deleterAt(node, 'call');
      expect(await deleter.deleteRoom('end')).toMatchObject({ status: 'already-gone' });
      const { reason } = (await callers[0]?.waitFor('disconnected', { timeoutMs: 90_000 })) ?? {};
      expect(reason).toBe('ROOM_DELETED');
      await vi.waitFor(() => expect(reappeared).toHaveBeenCalled(), { timeout: 90_000 });
      expect(reappeared.mock.lastCall?.[0]).toMatchObject({ roomName: 'call', status: 'deleted-again' });
      await sleep(500);
      expect(callers[1]?.events.map(({ event }) => event)).not.toContain('disconnected');
    } finally {
      await Promise.all(callers.map((caller) => caller.stop()));
    }
  });
});
