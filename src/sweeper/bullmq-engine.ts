import { setMaxListeners } from 'node:events';
import { defer, merge, repeat, type Subscription, timer } from 'rxjs';
import type { Logger } from '../logger.ts';
import { checkDurationMs, checkText } from '../option-checks.ts';
import { asRestError } from '../rooms/foreign-error.ts';
import type { LookContext, LookResult, SweeperEngine, SweepWork } from './engine.ts';
import { Hints, isFresh } from './hints.ts';
import type { QueueAddress } from './load-bullmq.ts';
import { lookOrder } from './look-order.ts';
import { type Observation, observeFailure } from './observation.ts';
import { QueueLog } from './queue-log.ts';
import { checkRedisUrl, withoutRedisSecrets } from './redis-url.ts';
import type { PlannedLook, SharedMemory, SharedPass } from './shared-memory.ts';
import { openSharedQueue, type SharedQueue } from './shared-queue.ts';
import {
  backoffMs,
  dueMs,
  isDue,
  type PassCost,
  pauseMs,
  type RetryPlan,
  retryMs,
  rhythmMs,
  wasHeldUp,
} from './spacing.ts';

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

/** For the looks and deletions that are being made at the end. */
const closeLimitMs = 10_000;
const turnsToMiss = 2;
/** How long a process whose lists or looks fail again and again leaves them to others, at most; its keys refused. */
const longestRetryPolls = 12;
/** The same where its looks fail for other reasons: LiveKit may be away for everybody. */
const longestPausePolls = 2;
/** The part of the looks at the same time that rooms may have whose look before failed. */
const doubtfulShare = 0.5;

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
  readonly #log: QueueLog;
  readonly #stopped = new AbortController();
  readonly #hints = new Hints();
  #subscription: Subscription | undefined;
  #opening: Promise<SharedQueue | undefined> = Promise.resolve(undefined);
  #costs: readonly PassCost[] = [];
  #owned = 0;
  #looked = 0;
  #failedLists = 0;
  /** In a row, by whatever; and those of them that LiveKit refused. */
  #failedLooks = 0;
  #refusedLooks = 0;
  /** Looks that are being made at rooms whose look before failed. */
  #doubtful = 0;

  constructor(options: BullMqEngineOptions) {
    const { redisUrl, queueName = 'endframe-sweeper', keyPrefix = 'endframe', lockMs = 15_000 } = options;
    checkRedisUrl('redisUrl', redisUrl);
    checkText('queueName', queueName);
    checkText('keyPrefix', keyPrefix);
    checkDurationMs('lockMs', lockMs);
    this.#address = { redisUrl, queueName, keyPrefix, stopped: this.#stopped.signal };
    this.#lockMs = lockMs;
    this.#log = new QueueLog(this.#address, options.logger);
  }

  start(work: SweepWork): void {
    // each look and deletion under way listens
    setMaxListeners(0, this.#stopped.signal);
    this.#opening = this.#open(work);
    // each pass tells it
    this.#opening.catch(() => {});
    let restMs = work.pollMs;
    const passes$ = defer(async () => {
      restMs = await this.#pass(work);
    }).pipe(repeat({ delay: () => timer(restMs) }));
    const hints$ = this.#hints.served((names) => this.#planHinted(names, work));
    this.#subscription = merge(passes$, hints$).subscribe();
  }

  lookSooner(roomNames: readonly string[]): void {
    if (!this.#stopped.signal.aborted) this.#hints.add(roomNames);
  }

  async stop(): Promise<void> {
    this.#stopped.abort();
    this.#subscription?.unsubscribe();
    const queue = await this.#opening.catch(() => undefined);
    await queue?.close(closeLimitMs);
  }

  #open(work: SweepWork): Promise<SharedQueue> {
    return openSharedQueue({
      ...this.#address,
      concurrency: work.concurrency,
      lockMs: this.#lockMs,
      look: (look, memory) => this.#look(look, memory, work),
      onAway: (error) => this.#log.away(error),
      onBack: () => this.#log.back(),
      onError: (error) => this.#log.failed(error),
    });
  }

  /** Lists and plans, when it is this process's turn; resolves with the pause that should follow. */
  async #pass(work: SweepWork): Promise<number> {
    const startedMs = performance.now();
    this.#log.passBegins();
    try {
      const queue = await this.#opening;
      if (queue === undefined) return work.pollMs;
      // a little less than the rhythm, so that whoever comes next does not miss its turn by a hair
      if (await queue.memory.takeTurn(this.#rhythmMs(work) * 0.9)) await this.#listAndPlan(queue, work);
    } catch (error) {
      if (!this.#stopped.signal.aborted) work.failed(withoutRedisSecrets(error, this.#address.redisUrl));
      // the next turn to somebody else, who may see more
      if (this.#failedLists === 0) return work.pollMs * turnsToMiss;
      return retryMs(this.#failedLists, this.#retrying(work));
    }
    work.passed({ owned: this.#owned, looked: this.#looked, durationMs: performance.now() - startedMs });
    this.#looked = 0;
    return pauseMs(this.#costs.length > 0 ? this.#costs : [noCost], work.pollMs);
  }

  async #listAndPlan({ memory, add }: SharedQueue, work: SweepWork): Promise<void> {
    const startedMs = performance.now();
    const rooms = await work.list().catch(async (error: unknown) => {
      this.#failedLists += 1;
      if (!(await this.#isAlone(error, memory, work))) await memory.wasBlind();
      await memory.endTurn();
      throw error;
    });
    this.#failedLists = 0;
    const listMs = performance.now() - startedMs;
    if (wasHeldUp(listMs, this.#costs, work.pollMs)) await memory.wasBlind();
    const [nowMs, seen] = await Promise.all([memory.nowMs(), memory.seen()]);
    this.#owned = rooms.length;
    const names = new Set(rooms.map(({ name }) => name));
    await memory.forget(...[...seen.keys()].filter((name) => !names.has(name)));
    const due = rooms.filter(({ name }) => isDue(seen.get(name), nowMs, this.#rhythmMs(work)));
    const pass: SharedPass = { pass: String(nowMs), owned: rooms.length };
    await memory.beginPass(pass);
    const { steady, doubtful } = lookOrder(due, seen);
    await add([...steady, ...doubtful], pass);
    this.#costs = [{ durationMs: performance.now() - startedMs, listMs }, ...this.#costs.slice(0, 1)];
  }

  async #planHinted(names: readonly string[], work: SweepWork): Promise<void> {
    try {
      const queue = await this.#opening;
      if (queue === undefined) return;
      const { memory } = queue;
      // first: while Redis is away LiveKit is not asked in vain
      const pass = await memory.currentPass();
      const rooms = await work.list(names);
      const [nowMs, seen] = await Promise.all([
        memory.nowMs(),
        memory.recallAll(rooms.map(({ name }) => name)),
      ]);
      const stale = rooms.filter((_, index) => !isFresh(seen[index], nowMs));
      await queue.add(stale, pass);
    } catch {
      // a hint that is lost costs nothing but time
    }
  }

  async #look(planned: PlannedLook, memory: SharedMemory, work: SweepWork): Promise<void> {
    const { room, pass, owned } = planned;
    this.#owned = owned;
    const [redisMs, blindMs, before] = await Promise.all([
      memory.nowMs(),
      memory.blindMs(),
      memory.recall(room.name),
    ]);
    const steadyMs = performance.now() - redisMs;
    const nowMs = (): number => performance.now() - steadyMs;
    const plan = {
      owned,
      rhythmMs: this.#rhythmMs(work),
      longestSpacingMs: work.longestSpacingMs,
      latenessMs: Math.max(0, redisMs - (before?.dueMs ?? redisMs)),
    };
    const remember = (seen: Observation): Promise<void> =>
      memory.remember(room.name, { ...seen, dueMs: dueMs(seen, plan) });
    const { signal } = this.#stopped;
    const context = { before, blindMs, nowMs, signal };
    const look = await this.#lookUnlessCrowded(planned, context, work).catch(async (error: unknown) => {
      if (signal.aborted) return undefined;
      this.#leaveToOthers(error, work);
      if (!(await this.#isAlone(error, memory, work))) await remember(observeFailure(before, nowMs()));
      return undefined;
    });
    if (look === undefined) return;
    this.#looked += 1;
    this.#failedLooks = 0;
    this.#refusedLooks = 0;
    await memory.lookedWell(nowMs());
    const { observation, orphan } = look;
    if (observation === undefined) return memory.forget(room.name);
    await remember(observation);
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

  /** `undefined`: looks that may hang have taken their part already; this one is planned again by the next pass. */
  async #lookUnlessCrowded(
    { room }: PlannedLook,
    context: LookContext,
    work: SweepWork,
  ): Promise<LookResult | undefined> {
    if (context.before?.failedMs === undefined) return work.look(room, context);
    if (this.#doubtful >= Math.max(1, work.concurrency * doubtfulShare)) return undefined;
    this.#doubtful += 1;
    return work.look(room, context).finally(() => {
      this.#doubtful -= 1;
    });
  }

  /** After a look that LiveKit refused, or so many failures in a row: others may have better keys or a better way. */
  #leaveToOthers(error: unknown, work: SweepWork): void {
    this.#failedLooks += 1;
    if (isRefused(error)) this.#refusedLooks += 1;
    const { pollMs, concurrency } = work;
    const rounds = Math.floor(this.#failedLooks / concurrency);
    if (!isRefused(error) && rounds === 0) return;
    const forMs = isRefused(error)
      ? retryMs(this.#refusedLooks, this.#retrying(work))
      : retryMs(rounds, { pollMs, longestMs: pollMs * longestPausePolls });
    void this.#opening.then((queue) => queue?.pause(forMs));
  }

  /** Whether LiveKit refuses this process, and answered others within a pass: they see what it does not. */
  async #isAlone(error: unknown, memory: SharedMemory, work: SweepWork): Promise<boolean> {
    return isRefused(error) && (await memory.hasLookedWell(this.#rhythmMs(work)));
  }

  #retrying({ pollMs }: SweepWork): RetryPlan {
    return { pollMs, longestMs: pollMs * longestRetryPolls };
  }

  #rhythmMs(work: SweepWork): number {
    return this.#costs.length > 0 ? rhythmMs(this.#costs, work.pollMs) : work.pollMs;
  }
}

const noCost: PassCost = { durationMs: 0, listMs: 0 };

function isRefused(error: unknown): boolean {
  return asRestError('', error).kind === 'auth';
}
