import type { ListedRoom } from '../rooms/room-rest.ts';
import type { Redis } from './load-bullmq.ts';
import type { Observation } from './observation.ts';

/** What one command handles at most: a Redis that is busy with a long one makes everybody wait. */
const sliceLength = 250;

export function* slices<T>(all: readonly T[]): Generator<readonly T[]> {
  for (let from = 0; from < all.length; from += sliceLength) yield all.slice(from, from + sliceLength);
}

function read(json: string | null): Observation | undefined {
  return json === null ? undefined : (JSON.parse(json) as Observation);
}

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
    const key = `${this.#key}:turn`;
    const lastsMs = Math.ceil(forMs);
    if ((await this.#redis.set(key, lastsMs, 'PX', lastsMs, 'NX')) === 'OK') return true;
    const [meantMs, leftMs] = await Promise.all([this.#redis.get(key), this.#redis.pttl(key)]);
    // Redis's clock was set back, and the turn would last for the size of the jump
    if (leftMs > Number(meantMs ?? leftMs)) await this.endTurn();
    return false;
  }

  /** Gives the turn to whoever asks next. */
  async endTurn(): Promise<void> {
    await this.#redis.del(`${this.#key}:turn`);
  }

  /** In several commands, so that each of them is quick, however many rooms there are. */
  async seen(): Promise<ReadonlyMap<string, Observation>> {
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

  async recall(roomName: string): Promise<Observation | undefined> {
    return read(await this.#redis.hget(`${this.#key}:seen`, roomName));
  }

  async recallAll(roomNames: readonly string[]): Promise<readonly (Observation | undefined)[]> {
    const all: (Observation | undefined)[] = [];
    for (const some of slices(roomNames)) {
      const found = await this.#redis.hmget(`${this.#key}:seen`, ...some);
      all.push(...found.map(read));
    }
    return all;
  }

  async remember(roomName: string, observation: Observation): Promise<void> {
    await this.#redis.hset(`${this.#key}:seen`, roomName, JSON.stringify(observation));
  }

  async forget(...roomNames: readonly string[]): Promise<void> {
    for (const some of slices(roomNames)) await this.#redis.hdel(`${this.#key}:seen`, ...some);
  }

  /** The time between the looks around now does not count, for anybody. */
  async wasBlind(): Promise<void> {
    await this.#redis.set(`${this.#key}:blind`, await this.nowMs());
  }

  async blindMs(): Promise<number | undefined> {
    const value = await this.#redis.get(`${this.#key}:blind`);
    return value === null ? undefined : Number(value);
  }

  /** LiveKit answered a look, of whomever. */
  async lookedWell(nowMs: number): Promise<void> {
    await this.#redis.set(`${this.#key}:well`, Math.round(nowMs));
  }

  /** Whether LiveKit answered anybody's look within this time. */
  async hasLookedWell(withinMs: number): Promise<boolean> {
    const [nowMs, value] = await Promise.all([this.nowMs(), this.#redis.get(`${this.#key}:well`)]);
    // a time that lies ahead is of a clock that was set back
    return value !== null && Math.abs(nowMs - Number(value)) <= withinMs;
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
