/** Loads BullMQ and ioredis on demand: the only file that imports them. */

import type { Queue, Worker } from 'bullmq';
import type { Redis } from 'ioredis';
import { MissingDependencyError } from '../../lib/errors.ts';

export type { Job, Queue, Worker } from 'bullmq';
export type { Redis } from 'ioredis';

/** Where the queue is. */
export interface QueueAddress {
  /** The URL of Redis. */
  readonly redisUrl: string;
  /** The name of the queue. */
  readonly queueName: string;
  /** The prefix of BullMQ's keys. */
  readonly keyPrefix: string;
  /** Ends the attempts to reconnect. */
  readonly stopped: AbortSignal;
}

/**
 * Makes connections of two kinds: one fails fast, the other waits until Redis is back. As an ES module BullMQ cannot
 * make its own.
 */
export interface BullMq {
  /** Every command settles within half a second. */
  readonly failFast: (address: QueueAddress) => Redis;
  /** Opens a queue. */
  readonly queue: (address: QueueAddress, connection: Redis) => Queue;
  /** Commands wait for a reconnect, until `stopped`. */
  readonly patient: (address: QueueAddress) => Redis;
  /** Starts a worker. */
  readonly worker: (address: QueueAddress, connection: Redis, plan: WorkerPlan) => Worker;
}

/** The options of a worker. */
export interface WorkerPlan {
  /** Processes one job; a rejection fails it. */
  readonly process: (job: { readonly data: unknown }) => Promise<void>;
  /** The maximum number of concurrent jobs. */
  readonly concurrency: number;
  /** A job of a process that died is taken over after this time, or after twice as much. Milliseconds. */
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
        // no command before the first job: one that fails at the start would disable the queue for good
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
        // probes are idempotent; one that never ends is queued again after the next list
        maxStalledCount: 3,
        drainDelay: 1,
        // these timers would keep the process alive
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
