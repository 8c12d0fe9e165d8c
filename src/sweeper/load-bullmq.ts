/** The queue library and its Redis client, loaded when somebody wants them. The only file that knows them. */

import type { Queue, Worker } from 'bullmq';
import type { Redis } from 'ioredis';
import { MissingDependencyError } from '../errors.ts';

export type { Job, Queue, Worker } from 'bullmq';
export type { Redis } from 'ioredis';

export interface QueueAddress {
  readonly redisUrl: string;
  readonly queueName: string;
  readonly keyPrefix: string;
  /** Ends the attempts to reach a Redis that is away. */
  readonly stopped: AbortSignal;
}

/**
 * Makes connections of two kinds: one that fails fast, one that waits for Redis to come back. As an ES module
 * BullMQ cannot make its own.
 */
export interface BullMq {
  /** Every command settles within half a second, whatever Redis does. */
  readonly failFast: (address: QueueAddress) => Redis;
  readonly queue: (address: QueueAddress, connection: Redis) => Queue;
  /** Waits for a Redis that is away, until it is stopped. */
  readonly patient: (address: QueueAddress) => Redis;
  readonly worker: (address: QueueAddress, connection: Redis, plan: WorkerPlan) => Worker;
}

export interface WorkerPlan {
  readonly process: (job: { readonly data: unknown }) => Promise<void>;
  readonly concurrency: number;
  /** How long a job stays with a process that has died, at most twice. */
  readonly lockMs: number;
}

const commandLimitMs = 400;

/** @throws {MissingDependencyError} `bullmq` or `ioredis` is not installed. */
export async function loadBullMq(): Promise<BullMq> {
  const { Queue, Worker } = await importBullMq();
  const Redis = await importRedis();
  return {
    failFast: ({ redisUrl, stopped }) =>
      new Redis(redisUrl, {
        enableOfflineQueue: false,
        maxRetriesPerRequest: 0,
        commandTimeout: commandLimitMs,
        connectTimeout: commandLimitMs,
        disconnectTimeout: commandLimitMs,
        retryStrategy: reconnectUntil(stopped),
      }),
    queue: ({ queueName, keyPrefix }, connection) =>
      new Queue(queueName, {
        connection,
        prefix: keyPrefix,
        // it asks Redis for nothing before it is used: a Redis that is away at the start would spoil it for good
        skipWaitingForReady: true,
        skipVersionCheck: true,
        skipMetasUpdate: true,
      }),
    patient: ({ redisUrl, stopped }) =>
      new Redis(redisUrl, {
        maxRetriesPerRequest: null,
        disconnectTimeout: commandLimitMs,
        retryStrategy: reconnectUntil(stopped),
      }),
    worker: ({ queueName, keyPrefix }, connection, { process, concurrency, lockMs }) =>
      new Worker(queueName, process, {
        connection,
        prefix: keyPrefix,
        concurrency,
        lockDuration: lockMs,
        stalledInterval: lockMs / 2,
        // a look is harmless to repeat; one that never ends is planned again after the next list
        maxStalledCount: 3,
        drainDelay: 1,
        // both are timers that would hold up the end of a process
        runRetryDelay: 500,
      }),
  };
}

function reconnectUntil(stopped: AbortSignal): (attempts: number) => number | null {
  return (attempts) => (stopped.aborted ? null : Math.min(1_000, attempts * 100));
}

// in a try block of its own each: so bundlers see that the package may be missing
async function importBullMq(): Promise<Pick<typeof import('bullmq'), 'Queue' | 'Worker'>> {
  try {
    const { Queue, Worker } = await import('bullmq');
    return { Queue, Worker };
  } catch (cause) {
    throw missing('bullmq', cause);
  }
}

async function importRedis(): Promise<typeof Redis> {
  try {
    const { Redis } = await import('ioredis');
    return Redis;
  } catch (cause) {
    throw missing('ioredis', cause);
  }
}

function missing(name: string, cause: unknown): MissingDependencyError {
  return new MissingDependencyError(name, 'Install it: npm install bullmq ioredis', { cause });
}
