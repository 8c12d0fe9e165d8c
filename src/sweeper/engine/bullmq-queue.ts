/** The queue of probes that several processes share, by BullMQ. Its types must not reach those of the package. */

import { firstValueFrom, from, fromEvent, race, timer } from 'rxjs';
import type { ProbeQueue, ProbeRunner, QueuedProbe, SweepWork } from './engine.ts';
import { loadBullMq, type Queue, type QueueAddress, type Worker } from './load-bullmq.ts';
import { type RedisConnections, RedisStore, slices } from './redis-store.ts';
import { retryMs } from './schedule.ts';
import { isRefused, type SweepParts } from './sweep-engine.ts';

/** What the queue needs besides its address. */
export interface BullMqQueueOptions extends QueueAddress {
  /** Runs the probes. */
  readonly runner: ProbeRunner;
  /** Concurrency and interval of the probes. */
  readonly work: Pick<SweepWork, 'concurrency' | 'pollMs'>;
  /** How long a job's lock lasts without renewal, in milliseconds. */
  readonly lockMs: number;
  /** The connections to Redis that are closed together. */
  readonly connections: RedisConnections;
}

/** For the first connection, in milliseconds. */
const openLimitMs = 500;
/** For probes and deletions in progress at the end, and for the last commands; while Redis is away. */
const finishLimitMs = 10_000;
const closeLimitMs = 500;
const closeAwayLimitMs = 200;
/** The longest pause after LiveKit has refused the key, in polls. */
const longestRefusedPolls = 12;
/** The same for other failures: LiveKit may be unreachable for every process. */
const longestPausePolls = 2;
/** The part of the concurrency for rooms after a failed probe. */
const failingShare = 0.5;

/**
 * Connects, and starts to work on the queue when Redis is reachable, now or later.
 *
 * @throws {MissingDependencyError} `bullmq` or `ioredis` is not installed.
 */
export async function openBullMqQueue(options: BullMqQueueOptions): Promise<SweepParts> {
  const { queueName, keyPrefix, connections } = options;
  const bullMq = await loadBullMq();
  const redis = bullMq.failFast(options);
  const store = new RedisStore(redis, `${keyPrefix}:${queueName}:sweeper`);
  const queue = bullMq.queue(options, redis);
  const worker = new ProbeWorker(options);
  connections.add(redis);
  queue.on('error', (error) => connections.queueFailed(error));
  const startWorker = (): void => {
    const patient = bullMq.patient(options);
    const { concurrency } = options.work;
    const { lockMs } = options;
    const process = ({ data }: { readonly data: unknown }) => worker.process(data as QueuedProbe);
    connections.add(patient);
    worker.start(bullMq.worker(options, patient, { process, concurrency, lockMs }), () =>
      patient.disconnect(),
    );
  };
  // not before: while Redis is away BullMQ's timers would keep the process alive
  redis.once('ready', startWorker);
  await firstValueFrom(
    race(fromEvent(redis, 'ready'), fromEvent(options.stopped, 'abort'), timer(openLimitMs)),
  );
  const close = async (): Promise<void> => {
    redis.off('ready', startWorker);
    const { isAway } = connections;
    // BullMQ waits for Redis without a limit unless forced, and then it does not wait for jobs: that is done here
    const closing = worker.close(isAway).catch(() => {});
    await settledWithin(finishLimitMs, worker.idle());
    await settledWithin(isAway ? closeAwayLimitMs : closeLimitMs, Promise.all([closing, queue.close()]));
    redis.disconnect();
    worker.disconnect();
  };
  return { store, queue: { add: (probes) => addProbes(queue, probes), close } satisfies ProbeQueue };
}

/** Makes the probes of this process; pauses while they fail, so that other processes make them. */
class ProbeWorker {
  readonly #options: BullMqQueueOptions;
  readonly #inProgress = new Set<Promise<void>>();
  #worker: Worker | undefined;
  #disconnect = (): void => {};
  #resuming: NodeJS.Timeout | undefined;
  /** Consecutive failures, and how many of them were refusals. */
  #failures = 0;
  #refusals = 0;
  /** Probes in progress of rooms after a failed probe. */
  #failing = 0;

  constructor(options: BullMqQueueOptions) {
    this.#options = options;
  }

  start(worker: Worker, disconnect: () => void): void {
    this.#worker = worker;
    this.#disconnect = disconnect;
    worker.on('error', (error) => this.#options.connections.queueFailed(error));
  }

  process(probe: QueuedProbe): Promise<void> {
    const job = (probe.failing ? this.#probeFailing(probe) : this.#probe(probe)).finally(() =>
      this.#inProgress.delete(job),
    );
    this.#inProgress.add(job);
    return job;
  }

  idle(): Promise<unknown> {
    return Promise.allSettled(this.#inProgress);
  }

  async close(force: boolean): Promise<void> {
    clearTimeout(this.#resuming);
    await this.#worker?.close(force);
  }

  disconnect(): void {
    this.#disconnect();
  }

  /** Leaves the probe to the next pass when such rooms have their part of the concurrency already. */
  async #probeFailing(probe: QueuedProbe): Promise<void> {
    if (this.#failing >= Math.max(1, this.#options.work.concurrency * failingShare)) return;
    this.#failing += 1;
    await this.#probe(probe).finally(() => {
      this.#failing -= 1;
    });
  }

  async #probe({ room }: QueuedProbe): Promise<void> {
    const { runner } = this.#options;
    const { orphan, error } = await runner.probe(room);
    if (error !== undefined) return this.#pauseAfter(error);
    this.#failures = 0;
    this.#refusals = 0;
    if (orphan !== undefined) await runner.reap(orphan);
  }

  /** After a refusal, or as many consecutive failures as there are concurrent probes. */
  #pauseAfter(error: unknown): void {
    const { pollMs, concurrency } = this.#options.work;
    this.#failures += 1;
    if (isRefused(error)) {
      this.#refusals += 1;
      this.#pause(retryMs(this.#refusals, { pollMs, longestMs: pollMs * longestRefusedPolls }));
    } else if (this.#failures >= concurrency) {
      const rounds = Math.floor(this.#failures / concurrency);
      this.#pause(retryMs(rounds, { pollMs, longestMs: pollMs * longestPausePolls }));
    }
  }

  #pause(forMs: number): void {
    if (this.#options.stopped.aborted) return;
    const onError = (error: Error): void => this.#options.connections.queueFailed(error);
    clearTimeout(this.#resuming);
    this.#worker?.pause(true).catch(onError);
    this.#resuming = setTimeout(() => void Promise.resolve(this.#worker?.resume()).catch(onError), forMs);
  }
}

async function addProbes(queue: Queue, probes: readonly QueuedProbe[]): Promise<void> {
  const jobs = probes.map((data) => ({
    name: 'probe',
    data,
    // one job a room: BullMQ ignores a job whose id is in the queue
    opts: { jobId: `probe-${data.room.sid}`, removeOnComplete: true, removeOnFail: true },
  }));
  for (const some of slices(jobs)) await queue.addBulk([...some]);
}

async function settledWithin(limitMs: number, work: Promise<unknown>): Promise<void> {
  await firstValueFrom(race(from(work.catch(() => {})), timer(limitMs)));
}
