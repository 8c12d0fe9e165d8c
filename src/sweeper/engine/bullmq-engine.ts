/** The engine of several processes that share their probes, by BullMQ on Redis. */

import type { Logger } from '../../lib/logger.ts';
import { checkDurationMs, checkText } from '../../lib/options.ts';
import { openBullMqQueue } from './bullmq-queue.ts';
import type { ProbeRunner, SweepWork } from './engine.ts';
import type { QueueAddress } from './load-bullmq.ts';
import { checkRedisUrl, RedisConnections, withoutRedisSecrets } from './redis-store.ts';
import { SweepEngine, type SweepParts } from './sweep-engine.ts';

/** Where Redis is, and which sweepers share a queue. */
export interface BullMqEngineOptions {
  /** Such as `redis://localhost:6379`. Redis needs `maxmemory-policy noeviction`; losing its data is harmless. */
  readonly redisUrl: string;
  /**
   * Sweepers of the same queue share their probes; they must sweep the same rooms by the same rules.
   *
   * @defaultValue `'endframe-sweeper'`
   */
  readonly queueName?: string | undefined;
  /**
   * The prefix of all keys in Redis.
   *
   * @defaultValue `'endframe'`
   */
  readonly keyPrefix?: string | undefined;
  /**
   * After how long another process repeats the probe of a process that died, in milliseconds.
   *
   * @defaultValue 15000
   */
  readonly lockMs?: number | undefined;
  /** @defaultValue `stderrLogger` */
  readonly logger?: Logger | undefined;
}

/** The longest pause after failed lists, in polls: other processes may have a key that is accepted. */
const longestRetryPolls = 12;

/**
 * Shares probes between several processes, by BullMQ on Redis.
 *
 * One process at a time lists the rooms and queues a probe of each that is due. No timer in Redis deletes anything,
 * and all times are Redis's own, so neither an outage of Redis nor a worker with a wrong clock deletes a room. Only
 * sweepers use Redis, bots do not.
 *
 * @throws {InvalidOptionError} An option is invalid.
 */
export class BullMqEngine extends SweepEngine {
  readonly #address: QueueAddress;
  readonly #lockMs: number;
  readonly #connections: RedisConnections;

  constructor(options: BullMqEngineOptions) {
    const { redisUrl, queueName = 'endframe-sweeper', keyPrefix = 'endframe', lockMs = 15_000 } = options;
    checkRedisUrl('redisUrl', redisUrl);
    checkText('queueName', queueName);
    checkText('keyPrefix', keyPrefix);
    checkDurationMs('lockMs', lockMs);
    super({ longestRetryPolls, firstPauseShare: () => 1, spreadsLateProbes: true });
    this.#address = { redisUrl, queueName, keyPrefix, stopped: this.stopped };
    this.#lockMs = lockMs;
    this.#connections = new RedisConnections(this.#address, options.logger);
  }

  protected override open(runner: ProbeRunner, work: SweepWork): Promise<SweepParts> {
    const connections = this.#connections;
    return openBullMqQueue({ ...this.#address, runner, work, lockMs: this.#lockMs, connections });
  }

  protected override passBegins(): void {
    this.#connections.passBegins();
  }

  protected override withoutSecrets(error: unknown): Error {
    return withoutRedisSecrets(error, this.#address.redisUrl);
  }
}
