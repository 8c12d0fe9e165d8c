/** LiveKit nodes that share one Redis, as a cluster does. */

import { randomBytes } from 'node:crypto';
import { type LiveKitServer, startLiveKitServer } from '../../src/testing/start-livekit-server.ts';
import { roomService } from './room-service.ts';
import { type RedisServer, startRedis } from './start-redis.ts';

export interface LiveKitCluster extends AsyncDisposable {
  readonly redis: RedisServer;
  /** Rooms that are created while there is only one node are on that node. */
  addNode(): Promise<LiveKitServer>;
  /** Creates a room that LiveKit puts on the node which was added last. */
  createRoomOnNewest(name: string): Promise<void>;
}

export async function startCluster(): Promise<LiveKitCluster> {
  const redis = await startRedis();
  const keys = { [`key${randomBytes(8).toString('hex')}`]: randomBytes(32).toString('hex') };
  const nodes: LiveKitServer[] = [];
  const ids: string[] = [];
  return {
    redis,
    async addNode() {
      const config = { keys, redis: { address: new URL(redis.url).host } };
      const node = await startLiveKitServer({ config });
      nodes.push(node);
      const known = await redis.client.hkeys('nodes');
      ids.push(...known.filter((id) => !ids.includes(id)));
      return node;
    },
    async createRoomOnNewest(name) {
      const rooms = roomService(nodes.at(-1) as LiveKitServer);
      for (;;) {
        await rooms.createRoom({ name, emptyTimeout: 300 });
        if ((await redis.client.hget('room_node_map', name)) === ids.at(-1)) return;
        await rooms.deleteRoom(name);
      }
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(nodes.map((node) => node.stop()));
      await redis[Symbol.asyncDispose]();
    },
  };
}
