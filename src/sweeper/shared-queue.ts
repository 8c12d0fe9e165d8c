import { firstValueFrom, from, fromEvent, race, timer } from 'rxjs';
import type { ListedRoom } from '../rooms/room-rest.ts';
import { loadBullMq, type Queue, type QueueAddress, type Worker } from './load-bullmq.ts';
import { RedisPresence, type RedisPresenceOptions } from './redis-presence.ts';
import { type PlannedLook, SharedMemory, type SharedPass, slices } from './shared-memory.ts';

export interface SharedQueueOptions extends QueueAddress, RedisPresenceOptions {
  readonly concurrency: number;
  readonly lockMs: number;
  readonly look: (look: PlannedLook, memory: SharedMemory) => Promise<void>;
  /** Told of what goes wrong with the jobs while Redis is there, such as a lock that was lost. */
  readonly onError: (error: Error) => void;
}

/** Looks that wait for any of several sweepers, and what these know together. */
export interface SharedQueue {
  readonly memory: SharedMemory;
  /** In this order. Rejects within half a second when Redis is away. */
  add(rooms: readonly ListedRoom[], pass: SharedPass): Promise<void>;
  /** Leaves the looks to other processes for so long. */
  pause(forMs: number): void;
  /** Waits for the looks and deletions that have begun, but not for longer; never rejects. */
  close(limitMs: number): Promise<void>;
}

/** How long the first connection is waited for, and the last commands. */
const openLimitMs = 500;
const closeLimitMs = 500;
/** The same when Redis is not there. */
const awayLimitMs = 200;

/**
 * Opens the queue and begins to work on it once Redis is there, now or later.
 *
 * @throws {MissingDependencyError} `bullmq` or `ioredis` is not installed.
 */
export async function openSharedQueue(options: SharedQueueOptions): Promise<SharedQueue> {
  const { queueName, keyPrefix, concurrency, lockMs, look, onError } = options;
  const bullMq = await loadBullMq();
  const redis = bullMq.failFast(options);
  const memory = new SharedMemory(redis, `${keyPrefix}:${queueName}:sweeper`);
  const queue = bullMq.queue(options, redis);
  const presence = new RedisPresence(options);
  const report = (error: Error): void => {
    if (!presence.isAway) onError(error);
  };
  const looks = new Set<Promise<void>>();
  const process = ({ data }: { readonly data: unknown }): Promise<void> => {
    const made = look(data as PlannedLook, memory).finally(() => looks.delete(made));
    looks.add(made);
    return made;
  };
  let worker: Worker | undefined;
  let disconnectWorker = (): void => {};
  let resuming: NodeJS.Timeout | undefined;
  const startWorker = (): void => {
    const patient = bullMq.patient(options);
    disconnectWorker = () => patient.disconnect();
    worker = bullMq.worker(options, patient, { process, concurrency, lockMs });
    presence.add(patient);
    worker.on('error', report);
  };
  presence.add(redis);
  queue.on('error', report);
  // not before: while Redis is away BullMQ keeps timers that would hold up the end of the process
  redis.once('ready', startWorker);
  await firstValueFrom(
    race(fromEvent(redis, 'ready'), fromEvent(options.stopped, 'abort'), timer(openLimitMs)),
  );

  return {
    memory,
    add: (rooms, pass) => addLooks(queue, rooms, pass),
    pause: (forMs) => {
      clearTimeout(resuming);
      worker?.pause(true).catch(report);
      resuming = setTimeout(() => void Promise.resolve(worker?.resume()).catch(report), forMs);
    },
    close: async (limitMs) => {
      clearTimeout(resuming);
      redis.off('ready', startWorker);
      const { isAway } = presence;
      // BullMQ waits for ever for a Redis that is not there, unless it is forced: then it does not wait for looks
      const closing = worker?.close(isAway);
      await settledWithin(limitMs, Promise.allSettled(looks));
      await settledWithin(isAway ? awayLimitMs : closeLimitMs, Promise.all([closing, queue.close()]));
      redis.disconnect();
      disconnectWorker();
    },
  };
}

async function addLooks(queue: Queue, rooms: readonly ListedRoom[], pass: SharedPass): Promise<void> {
  const jobs = rooms.map((room) => ({
    name: 'look',
    data: { ...pass, room } satisfies PlannedLook,
    // one look at a room at a time: a second job of the same id is not added while the first one exists
    opts: { jobId: `look-${room.sid}`, removeOnComplete: true, removeOnFail: true },
  }));
  for (const some of slices(jobs)) await queue.addBulk([...some]);
}

async function settledWithin(limitMs: number, work: Promise<unknown> | undefined): Promise<void> {
  const settled = Promise.resolve(work).catch(() => {});
  await firstValueFrom(race(from(settled), timer(limitMs)));
}
