import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Observation } from '../../src/sweeper/observation.ts';
import { openSharedQueue } from '../../src/sweeper/shared-queue.ts';
import { describeWith } from '../support/requirements.ts';
import { sharedRedis } from '../support/shared-services.ts';

const describe = await describeWith('redis-server');
const queueName = `many-${process.pid}`;

describe('the shared queue', () => {
  let redis: Redis;
  let redisUrl: string;
  beforeAll(async () => {
    redisUrl = await sharedRedis();
    redis = new Redis(redisUrl);
  });
  afterAll(() => redis.disconnect());

  it('plans, remembers and forgets 10,000 rooms in commands that each stay within their limit', async () => {
    const stopped = new AbortController();
    const { add, close, memory, pause } = await openSharedQueue({
      redisUrl,
      queueName,
      keyPrefix: 'endframe',
      stopped: stopped.signal,
      concurrency: 1,
      lockMs: 15_000,
      look: async () => {},
      onAway: () => {},
      onBack: () => {},
      onError: () => {},
    });
    pause(600_000);
    const rooms = Array.from({ length: 10_000 }, (_, index) => ({
      name: `agents-${index}`,
      sid: `RM_${index}`,
      creationTimeMs: 1,
      metadata: '{"endframe":true}',
    }));
    const names = rooms.map(({ name }) => name);
    try {
      await add(rooms, { pass: 'first', owned: rooms.length });
      const waiting = await redis.llen(`endframe:${queueName}:wait`);
      // one look may have begun before the pause
      expect(waiting).toBeGreaterThanOrEqual(rooms.length - 1);
      const seen = { leases: { bot: 'run.1' }, silentLooks: 0 } as unknown as Observation;
      const entries = names.flatMap((name) => [name, JSON.stringify(seen)]);
      await redis.hset(`endframe:${queueName}:sweeper:seen`, ...entries);
      expect([...(await memory.seen()).keys()].toSorted()).toEqual(names.toSorted());
      expect(await memory.recallAll([...names, 'agents-unknown'])).toEqual([
        ...names.map(() => seen),
        undefined,
      ]);
      await memory.forget(...names);
      expect((await memory.seen()).size).toBe(0);
    } finally {
      stopped.abort();
      await close(1_000);
    }
  }, 60_000);
});
