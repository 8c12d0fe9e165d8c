import { setMaxListeners } from 'node:events';
import {
  defer,
  from,
  lastValueFrom,
  merge,
  mergeMap,
  type Observable,
  repeat,
  Subject,
  type Subscription,
  takeUntil,
  timer,
} from 'rxjs';
import type { ListedRoom } from '../rooms/room-rest.ts';
import type { Orphan, SweeperEngine, SweepWork } from './engine.ts';
import { Hints, isFresh } from './hints.ts';
import { lookOrder } from './look-order.ts';
import { type Observation, observeFailure } from './observation.ts';
import { backoffMs, dueMs, isDue, type PassCost, pauseMs, retryMs, rhythmMs, wasHeldUp } from './spacing.ts';

/** Deletions at the same time: apart from the looks, and those that failed before apart from the others. */
const reapsAtOnce = 8;
const repeatedReapsAtOnce = 4;
/** Looks at the same time at rooms whose look before failed: apart from the others, which do not wait for them. */
const repeatedLooksAtOnce = 4;
/** After this part of a poll a look that hangs makes room for others; it ends itself after a whole poll. */
const hangingPart = 5;

export interface InMemoryEngineOptions {
  /** The observer's clock: steady, whatever the calendar does. Default `performance.now`. */
  readonly nowMs?: (() => number) | undefined;
  /** From 0 to below 1. Default `Math.random`. */
  readonly random?: (() => number) | undefined;
}

/**
 * Plans and remembers in this process, and forgets with it: a sweeper that starts again is late by one
 * `leaseTtlMs` at most, and never wrong.
 */
export class InMemoryEngine implements SweeperEngine {
  readonly #nowMs: () => number;
  readonly #random: () => number;
  readonly #known = new Map<string, Observation>();
  /** Rooms that are being looked at or deleted. */
  readonly #busy = new Set<string>();
  readonly #hints = new Hints();
  /** Rooms whose look before failed, in the order in which they are looked at again. */
  readonly #doubtful = new Subject<ListedRoom>();
  readonly #reaping = new Set<Promise<void>>();
  readonly #reapingAgain = new Set<Promise<void>>();
  readonly #stopped = new AbortController();
  #subscription: Subscription | undefined;
  #blindMs: number | undefined;
  #failedLists = 0;
  #owned = 0;
  #taken = 0;
  #looked = 0;
  #rhythmMs = 0;
  /** The newest passes that were listed: what one of them took longer than the other says nothing. */
  #costs: readonly PassCost[] = [];

  constructor({ nowMs = () => performance.now(), random = Math.random }: InMemoryEngineOptions = {}) {
    this.#nowMs = nowMs;
    this.#random = random;
  }

  start(work: SweepWork): void {
    // each look and deletion under way listens
    setMaxListeners(0, this.#stopped.signal);
    this.#rhythmMs = work.pollMs;
    let restMs = 0;
    // sweepers that were started together fall out of step, or each of them would send the same deletions
    const passes$ = defer(async () => {
      restMs = await this.#pass(work);
    }).pipe(repeat({ delay: (count) => timer(count === 1 ? restMs * this.#random() : restMs) }));
    const hints$ = this.#hints.served((names) => this.#lookAtHinted(names, work));
    const looksAgain$ = this.#doubtful.pipe(mergeMap((room) => this.#look(room, work), repeatedLooksAtOnce));
    this.#subscription = merge(passes$, hints$, looksAgain$).subscribe();
  }

  lookSooner(roomNames: readonly string[]): void {
    if (!this.#stopped.signal.aborted) this.#hints.add(roomNames);
  }

  async stop(): Promise<void> {
    this.#stopped.abort();
    this.#subscription?.unsubscribe();
    await Promise.all([...this.#reaping, ...this.#reapingAgain]);
  }

  /** One list, and looks at those that are due; resolves with the pause that should follow, and never rejects. */
  async #pass(work: SweepWork): Promise<number> {
    const startedMs = this.#nowMs();
    const rooms = await this.#list(work);
    if (rooms === undefined)
      return retryMs(this.#failedLists, { pollMs: work.pollMs, longestMs: work.pollMs });
    const listMs = this.#nowMs() - startedMs;
    if (wasHeldUp(listMs, this.#costs, work.pollMs)) this.#blindMs = this.#nowMs();
    this.#owned = rooms.length;
    this.#taken = 0;
    this.#forgetAllBut(rooms);
    await this.#lookAt(
      rooms.filter(({ name }) => isDue(this.#known.get(name), this.#nowMs(), this.#rhythmMs)),
      work,
    );
    const durationMs = this.#nowMs() - startedMs;
    this.#costs = [{ durationMs, listMs }, ...this.#costs.slice(0, 1)];
    const restMs = pauseMs(this.#costs, work.pollMs);
    this.#rhythmMs = rhythmMs(this.#costs, work.pollMs);
    work.passed({ owned: rooms.length, looked: this.#looked, durationMs });
    this.#looked = 0;
    return restMs;
  }

  async #lookAtHinted(names: readonly string[], work: SweepWork): Promise<void> {
    // a hint that is lost costs nothing but time
    const rooms = await work.list(names).catch((): readonly ListedRoom[] => []);
    await this.#lookAt(
      rooms.filter(({ name }) => !isFresh(this.#known.get(name), this.#nowMs())),
      work,
    );
  }

  /** `undefined` when LiveKit does not answer. */
  async #list(work: SweepWork): Promise<readonly ListedRoom[] | undefined> {
    try {
      const rooms = await work.list();
      this.#failedLists = 0;
      return rooms;
    } catch (error) {
      this.#blindMs = this.#nowMs();
      this.#failedLists += 1;
      if (!this.#stopped.signal.aborted) work.failed(error);
      return undefined;
    }
  }

  /** Resolves when all have been looked at, but for those that hang and those whose look failed before. */
  async #lookAt(rooms: readonly ListedRoom[], work: SweepWork): Promise<void> {
    const free = rooms.filter(({ name }) => !this.#busy.has(name));
    const { steady, doubtful } = lookOrder(free, this.#known);
    for (const room of doubtful) {
      this.#busy.add(room.name);
      this.#doubtful.next(room);
    }
    const late$ = timer(work.pollMs / hangingPart);
    const looks$: Observable<void> = from(steady).pipe(
      mergeMap((room) => from(this.#lookUnlessBusy(room, work)).pipe(takeUntil(late$)), work.concurrency),
    );
    await lastValueFrom(looks$, { defaultValue: undefined });
  }

  async #lookUnlessBusy(room: ListedRoom, work: SweepWork): Promise<void> {
    if (this.#busy.has(room.name)) return;
    this.#busy.add(room.name);
    await this.#look(room, work);
  }

  async #look(room: ListedRoom, work: SweepWork): Promise<void> {
    const { name } = room;
    if (this.#stopped.signal.aborted) return;
    const before = this.#known.get(name);
    try {
      const { signal } = this.#stopped;
      const look = await work.look(room, { before, blindMs: this.#blindMs, nowMs: this.#nowMs, signal });
      this.#looked += 1;
      this.#remember(name, look.observation, work);
      if (look.orphan === undefined || !this.#offer(look.orphan, work)) this.#busy.delete(name);
    } catch {
      this.#remember(name, observeFailure(before, this.#nowMs()), work);
      this.#busy.delete(name);
    }
  }

  #remember(name: string, seen: Observation | undefined, { longestSpacingMs }: SweepWork): void {
    const plan = { owned: this.#owned, rhythmMs: this.#rhythmMs, longestSpacingMs };
    if (seen === undefined) this.#known.delete(name);
    else this.#known.set(name, { ...seen, dueMs: dueMs(seen, plan) });
  }

  /** False when enough rooms are being deleted: the next pass looks again, because what was seen does not keep. */
  #offer(orphan: Orphan, work: SweepWork): boolean {
    const isRepeated = orphan.observation.failedReaps > 0;
    const reaping = isRepeated ? this.#reapingAgain : this.#reaping;
    if (this.#stopped.signal.aborted || reaping.size >= (isRepeated ? repeatedReapsAtOnce : reapsAtOnce)) {
      return false;
    }
    const reap = this.#reap(orphan, work).finally(() => reaping.delete(reap));
    reaping.add(reap);
    return true;
  }

  async #reap(orphan: Orphan, work: SweepWork): Promise<void> {
    const { name } = orphan.room;
    const cap = work.deletionCap(this.#owned);
    const takeDeletion = async (): Promise<boolean> => {
      this.#taken += 1;
      return this.#taken <= cap;
    };
    const status = await work.reap(orphan, { blindMs: this.#blindMs, nowMs: this.#nowMs, takeDeletion });
    if (status === 'failed') {
      const failedReaps = orphan.observation.failedReaps + 1;
      const dueMs = this.#nowMs() + backoffMs(failedReaps);
      this.#known.set(name, { ...orphan.observation, failedReaps, dueMs });
    } else if (status !== 'capped' && status !== 'would-delete') {
      this.#known.delete(name);
    }
    this.#busy.delete(name);
  }

  #forgetAllBut(rooms: readonly ListedRoom[]): void {
    const names = new Set(rooms.map(({ name }) => name));
    for (const name of this.#known.keys()) if (!names.has(name)) this.#known.delete(name);
  }
}
