/** LiveKit nodes that share one Redis, as a cluster does. */

import { randomBytes } from 'node:crypto';
import { type LiveKitServer, startLiveKitServer } from '../../src/testing/start-livekit-server.ts';
import { type RedisServer, startRedis } from './start-redis.ts';

export interface LiveKitCluster extends AsyncDisposable {
  readonly redis: RedisServer;
  /** Rooms that are created while there is only one node are on that node. */
  addNode(): Promise<LiveKitServer>;
}

export async function startCluster(): Promise<LiveKitCluster> {
  const redis = await startRedis();
  const keys = { [`key${randomBytes(8).toString('hex')}`]: randomBytes(32).toString('hex') };
  const nodes: LiveKitServer[] = [];
  return {
    redis,
    async addNode() {
      const config = { keys, redis: { address: new URL(redis.url).host } };
      const node = await startLiveKitServer({ config });
      nodes.push(node);
      return node;
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(nodes.map((node) => node.stop()));
      await redis[Symbol.asyncDispose]();
    },
  };
}
