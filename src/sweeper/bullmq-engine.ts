import { concatMap, defer, merge, repeat, Subject, type Subscription, timer } from 'rxjs';
import { type Logger, stderrLogger } from '../logger.ts';
import { checkLimitMs, checkText } from '../option-checks.ts';
import type { SweeperEngine, SweepWork } from './engine.ts';
import type { QueueAddress } from './load-bullmq.ts';
import type { PlannedLook, SharedMemory, SharedPass } from './shared-memory.ts';
import { openSharedQueue, type SharedQueue } from './shared-queue.ts';
import { backoffMs, dueMs, type PassCost, pauseMs, rhythmMs } from './spacing.ts';

export interface BullMqEngineOptions {
  /** Such as `redis://localhost:6379`. Redis needs `maxmemory-policy noeviction`; losing its data is harmless. */
  readonly redisUrl: string;
  /** Sweepers with the same one share the work. Default `endframe-sweeper`. */
  readonly queueName?: string | undefined;
  /** What its keys in Redis begin with. Default `endframe`. */
  readonly keyPrefix?: string | undefined;
  /** After how long the look of a process that has died is made by another, in milliseconds. Default 15 000. */
  readonly lockMs?: number | undefined;
  readonly logger?: Logger | undefined;
}

/** For the jobs that are being done, and for a Redis that is away. */
const closeLimitMs = 10_000;
const awayLimitMs = 500;
const turnsToMiss = 2;

/**
 * Shares the looks between several processes, by BullMQ on Redis.
 *
 * One process at a time lists the rooms and puts a look at each that is due into the queue. Nothing in Redis is a
 * timer that deletes, and all times are Redis's own, so that neither a Redis that was away nor a worker with a
 * wrong clock costs a room. Only sweepers use Redis: bots do not know it.
 *
 * @throws {InvalidOptionError} An option can never work.
 */
export class BullMqEngine implements SweeperEngine {
  readonly #address: QueueAddress;
  readonly #lockMs: number;
  readonly #logger: Logger;
  readonly #stopped = new AbortController();
  readonly #hints = new Subject<readonly string[]>();
  #subscription: Subscription | undefined;
  #opening: Promise<SharedQueue | undefined> = Promise.resolve(undefined);
  #costs: readonly PassCost[] = [];
  #owned = 0;
  #looked = 0;
  #isAway = false;

  constructor(options: BullMqEngineOptions) {
    const { redisUrl, queueName = 'endframe-sweeper', keyPrefix = 'endframe', lockMs = 15_000 } = options;
    checkText('redisUrl', redisUrl);
    checkText('queueName', queueName);
    checkText('keyPrefix', keyPrefix);
    checkLimitMs('lockMs', lockMs);
    this.#address = { redisUrl, queueName, keyPrefix, stopped: this.#stopped.signal };
    this.#lockMs = lockMs;
    this.#logger = options.logger ?? stderrLogger;
  }

  start(work: SweepWork): void {
    this.#opening = this.#open(work).catch((error: unknown) => {
      work.failed(error);
      return undefined;
    });
    let restMs = work.pollMs;
    const passes$ = defer(async () => {
      restMs = await this.#pass(work);
    }).pipe(repeat({ delay: () => timer(restMs) }));
    const hints$ = this.#hints.pipe(concatMap((names) => this.#planHinted(names, work)));
    this.#subscription = merge(passes$, hints$).subscribe();
  }

  lookSooner(roomNames: readonly string[]): void {
    this.#hints.next(roomNames);
  }

  async stop(): Promise<void> {
    this.#stopped.abort();
    this.#subscription?.unsubscribe();
    const queue = await this.#opening;
    await queue?.close(this.#isAway ? awayLimitMs : closeLimitMs, this.#isAway);
  }

  #open(work: SweepWork): Promise<SharedQueue> {
    return openSharedQueue({
      ...this.#address,
      concurrency: work.concurrency,
      lockMs: this.#lockMs,
      look: (look, memory) => this.#look(look, memory, work),
      onAway: (error) => this.#away(error),
      onBack: () => this.#back(),
    });
  }

  /** Lists and plans, when it is this process's turn; resolves with the pause that should follow. */
  async #pass(work: SweepWork): Promise<number> {
    const queue = await this.#opening;
    if (queue === undefined) return work.pollMs;
    const startedMs = performance.now();
    try {
      // a little less than the rhythm, so that whoever comes next does not miss its turn by a hair
      if (await queue.memory.takeTurn(this.#rhythmMs(work) * 0.9)) await this.#listAndPlan(queue, work);
    } catch (error) {
      if (!this.#stopped.signal.aborted) work.failed(error);
      // the next turn to somebody else, who may see more
      return work.pollMs * turnsToMiss;
    }
    work.passed({ owned: this.#owned, looked: this.#looked, durationMs: performance.now() - startedMs });
    this.#looked = 0;
    return pauseMs(this.#costs.length > 0 ? this.#costs : [noCost], work.pollMs);
  }

  async #listAndPlan({ memory, add }: SharedQueue, work: SweepWork): Promise<void> {
    const startedMs = performance.now();
    const rooms = await work.list().catch(async (error: unknown) => {
      await memory.wasBlind();
      throw error;
    });
    const listMs = performance.now() - startedMs;
    const [nowMs, seen] = await Promise.all([memory.nowMs(), memory.seen()]);
    this.#owned = rooms.length;
    const names = new Set(rooms.map(({ name }) => name));
    await memory.forget(...[...seen.keys()].filter((name) => !names.has(name)));
    const latestMs = nowMs + this.#rhythmMs(work) / 2;
    const due = rooms.filter(({ name }) => (seen.get(name)?.dueMs ?? 0) <= latestMs);
    const pass: SharedPass = { pass: String(nowMs), owned: rooms.length };
    await memory.beginPass(pass);
    await add(due, pass);
    this.#costs = [{ durationMs: performance.now() - startedMs, listMs }, ...this.#costs.slice(0, 1)];
  }

  async #planHinted(names: readonly string[], work: SweepWork): Promise<void> {
    const queue = await this.#opening;
    if (queue === undefined || this.#isAway) return;
    try {
      const rooms = await work.list(names);
      await queue.add(rooms, await queue.memory.currentPass());
    } catch {
      // a hint that is lost costs nothing but time
    }
  }

  async #look({ room, pass, owned }: PlannedLook, memory: SharedMemory, work: SweepWork): Promise<void> {
    this.#owned = owned;
    const [redisMs, blindMs, before] = await Promise.all([
      memory.nowMs(),
      memory.blindMs(),
      memory.recall(room.name),
    ]);
    const steadyMs = performance.now() - redisMs;
    const nowMs = (): number => performance.now() - steadyMs;
    const { signal } = this.#stopped;
    const look = await work.look(room, { before, blindMs, nowMs, signal }).catch(async () => {
      await memory.forget(room.name);
      return undefined;
    });
    if (look === undefined) return;
    this.#looked += 1;
    const { observation, orphan } = look;
    const latenessMs = Math.max(0, redisMs - (before?.dueMs ?? redisMs));
    const { longestSpacingMs } = work;
    const plan = { owned, rhythmMs: this.#rhythmMs(work), longestSpacingMs, latenessMs };
    if (observation === undefined) return memory.forget(room.name);
    await memory.remember(room.name, { ...observation, dueMs: dueMs(observation, plan) });
    if (orphan === undefined) return;
    const cap = work.deletionCap(owned);
    const takeDeletion = async (): Promise<boolean> => (await memory.takeDeletion(pass)) <= cap;
    const status = await work.reap(orphan, { blindMs, nowMs, takeDeletion });
    if (status === 'failed') {
      const failedReaps = observation.failedReaps + 1;
      const dueMs = nowMs() + backoffMs(failedReaps);
      await memory.remember(room.name, { ...observation, failedReaps, dueMs });
    } else if (status !== 'capped' && status !== 'would-delete') {
      await memory.forget(room.name);
    }
  }

  #rhythmMs(work: SweepWork): number {
    return this.#costs.length > 0 ? rhythmMs(this.#costs, work.pollMs) : work.pollMs;
  }

  #away(error: unknown): void {
    if (this.#isAway || this.#stopped.signal.aborted) return;
    this.#isAway = true;
    this.#logger.warn({ error }, 'Redis is away; rooms are looked at again when it is back');
  }

  #back(): void {
    if (this.#isAway) this.#logger.warn({}, 'Redis is back');
    this.#isAway = false;
  }
}

const noCost: PassCost = { durationMs: 0, listMs: 0 };
