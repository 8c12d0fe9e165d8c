/** Connections to Redis, and the observations in it that several sweepers share. */

import { EndframeError, errorMessage, InvalidOptionError } from '../../lib/errors.ts';
import { type Logger, safeLogger, stderrLogger } from '../../lib/logger.ts';
import { checkLogger } from '../../lib/options.ts';
import { networkErrorCode, redact, truncate } from '../../rooms/rest/rest-error.ts';
import type { Observation } from '../observation.ts';
import type { SweepStore } from './engine.ts';
import type { QueueAddress, Redis } from './load-bullmq.ts';

/** Keys per command: Redis makes every client wait while it works on a long one. */
const sliceLength = 250;

/** Cuts a list into parts for commands that each take Redis a short time. */
export function* slices<T>(all: readonly T[]): Generator<readonly T[]> {
  for (let from = 0; from < all.length; from += sliceLength) yield all.slice(from, from + sliceLength);
}

/** Keeps observations in a Redis hash. All times are Redis's own, as the clocks of the sweepers may differ. */
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

/** @throws {InvalidOptionError} No address of a Redis. The value is never quoted: it may contain a password. */
export function checkRedisUrl(option: string, value: unknown): asserts value is string {
  try {
    if (typeof value === 'string' && /^(rediss?:\/\/|\/)/i.test(value)) {
      secretsOf(value);
      return;
    }
  } catch {
    // an invalid port or escape
  }
  throw new InvalidOptionError(
    option,
    'a URL such as redis://localhost:6379 or rediss://user:password@host:6379/0',
  );
}

/** A new error, without the commands and the password that those of a Redis client carry. */
export function withoutRedisSecrets(thrown: unknown, redisUrl: string): Error {
  if (thrown instanceof EndframeError) return thrown;
  const text = errorMessage(thrown) || `no answer (${networkErrorCode(thrown)})`;
  return new Error(
    truncate(secretsOf(redisUrl).reduce((rest, secret) => redact(rest, secret), redact(text))),
  );
}

/** The password, decoded and as written. */
function secretsOf(redisUrl: string): string[] {
  const { username, password, searchParams } = new URL(redisUrl, 'redis://localhost');
  decodeURIComponent(username);
  const all = [decodeURIComponent(password), password, searchParams.get('password')];
  return all.filter((secret) => secret !== null && secret !== '') as string[];
}

/** The connections of one engine: logs once when they are lost, and once when all are back. */
export class RedisConnections {
  readonly #address: QueueAddress;
  readonly #logger: Logger;
  readonly #connections: Redis[] = [];
  /** The logged reasons of the current outage; empty when there is none. */
  readonly #reasons = new Set<string>();
  #hasLoggedFailure = false;

  /** @throws {InvalidOptionError} The logger lacks methods. */
  constructor(address: QueueAddress, logger: Logger = stderrLogger) {
    checkLogger('logger', logger);
    this.#address = address;
    this.#logger = safeLogger(logger);
  }

  /** By the state of the connections alone: BullMQ's errors about jobs do not say whether Redis is reachable. */
  get isAway(): boolean {
    return this.#connections.some(({ status }) => status !== 'ready');
  }

  /** Adds a connection, whose errors are logged. */
  add(connection: Redis): void {
    this.#connections.push(connection);
    connection.on('error', (error) => this.#lost(error));
    connection.on('close', () => this.#lost());
    connection.on('ready', () => {
      if (!this.isAway) this.#restored();
    });
  }

  /** Logs an error of the queue, once in a pass; nothing while Redis is away. */
  queueFailed(error: Error): void {
    if (this.isAway || this.#hasLoggedFailure || this.#address.stopped.aborted) return;
    this.#hasLoggedFailure = true;
    this.#logger.warn({ error: this.#clean(error) }, 'queue error; lost probes are repeated');
  }

  /** A pass begins: failures are logged anew. */
  passBegins(): void {
    this.#hasLoggedFailure = false;
  }

  #lost(error?: Error): void {
    const fields = error === undefined ? {} : { error: this.#clean(error) };
    const reason = fields.error?.message ?? '';
    const isKnown = this.#reasons.has(reason) || (error === undefined && this.#reasons.size > 0);
    if (isKnown || this.#address.stopped.aborted) return;
    this.#reasons.add(reason);
    this.#logger.warn(fields, 'Redis is away; probing resumes when it is back');
  }

  #restored(): void {
    if (this.#reasons.size > 0) this.#logger.warn({}, 'Redis is back');
    this.#reasons.clear();
  }

  #clean(error: Error): Error {
    return withoutRedisSecrets(error, this.#address.redisUrl);
  }
}
