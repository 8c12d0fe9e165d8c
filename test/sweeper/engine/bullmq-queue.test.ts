import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { silentLogger } from '../../../src/lib/logger.ts';
import { openBullMqQueue } from '../../../src/sweeper/engine/bullmq-queue.ts';
import type { ProbeOutcome } from '../../../src/sweeper/engine/engine.ts';
import { RedisConnections } from '../../../src/sweeper/engine/redis-store.ts';
import type { Observation } from '../../../src/sweeper/observation.ts';
import { describeWith } from '../../support/requirements.ts';
import { sharedRedis } from '../../support/shared-services.ts';

const describe = await describeWith('redis-server');

const queueName = `many-${process.pid}`;

describe('openBullMqQueue', () => {
  let redis: Redis;
  let redisUrl: string;
  beforeAll(async () => {
    redisUrl = await sharedRedis();
    redis = new Redis(redisUrl);
  });
  afterAll(() => redis.disconnect());

  it('queues, remembers and forgets 10,000 rooms in commands that each stay within their limit', async () => {
    const stopped = new AbortController();
    const address = {
      redisUrl,
      queueName,
      keyPrefix: 'endframe',
      stopped: stopped.signal,
    };
    // the first probe goes on, so that the others stay in the queue
    let finish = (_outcome: ProbeOutcome): void => {};
    const first = new Promise<ProbeOutcome>((resolve) => {
      finish = resolve;
    });
    const runner = { probe: () => first, reap: async () => {} };
    const connections = new RedisConnections(address, silentLogger);
    const work = { concurrency: 1, pollMs: 5_000 };
    const { store, queue } = await openBullMqQueue({
      ...address,
      runner,
      work,
      lockMs: 15_000,
      connections,
    });
    const rooms = Array.from({ length: 10_000 }, (_, index) => ({
      name: `agents-${index}`,
      sid: `RM_${index}`,
      creationTimeMs: 1,
      metadata: '{"endframe":true}',
    }));
    const names = rooms.map(({ name }) => name);
    try {
      await queue.add(rooms.map((room) => ({ room, failing: false })));
      const waiting = await redis.llen(`endframe:${queueName}:wait`);
      // one probe has begun
      expect(waiting).toBeGreaterThanOrEqual(rooms.length - 1);
      const seen = { leases: { bot: 'run.1' }, silentProbes: 0 } as unknown as Observation;
      const entries = names.flatMap((name) => [name, JSON.stringify(seen)]);
      await redis.hset(`endframe:${queueName}:sweeper:seen`, ...entries);
      expect([...(await store.observations()).keys()].toSorted()).toEqual(names.toSorted());
      expect(await store.recall([...names, 'agents-unknown'])).toEqual([...names.map(() => seen), undefined]);
      await store.forget(names);
      expect((await store.observations()).size).toBe(0);
    } finally {
      stopped.abort();
      const closed = queue.close();
      finish({});
      await closed;
    }
  }, 60_000);
});
