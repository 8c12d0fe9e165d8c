import { firstValueFrom, from, fromEvent, race, timer } from 'rxjs';
import type { ListedRoom } from '../rooms/room-rest.ts';
import { loadBullMq, type Queue, type QueueAddress, type Worker } from './load-bullmq.ts';
import { type PlannedLook, SharedMemory, type SharedPass, slices } from './shared-memory.ts';

export interface SharedQueueOptions extends QueueAddress {
  readonly concurrency: number;
  readonly lockMs: number;
  readonly look: (look: PlannedLook, memory: SharedMemory) => Promise<void>;
  /** Told for every error; there may be many while Redis is away. */
  readonly onAway: (error: Error) => void;
  readonly onBack: () => void;
}

/** Looks that wait for any of several sweepers, and what these know together. */
export interface SharedQueue {
  readonly memory: SharedMemory;
  /** In this order. Rejects within half a second when Redis is away. */
  add(rooms: readonly ListedRoom[], pass: SharedPass): Promise<void>;
  /** Leaves the looks to other processes for so long. */
  pause(forMs: number): void;
  /**
   * Waits for the looks that are being made, but not for longer; never rejects.
   *
   * @param isAway BullMQ waits for ever for a Redis that is not there, unless it is forced.
   */
  close(limitMs: number, isAway: boolean): Promise<void>;
}

/** How long the first connection is waited for, and the last commands. */
const openLimitMs = 500;
const closeLimitMs = 500;
/** For all of the end together when Redis is not there. */
const awayLimitMs = 200;

/**
 * Opens the queue and begins to work on it once Redis is there, now or later.
 *
 * @throws {MissingDependencyError} `bullmq` or `ioredis` is not installed.
 */
export async function openSharedQueue(options: SharedQueueOptions): Promise<SharedQueue> {
  const { queueName, keyPrefix, concurrency, lockMs, look, onAway, onBack } = options;
  const bullMq = await loadBullMq();
  const redis = bullMq.failFast(options);
  const memory = new SharedMemory(redis, `${keyPrefix}:${queueName}:sweeper`);
  const queue = bullMq.queue(options, redis);
  let worker: Worker | undefined;
  let disconnectWorker = (): void => {};
  let resuming: NodeJS.Timeout | undefined;
  const startWorker = (): void => {
    const patient = bullMq.patient(options);
    disconnectWorker = () => patient.disconnect();
    const process = ({ data }: { readonly data: unknown }) => look(data as PlannedLook, memory);
    worker = bullMq.worker(options, patient, { process, concurrency, lockMs });
    patient.on('error', onAway);
    worker.on('error', onAway);
  };
  redis.on('error', onAway);
  queue.on('error', onAway);
  // not before: while Redis is away BullMQ keeps timers that would hold up the end of the process
  redis.once('ready', startWorker);
  redis.on('ready', onBack);
  await firstValueFrom(
    race(fromEvent(redis, 'ready'), fromEvent(options.stopped, 'abort'), timer(openLimitMs)),
  );

  return {
    memory,
    add: (rooms, pass) => addLooks(queue, rooms, pass),
    pause: (forMs) => {
      clearTimeout(resuming);
      worker?.pause(true).catch(onAway);
      resuming = setTimeout(() => void Promise.resolve(worker?.resume()).catch(onAway), forMs);
    },
    close: async (limitMs, isAway) => {
      clearTimeout(resuming);
      redis.off('ready', startWorker);
      if (isAway) {
        await settledWithin(awayLimitMs, Promise.all([worker?.close(true), queue.close()]));
      } else {
        await settledWithin(limitMs, worker?.close());
        await settledWithin(closeLimitMs, queue.close());
      }
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
