/** A LiveKit cluster that loses a node, or its database: the room goes all the same. */

import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, it, vi } from 'vitest';
import { silentLogger } from '../../src/logger.ts';
import { LiveKitRESTHelper } from '../../src/rooms/livekit-rest-helper.ts';
import { RoomDeleter } from '../../src/rooms/room-deleter.ts';
import type { LiveKitServer } from '../../src/testing/start-livekit-server.ts';
import { spawnCaller } from '../support/caller.ts';
import { type LiveKitCluster, startCluster } from '../support/livekit-cluster.ts';
import { describeWith } from '../support/requirements.ts';
import { listRooms, roomService } from '../support/room-service.ts';
import { joinToken } from '../support/tokens.ts';

vi.setConfig({ testTimeout: 90_000 });
const describe = await describeWith('livekit-server', '@livekit/rtc-node', 'redis-server');

describe('in a cluster', () => {
  let cluster: LiveKitCluster | undefined;
  afterEach(async () => {
    await cluster?.[Symbol.asyncDispose]();
  });

  function deleterAt(server: LiveKitServer, roomName: string) {
    const { apiKey, apiSecret, httpUrl: apiUrl } = server;
    const rest = new LiveKitRESTHelper({ apiKey, apiSecret, apiUrl });
    const deleter = new RoomDeleter({ roomName, rest, room: { owned: true }, logger: silentLogger });
    const reappeared = vi.fn();
    deleter.on('roomReappeared', reappeared);
    return { deleter, reappeared };
  }

  const names = async (server: LiveKitServer) => (await listRooms(server)).map(({ name }) => name).sort();

  it('a room whose node was killed is deleted through another one', async () => {
    cluster = await startCluster();
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

  it('a room that Redis has forgotten is found and deleted when it is listed again', async () => {
    cluster = await startCluster();
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
      const { reason } = (await callers[0]?.waitFor('disconnected', { timeoutMs: 30_000 })) ?? {};
      expect(reason).toBe('ROOM_DELETED');
      await vi.waitFor(() => expect(reappeared).toHaveBeenCalled(), { timeout: 5_000 });
      expect(reappeared.mock.lastCall?.[0]).toMatchObject({ roomName: 'call', status: 'deleted-again' });
      await sleep(500);
      expect(callers[1]?.events.map(({ event }) => event)).not.toContain('disconnected');
    } finally {
      await Promise.all(callers.map((caller) => caller.stop()));
    }
  });
});
