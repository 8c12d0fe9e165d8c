/** The store that several sweepers share, in Redis and by Redis's clock. */

import type { Observation } from '../observation.ts';
import type { SweepStore } from './engine.ts';
import type { Redis } from './load-bullmq.ts';

/** Keys per command: Redis makes every client wait while it works on a long one. */
const sliceLength = 250;

/** Cuts a list into parts for commands that each take Redis a short time. */
export function* slices<T>(all: readonly T[]): Generator<readonly T[]> {
  for (let from = 0; from < all.length; from += sliceLength) yield all.slice(from, from + sliceLength);
}

/** Keeps observations in a Redis hash. All times are Redis's own, whatever the clocks of the sweepers say. */
export class RedisStore implements SweepStore {
  readonly #redis: Redis;
  readonly #key: string;

  /** @param key The prefix of its keys. */
  constructor(redis: Redis, key: string) {
    this.#redis = redis;
    this.#key = key;
  }

  async clock(): Promise<() => number> {
    const offsetMs = (await this.#nowMs()) - performance.now();
    return () => performance.now() + offsetMs;
  }

  async acquireTurn(forMs: number): Promise<boolean> {
    const key = `${this.#key}:turn`;
    const lastsMs = Math.ceil(forMs);
    if ((await this.#redis.set(key, lastsMs, 'PX', lastsMs, 'NX')) === 'OK') return true;
    const [meantMs, leftMs] = await Promise.all([this.#redis.get(key), this.#redis.pttl(key)]);
    // Redis's clock was set back, and the turn would last for the size of the jump
    if (leftMs > Number(meantMs ?? leftMs)) await this.releaseTurn();
    return false;
  }

  async releaseTurn(): Promise<void> {
    await this.#redis.del(`${this.#key}:turn`);
  }

  async beginPass(owned: number): Promise<void> {
    await this.#redis.multi().set(`${this.#key}:owned`, owned).del(`${this.#key}:deletions`).exec();
  }

  async owned(): Promise<number> {
    return Number(await this.#redis.get(`${this.#key}:owned`));
  }

  async takeDeletion(): Promise<number> {
    return this.#redis.incr(`${this.#key}:deletions`);
  }

  async observations(): Promise<ReadonlyMap<string, Observation>> {
    const seen = new Map<string, Observation>();
    let cursor = '0';
    do {
      const [next, entries] = await this.#redis.hscan(`${this.#key}:seen`, cursor, 'COUNT', sliceLength);
      for (let index = 0; index + 1 < entries.length; index += 2) {
        seen.set(entries[index] ?? '', JSON.parse(entries[index + 1] ?? '') as Observation);
      }
      cursor = next;
    } while (cursor !== '0');
    return seen;
  }

  async recall(roomNames: readonly string[]): Promise<readonly (Observation | undefined)[]> {
    const all: (Observation | undefined)[] = [];
    for (const some of slices(roomNames)) {
      const found = await this.#redis.hmget(`${this.#key}:seen`, ...some);
      all.push(...found.map((json) => (json === null ? undefined : (JSON.parse(json) as Observation))));
    }
    return all;
  }

  async remember(roomName: string, observation: Observation): Promise<void> {
    await this.#redis.hset(`${this.#key}:seen`, roomName, JSON.stringify(observation));
  }

  async forget(roomNames: readonly string[]): Promise<void> {
    for (const some of slices(roomNames)) await this.#redis.hdel(`${this.#key}:seen`, ...some);
  }

  async recordGap(): Promise<void> {
    await this.#redis.set(`${this.#key}:gap`, await this.#nowMs());
  }

  async lastGapMs(): Promise<number | undefined> {
    const value = await this.#redis.get(`${this.#key}:gap`);
    return value === null ? undefined : Number(value);
  }

  async recordSuccess(nowMs: number): Promise<void> {
    await this.#redis.set(`${this.#key}:success`, Math.round(nowMs));
  }

  async othersSucceed(withinMs: number): Promise<boolean> {
    const [nowMs, value] = await Promise.all([this.#nowMs(), this.#redis.get(`${this.#key}:success`)]);
    // a time in the future is one of a clock that was set back
    return value !== null && Math.abs(nowMs - Number(value)) <= withinMs;
  }

  async #nowMs(): Promise<number> {
    const [seconds, microseconds] = await this.#redis.time();
    return Number(seconds) * 1_000 + Math.floor(Number(microseconds) / 1_000);
  }
}
