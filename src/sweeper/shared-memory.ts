import type { ListedRoom } from '../rooms/room-rest.ts';
import type { Redis } from './load-bullmq.ts';
import type { Observation } from './observation.ts';

/** What several sweepers know together, in Redis, in Redis's own time. It may be lost at any moment. */
export class SharedMemory {
  readonly #redis: Redis;
  readonly #key: string;

  /** @param key What its keys begin with. */
  constructor(redis: Redis, key: string) {
    this.#redis = redis;
    this.#key = key;
  }

  /** Milliseconds, the same for everybody, whatever their own clocks say. */
  async nowMs(): Promise<number> {
    const [seconds, microseconds] = await this.#redis.time();
    return Number(seconds) * 1_000 + Math.floor(Number(microseconds) / 1_000);
  }

  /** True for one of all those who ask within this time. */
  async takeTurn(forMs: number): Promise<boolean> {
    return (await this.#redis.set(`${this.#key}:turn`, 1, 'PX', Math.ceil(forMs), 'NX')) === 'OK';
  }

  async seen(): Promise<ReadonlyMap<string, Observation>> {
    const all = await this.#redis.hgetall(`${this.#key}:seen`);
    return new Map(Object.entries(all).map(([name, json]) => [name, JSON.parse(json) as Observation]));
  }

  async recall(roomName: string): Promise<Observation | undefined> {
    const json = await this.#redis.hget(`${this.#key}:seen`, roomName);
    return json === null ? undefined : (JSON.parse(json) as Observation);
  }

  async remember(roomName: string, observation: Observation): Promise<void> {
    await this.#redis.hset(`${this.#key}:seen`, roomName, JSON.stringify(observation));
  }

  async forget(...roomNames: readonly string[]): Promise<void> {
    if (roomNames.length > 0) await this.#redis.hdel(`${this.#key}:seen`, ...roomNames);
  }

  /** Everything that was seen up to now counts no more, for anybody. */
  async wasBlind(): Promise<void> {
    await this.#redis.set(`${this.#key}:blind`, await this.nowMs());
  }

  async blindMs(): Promise<number | undefined> {
    const value = await this.#redis.get(`${this.#key}:blind`);
    return value === null ? undefined : Number(value);
  }

  async beginPass(pass: SharedPass): Promise<void> {
    await this.#redis.set(`${this.#key}:pass`, JSON.stringify(pass));
  }

  async currentPass(): Promise<SharedPass> {
    const json = await this.#redis.get(`${this.#key}:pass`);
    return json === null ? { pass: 'none', owned: 0 } : (JSON.parse(json) as SharedPass);
  }

  /** How many deletions have been taken in a pass, this one included. */
  async takeDeletion(pass: string): Promise<number> {
    const key = `${this.#key}:deletions:${pass}`;
    const taken = await this.#redis.incr(key);
    if (taken === 1) await this.#redis.pexpire(key, 3_600_000);
    return taken;
  }
}

/** A look that is to be made, as it lies in the queue. */
export interface PlannedLook extends SharedPass {
  readonly room: ListedRoom;
}

/** The newest list of all rooms, by whoever made it: deletions are counted for it. */
export interface SharedPass {
  readonly pass: string;
  readonly owned: number;
}
