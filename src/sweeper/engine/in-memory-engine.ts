/** The engine of one process: its queue of probes, and its store, which is lost with the process. */

import { from, lastValueFrom, mergeMap, type Observable, Subject, takeUntil, timer } from 'rxjs';
import type { ListedRoom } from '../../rooms/rest/room-rest.ts';
import type { Observation } from '../observation.ts';
import type { Orphan, ProbeQueue, ProbeRunner, QueuedProbe, SweepStore, SweepWork } from './engine.ts';
import { SweepEngine, type SweepParts } from './sweep-engine.ts';

/** Concurrent deletions, apart from the probes; those that failed before have slots of their own. */
const deletionSlots = 8;
const repeatedDeletionSlots = 4;
/** Concurrent probes of rooms after a failed probe: other rooms do not wait for them. */
const failingSlots = 4;
/** After this part of a poll a probe that hangs gives up its slot; it times out after a whole poll. */
const hangingShare = 1 / 5;

/** Clock and randomness, for tests. */
export interface InMemoryEngineOptions {
  /**
   * The observer's clock in milliseconds; must be monotonic.
   *
   * @defaultValue `performance.now`
   */
  readonly nowMs?: (() => number) | undefined;
  /**
   * From 0 to below 1.
   *
   * @defaultValue `Math.random`
   */
  readonly random?: (() => number) | undefined;
}

/**
 * Schedules probes in this process and remembers nothing beyond it: a sweeper that restarts deletes up to one
 * `leaseTtlMs` later, and never wrongly.
 */
export class InMemoryEngine extends SweepEngine {
  readonly #store: MemoryStore;

  constructor({ nowMs = () => performance.now(), random = Math.random }: InMemoryEngineOptions = {}) {
    super({ longestRetryPolls: 1, firstPauseShare: random, spreadsLateProbes: false });
    this.#store = new MemoryStore(nowMs);
  }

  protected override async open(runner: ProbeRunner, work: SweepWork): Promise<SweepParts> {
    return { store: this.#store, queue: new LocalQueue(runner, work, this.stopped) };
  }
}

/** Runs probes with a bounded concurrency, and deletions beside them. */
class LocalQueue implements ProbeQueue {
  readonly #runner: ProbeRunner;
  readonly #work: SweepWork;
  readonly #stopped: AbortSignal;
  /** Rooms with a probe or deletion that is queued or in progress. */
  readonly #busy = new Set<string>();
  /** Rooms after a failed probe, oldest failure first. */
  readonly #failing = new Subject<ListedRoom>();
  readonly #deletions = new Set<Promise<void>>();
  readonly #repeatedDeletions = new Set<Promise<void>>();

  constructor(runner: ProbeRunner, work: SweepWork, stopped: AbortSignal) {
    this.#runner = runner;
    this.#work = work;
    this.#stopped = stopped;
    this.#failing.pipe(mergeMap((room) => this.#probe(room), failingSlots)).subscribe();
  }

  /** Resolves when all have been probed, except those that hang and those after a failed probe. */
  async add(probes: readonly QueuedProbe[]): Promise<void> {
    const free = probes.filter(({ room }) => !this.#busy.has(room.name));
    for (const { room, failing } of free) {
      if (!failing) continue;
      this.#busy.add(room.name);
      this.#failing.next(room);
    }
    const steady = free.filter(({ failing }) => !failing);
    const { pollMs, concurrency } = this.#work;
    const late$ = timer(pollMs * hangingShare);
    const probes$: Observable<void> = from(steady).pipe(
      mergeMap(({ room }) => from(this.#probeUnlessBusy(room)).pipe(takeUntil(late$)), concurrency),
    );
    await lastValueFrom(probes$, { defaultValue: undefined });
  }

  async close(): Promise<void> {
    await Promise.all([...this.#deletions, ...this.#repeatedDeletions]);
  }

  async #probeUnlessBusy(room: ListedRoom): Promise<void> {
    if (this.#busy.has(room.name)) return;
    this.#busy.add(room.name);
    await this.#probe(room);
  }

  async #probe(room: ListedRoom): Promise<void> {
    if (this.#stopped.aborted) return;
    const { orphan } = await this.#runner.probe(room);
    if (orphan === undefined || !this.#delete(orphan)) this.#busy.delete(room.name);
  }

  /** False when all slots are taken: the next pass probes again, because the result would be outdated. */
  #delete(orphan: Orphan): boolean {
    const isRepeated = orphan.observation.failedReaps > 0;
    const deletions = isRepeated ? this.#repeatedDeletions : this.#deletions;
    const slots = isRepeated ? repeatedDeletionSlots : deletionSlots;
    if (this.#stopped.aborted || deletions.size >= slots) return false;
    const deletion = this.#runner.reap(orphan).finally(() => {
      deletions.delete(deletion);
      this.#busy.delete(orphan.room.name);
    });
    deletions.add(deletion);
    return true;
  }
}

/** Keeps observations in a map, by the clock of this process. */
export class MemoryStore implements SweepStore {
  readonly #nowMs: () => number;
  readonly #observations = new Map<string, Observation>();
  #owned = 0;
  #deletions = 0;
  #lastGapMs: number | undefined;

  /** @param nowMs A monotonic clock, in milliseconds. */
  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  async clock(): Promise<() => number> {
    return this.#nowMs;
  }

  async acquireTurn(): Promise<boolean> {
    return true;
  }

  async releaseTurn(): Promise<void> {}

  async beginPass(owned: number): Promise<void> {
    this.#owned = owned;
    this.#deletions = 0;
  }

  async owned(): Promise<number> {
    return this.#owned;
  }

  async takeDeletion(): Promise<number> {
    this.#deletions += 1;
    return this.#deletions;
  }

  async observations(): Promise<ReadonlyMap<string, Observation>> {
    return this.#observations;
  }

  async recall(roomNames: readonly string[]): Promise<readonly (Observation | undefined)[]> {
    return roomNames.map((name) => this.#observations.get(name));
  }

  async remember(roomName: string, observation: Observation): Promise<void> {
    this.#observations.set(roomName, observation);
  }

  async forget(roomNames: readonly string[]): Promise<void> {
    for (const name of roomNames) this.#observations.delete(name);
  }

  async recordGap(): Promise<void> {
    this.#lastGapMs = this.#nowMs();
  }

  async lastGapMs(): Promise<number | undefined> {
    return this.#lastGapMs;
  }

  async recordSuccess(): Promise<void> {}

  async othersSucceed(): Promise<boolean> {
    return false;
  }
}
