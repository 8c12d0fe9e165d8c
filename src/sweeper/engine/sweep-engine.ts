/** The sweeping pass, for any store and queue: when rooms are listed and probed, and the debounce of hints. */

import { setMaxListeners } from 'node:events';
import {
  concatMap,
  defer,
  EMPTY,
  merge,
  type Observable,
  repeat,
  Subject,
  type Subscription,
  timer,
} from 'rxjs';
import { toLiveKitRESTError } from '../../rooms/rest/rest-error.ts';
import type { ListedRoom } from '../../rooms/rest/room-rest.ts';
import { type Observation, observeFailure, triedMs } from '../observation.ts';
import type {
  Orphan,
  ProbeOutcome,
  ProbeQueue,
  ProbeResult,
  ProbeRunner,
  SweeperEngine,
  SweepStore,
  SweepWork,
} from './engine.ts';
import {
  backoffMs,
  dueMs,
  isDue,
  isStalled,
  type PassCost,
  passIntervalMs,
  pauseMs,
  probeOrder,
  retryMs,
} from './schedule.ts';

/** Pause after an error of the store: another process may reach it, and takes the next turn. */
const storeRetryPolls = 2;
/** The turn is slightly shorter than the interval, so that the next process can acquire it. */
const turnShare = 0.9;

/** The store and the queue of an engine. */
export interface SweepParts {
  /** The store of observations. */
  readonly store: SweepStore;
  /** The queue of probes. */
  readonly queue: ProbeQueue;
}

/** How engines differ in their schedule. */
export interface SweepTuning {
  /** The longest pause while lists fail, in polls. */
  readonly longestRetryPolls: number;
  /** The part of the pause after the first pass that is waited for: engines started together fall out of step. */
  readonly firstPauseShare: () => number;
  /** Probes wait behind those of other processes: rooms probed late are scheduled further apart. */
  readonly spreadsLateProbes: boolean;
}

/**
 * An engine without its store and queue.
 *
 * Each pass lists the rooms when it is this process's turn, and queues a probe of each room that is due.
 */
export abstract class SweepEngine implements SweeperEngine {
  readonly #tuning: SweepTuning;
  readonly #stopped = new AbortController();
  readonly #hints = new Hints();
  #subscription: Subscription | undefined;
  #opening: Promise<SweepParts> | undefined;
  #failedLists = 0;
  #probed = 0;
  /** The newest two passes that listed: their minimum counts, because a slow pass may be a frozen process. */
  #costs: readonly PassCost[] = [];

  constructor(tuning: SweepTuning) {
    this.#tuning = tuning;
  }

  /** Aborts with `stop()`. */
  protected get stopped(): AbortSignal {
    return this.#stopped.signal;
  }

  /** Called once; a rejection is reported by every pass. */
  protected abstract open(runner: ProbeRunner, work: SweepWork): Promise<SweepParts>;

  /** Called at the beginning of each pass. */
  protected passBegins(): void {}

  /** Removes secrets from an error before it is reported. */
  protected withoutSecrets(error: unknown): unknown {
    return error;
  }

  start(work: SweepWork): void {
    // each probe and deletion in progress listens
    setMaxListeners(0, this.stopped);
    const opening = this.open(
      {
        probe: async (room) => this.#probe(room, await opening, work),
        reap: async (orphan) => this.#reap(orphan, await opening, work),
      },
      work,
    );
    this.#opening = opening;
    opening.catch(() => {});
    let restMs = 0;
    const passes$ = defer(async () => {
      restMs = await this.#pass(opening, work);
    }).pipe(
      repeat({ delay: (count) => timer(count === 1 ? restMs * this.#tuning.firstPauseShare() : restMs) }),
    );
    const hints$ = this.#hints.served((names) => this.#probeHinted(names, opening, work));
    this.#subscription = merge(passes$, hints$).subscribe();
  }

  lookSooner(roomNames: readonly string[]): void {
    if (!this.stopped.aborted) this.#hints.add(roomNames);
  }

  async stop(): Promise<void> {
    this.#stopped.abort();
    this.#subscription?.unsubscribe();
    const parts = await this.#opening?.catch(() => undefined);
    await parts?.queue.close();
  }

  /** Lists and probes when it is this process's turn; resolves with the pause that follows, and never rejects. */
  async #pass(opening: Promise<SweepParts>, work: SweepWork): Promise<number> {
    this.passBegins();
    try {
      const parts = await opening;
      const nowMs = await parts.store.clock();
      const startedMs = nowMs();
      if (await parts.store.acquireTurn(this.#intervalMs(work) * turnShare)) {
        await this.#listAndProbe(parts, nowMs, work);
      }
      const owned = await parts.store.owned();
      work.passed({ owned, looked: this.#probed, durationMs: nowMs() - startedMs });
      this.#probed = 0;
      return pauseMs(this.#costs, work.pollMs);
    } catch (error) {
      if (!this.stopped.aborted) work.failed(this.withoutSecrets(error));
      const { pollMs } = work;
      if (this.#failedLists === 0) return pollMs * storeRetryPolls;
      return retryMs(this.#failedLists, { pollMs, longestMs: pollMs * this.#tuning.longestRetryPolls });
    }
  }

  async #listAndProbe({ store, queue }: SweepParts, nowMs: () => number, work: SweepWork): Promise<void> {
    const startedMs = nowMs();
    const rooms = await this.#list(store, work);
    const listMs = nowMs() - startedMs;
    if (isStalled(listMs, this.#costs, work.pollMs)) await store.recordGap();
    const seen = await store.observations();
    const names = new Set(rooms.map(({ name }) => name));
    await store.forget([...seen.keys()].filter((name) => !names.has(name)));
    await store.beginPass(rooms.length);
    const due = rooms.filter(({ name }) => isDue(seen.get(name), nowMs(), this.#intervalMs(work)));
    await queue.add(probeOrder(due, seen));
    this.#costs = [{ durationMs: nowMs() - startedMs, listMs }, ...this.#costs.slice(0, 1)];
  }

  async #list(store: SweepStore, work: SweepWork): Promise<readonly ListedRoom[]> {
    try {
      const rooms = await work.list();
      this.#failedLists = 0;
      return rooms;
    } catch (error) {
      this.#failedLists += 1;
      if (!(await this.#isRefusedAlone(error, store, work))) await store.recordGap();
      await store.releaseTurn();
      throw error;
    }
  }

  /** Never rejects: a lost hint costs time only. */
  async #probeHinted(names: readonly string[], opening: Promise<SweepParts>, work: SweepWork): Promise<void> {
    try {
      const { store, queue } = await opening;
      // rejects while the store is unreachable, before LiveKit is asked in vain
      const nowMs = await store.clock();
      const rooms = await work.list(names);
      const seen = await store.recall(rooms.map(({ name }) => name));
      const known = new Map(rooms.map(({ name }, index) => [name, seen[index]]));
      const stale = rooms.filter(({ name }) => !isFresh(known.get(name), nowMs()));
      await queue.add(probeOrder(stale, known));
    } catch {
      // the next pass probes them
    }
  }

  async #probe(room: ListedRoom, { store }: SweepParts, work: SweepWork): Promise<ProbeOutcome> {
    const { name } = room;
    const [nowMs, lastGapMs, owned, [before]] = await Promise.all([
      store.clock(),
      store.lastGapMs(),
      store.owned(),
      store.recall([name]),
    ]);
    const isSpread = this.#tuning.spreadsLateProbes && before !== undefined;
    const latenessMs = isSpread ? Math.max(0, nowMs() - before.dueMs) : 0;
    const { longestSpacingMs } = work;
    const plan = { owned, intervalMs: this.#intervalMs(work), longestSpacingMs, latenessMs };
    const signal = this.stopped;
    if (signal.aborted) return {};
    let result: ProbeResult;
    try {
      result = await work.probe(room, { before, lastGapMs, nowMs, signal });
    } catch (error) {
      if (signal.aborted) return {};
      if (!(await this.#isRefusedAlone(error, store, work))) {
        const failed = observeFailure(before, nowMs());
        await store.remember(name, { ...failed, dueMs: dueMs(failed, plan) });
      }
      return { error };
    }
    this.#probed += 1;
    await store.recordSuccess(nowMs());
    const { observation, orphan } = result;
    if (observation === undefined) await store.forget([name]);
    else await store.remember(name, { ...observation, dueMs: dueMs(observation, plan) });
    return { orphan };
  }

  async #reap(orphan: Orphan, { store }: SweepParts, work: SweepWork): Promise<void> {
    const { name } = orphan.room;
    const [nowMs, lastGapMs, owned] = await Promise.all([store.clock(), store.lastGapMs(), store.owned()]);
    const cap = work.deletionCap(owned);
    const takeDeletion = async (): Promise<boolean> => (await store.takeDeletion()) <= cap;
    const status = await work.reap(orphan, { lastGapMs, nowMs, takeDeletion });
    if (status === 'failed') {
      const failedReaps = orphan.observation.failedReaps + 1;
      const dueMs = nowMs() + backoffMs(failedReaps);
      await store.remember(name, { ...orphan.observation, failedReaps, dueMs });
    } else if (status !== 'capped' && status !== 'would-delete') {
      await store.forget([name]);
    }
  }

  /** Whether LiveKit refuses this process and answers others: their observations have no gap. */
  async #isRefusedAlone(error: unknown, store: SweepStore, work: SweepWork): Promise<boolean> {
    return isRefused(error) && (await store.othersSucceed(this.#intervalMs(work)));
  }

  #intervalMs({ pollMs }: SweepWork): number {
    return passIntervalMs(this.#costs, pollMs);
  }
}

/** Whether LiveKit refused the key of this process. */
export function isRefused(error: unknown): boolean {
  return toLiveKitRESTError('', error).kind === 'auth';
}

/** Hints within this time are served together. */
const gatherMs = 100;
/** A room probed within this time is not probed again for a hint. */
const freshMs = 1_000;

/**
 * Whether a room was probed too recently to be probed again for a hint; failed probes count. A probe in the future
 * is one of a clock that was set back since.
 */
export function isFresh(seen: Observation | undefined, nowMs: number): boolean {
  if (seen === undefined) return false;
  const ageMs = nowMs - triedMs(seen);
  return ageMs >= 0 && ageMs < freshMs;
}

/** The names of rooms to be probed before their scheduled time. */
export class Hints {
  readonly #names = new Set<string>();
  readonly #added = new Subject<void>();

  /** Adds rooms to the next batch. */
  add(roomNames: readonly string[]): void {
    for (const name of roomNames) this.#names.add(name);
    this.#added.next();
  }

  /** Serves one batch after the other, each name once; `serve` must not reject. */
  served(serve: (roomNames: readonly string[]) => Promise<void>): Observable<void> {
    const batch$ = timer(gatherMs).pipe(concatMap(() => serve(this.#take())));
    // names added while a batch waits or is served are in it, or in the next one
    return this.#added.pipe(concatMap(() => defer(() => (this.#names.size === 0 ? EMPTY : batch$))));
  }

  #take(): readonly string[] {
    const names = [...this.#names];
    this.#names.clear();
    return names;
  }
}
