import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { RedisStore } from '../../../src/sweeper/engine/redis-store.ts';
import { sweepStoreContract } from '../../contracts/sweep-store.contract.ts';
import { describeWith } from '../../support/requirements.ts';
import { sharedRedis } from '../../support/shared-services.ts';

const describe = await describeWith('redis-server');

describe('with a real Redis', () => {
  let redis: Redis;
  let stores = 0;
  function make(key = `store-${++stores}`): RedisStore {
    return new RedisStore(redis, `${process.pid}-${key}`);
  }
  beforeAll(async () => {
    redis = new Redis(await sharedRedis());
  });
  afterAll(() => redis.disconnect());

  sweepStoreContract('RedisStore', { make });

  describe('RedisStore', () => {
    it('gives the turn to one of several at a time', async () => {
      const key = 'turns';
      const turns = await Promise.all(Array.from({ length: 5 }, () => make(key).acquireTurn(60_000)));
      expect(turns.filter(Boolean)).toHaveLength(1);
      await make(key).releaseTurn();
      expect(await make(key).acquireTurn(60_000)).toBe(true);
    });

    it('shares observations, deletions and gaps by one key, and not by another', async () => {
      const [one, other, stranger] = [make('shared'), make('shared'), make('another')];
      await one.beginPass(7);
      await one.recordGap();
      await one.takeDeletion();
      expect([await other.owned(), await other.takeDeletion()]).toEqual([7, 2]);
      expect(await other.lastGapMs()).toBe(await one.lastGapMs());
      expect([await stranger.owned(), await stranger.takeDeletion()]).toEqual([0, 1]);
    });

    it('knows for so long that LiveKit answered one of those who share it', async () => {
      const [one, other] = [make('answers'), make('answers')];
      const nowMs = await one.clock();
      await one.recordSuccess(nowMs());
      expect(await other.othersSucceed(60_000)).toBe(true);
      await one.recordSuccess(nowMs() - 61_000);
      expect(await other.othersSucceed(60_000)).toBe(false);
    });
  });
});
