import type { Logger } from '../logger.ts';
import type { FrameProcessor } from '../processors/frame-processor.ts';
import type { FrameWatcher } from '../processors/frame-processor-setup.ts';
import { frameScheduler } from '../processors/frame-scheduler.ts';
import { within } from '../within.ts';
import { type EventReader, ObservedEvents } from './observed-events.ts';
import type { Observer } from './observer.ts';

// kept from before anybody installs fake timers: how long telling takes is real time, and observers are told all
// the same while virtual time stands still
const now = performance.now.bind(performance);
const nextTurn = setImmediate;

/** How long observers may keep timers and I/O waiting in one go, in milliseconds. */
const budgetMs = 1;
/** The same while frames are waiting as well, which go first. */
const budgetBesideFramesMs = 0.1;
/** The same when so many fields of the log are still to be told that keeping them is worse than waiting. */
const budgetWhenBehindMs = 4;
const farBehindFields = 400_000;
/** How many records are told between two looks at the clock, as long as that takes no time. */
const longestStride = 64;
const noTimeMs = 0.1;
/** How many fields of the log are told in one go, time permitting; more when there are far more. */
const batchSize = 512;
const farBehind = 3;
/** How far behind an observer may be that does not finish with a record, in fields: at most as many records. */
const farthestBehind = 100_000;

/** Observers that are told the same records at the same time, mostly all of them. */
class Party {
  reader: EventReader;
  observers: readonly Observer[];
  /** The record that they are not told any more, when they were removed. */
  until: number = Number.POSITIVE_INFINITY;
  /** They are one, and it has not finished with the latest. */
  busy = false;
  stride = 1;

  constructor(reader: EventReader, observers: readonly Observer[]) {
    this.reader = reader;
    this.observers = observers;
  }

  get removed(): boolean {
    return this.until !== Number.POSITIVE_INFINITY;
  }
}

/**
 * Tells observers what happens, after it happened: events are noted in the frames' own time, and told in turns
 * of the event loop between them. A slow observer falls behind alone.
 */
export class ObserverHub {
  readonly #logger: Logger;
  readonly #parties = new Set<Party>();
  readonly #events = new ObservedEvents(() => this.#tellSoon());
  /** When telling began in this turn of the event loop. */
  #toldSinceMs = 0;
  #budgetMs = budgetMs;
  #drained: (() => void) | undefined;
  #changed = (): void => {};
  /** To be told of what is pushed and processed, as long as somebody wants to know. */
  pushed: FrameWatcher | undefined;
  processed: FrameWatcher | undefined;

  constructor(logger: Logger, observers: Iterable<Observer>) {
    this.#logger = logger;
    for (const observer of observers) this.add(observer);
  }

  /** Calls back now, and whenever there are other things to be told. */
  onChange(changed: () => void): void {
    this.#changed = changed;
    changed();
  }

  /** It is told what happens from now on. */
  add(observer: Observer): void {
    this.#parties.add(new Party(this.#events.reader(), [observer]));
    this.#look();
  }

  /** What has happened before is still told. */
  remove(observer: Observer): void {
    for (const party of this.#parties) {
      if (party.removed || !party.observers.includes(observer)) continue;
      const leaver = this.#alone(party, observer);
      leaver.until = this.#events.end;
      if (leaver.reader.position === leaver.until) this.#parties.delete(leaver);
    }
    this.#look();
  }

  processorSetUp(processor: FrameProcessor, startedMs: number, finishedMs: number): void {
    if (this.#parties.size > 0) this.#events.processorSetUp({ processor, startedMs, finishedMs });
  }

  pipelineStarted(): void {
    if (this.#parties.size > 0) this.#events.pipelineStarted();
  }

  /** Tells everything that is still to be told, then cleans the observers up; each within the limit. */
  async close(limitMs: number | null): Promise<void> {
    if (this.#parties.size === 0) return;
    const drained = new Promise<void>((resolve) => {
      this.#drained = resolve;
      this.#tell();
    });
    if ((await within(drained, limitMs)) === 'late')
      this.#logger.warn({}, 'an observer did not keep up with the end');
    const observers = [...this.#parties].flatMap((party) => party.observers);
    await Promise.all(observers.map((observer) => this.#cleanUp(observer, limitMs)));
    this.#parties.clear();
  }

  async #cleanUp(observer: Observer, limitMs: number | null): Promise<void> {
    try {
      const result = observer.cleanup?.();
      if (result !== undefined && (await within(result, limitMs)) === 'late')
        this.#logger.error({}, 'an observer did not clean up in time');
    } catch (error) {
      this.#logger.error({ error }, 'an observer failed to clean up');
    }
  }

  #look(): void {
    const observers = [...this.#parties]
      .filter(({ removed }) => !removed)
      .flatMap((party) => party.observers);
    const { pushed, processed } = this.#events;
    this.pushed = observers.some(({ onPushFrame }) => onPushFrame !== undefined) ? pushed : undefined;
    this.processed = observers.some(({ onProcessFrame }) => onProcessFrame !== undefined)
      ? processed
      : undefined;
    this.#changed();
  }

  #tellSoon(): void {
    this.#events.isAwaited = true;
    nextTurn(this.#tell);
  }

  readonly #tell = (): void => {
    this.#toldSinceMs = now();
    this.#budgetMs = this.#budget();
    for (const party of this.#parties) this.#tellParty(party);
    this.#events.isAwaited = false;
    // looked at last: what is told may push frames, which is more for those who were told before
    const more = [...this.#parties].some(
      (party) => !party.busy && party.reader.position < this.#endFor(party),
    );
    if (more) this.#tellSoon();
    else this.#allTold();
  };

  #budget(): number {
    for (const party of this.#parties)
      if (!party.busy && this.#endFor(party) - party.reader.position > farBehindFields)
        return budgetWhenBehindMs;
    return frameScheduler.isGivingWay ? budgetBesideFramesMs : budgetMs;
  }

  /** Those who have been told everything go on together. */
  #allTold(): void {
    const idle = [...this.#parties].filter(({ busy, removed }) => !busy && !removed);
    const [first] = idle;
    if (first !== undefined && idle.length > 1) {
      first.observers = idle.flatMap((party) => party.observers);
      for (const party of idle) if (party !== first) this.#parties.delete(party);
    }
    if ([...this.#parties].every(({ busy }) => !busy)) this.#drained?.();
  }

  #endFor(party: Party): number {
    return Math.min(party.until, this.#events.end);
  }

  /** @returns Whether there is more that they could be told at once. */
  #tellParty(party: Party): boolean {
    const { reader } = party;
    if (party.busy && this.#events.end - reader.position > farthestBehind) {
      this.#giveUp(party);
      return false;
    }
    const end = this.#endFor(party);
    const stop = reader.position + Math.max(batchSize, Math.ceil((end - reader.position) / farBehind));
    const startedMs = now();
    let lookedMs = startedMs;
    let untilLook = party.stride;
    while (!party.busy && reader.position < end && reader.position < stop) {
      if (untilLook === 0) {
        const atMs = now();
        party.stride = atMs - lookedMs > noTimeMs ? 1 : Math.min(party.stride * 2, longestStride);
        lookedMs = atMs;
        if (atMs - startedMs > this.#budgetMs / this.#parties.size) break;
        untilLook = party.stride;
      }
      untilLook -= 1;
      reader.read();
      for (const observer of party.observers) this.#tellOne(party, observer);
    }
    if (reader.position === party.until) this.#parties.delete(party);
    return !party.busy && reader.position < end;
  }

  /** What it was not told would be kept for as long as it does not finish. */
  #giveUp(party: Party): void {
    this.#parties.delete(party);
    // who waits for it holds the party, and a reader holds everything behind it
    party.reader = new ObservedEvents(() => {}).reader();
    party.until = 0;
    this.#logger.warn({}, 'an observer has fallen too far behind and is told nothing any more');
    this.#look();
  }

  #tellOne(party: Party, observer: Observer): void {
    try {
      const result = party.reader.tell(observer);
      if (result !== undefined) this.#wait(this.#alone(party, observer), result);
    } catch (error) {
      this.#logger.error({ error }, 'an observer failed');
    }
  }

  /** From here on an observer goes by itself. */
  #alone(party: Party, observer: Observer): Party {
    const index = party.observers.indexOf(observer);
    if (index >= 0 && party.observers.length === 1) return party;
    const alone = new Party(party.reader.fork(), [observer]);
    // when it is not there it was removed this very moment, and is on its own already
    if (index < 0) return [...this.#parties].find(({ observers }) => observers[0] === observer) ?? alone;
    party.observers = party.observers.toSpliced(index, 1);
    this.#parties.add(alone);
    return alone;
  }

  #wait(party: Party, result: PromiseLike<void>): void {
    party.busy = true;
    const goOn = (): void => {
      party.busy = false;
      // one that only awaited what was there is told more in this very turn
      const more = now() - this.#toldSinceMs > this.#budgetMs || this.#tellParty(party);
      if ((more || !party.busy) && !this.#events.isAwaited) this.#tellSoon();
    };
    result.then(goOn, (error) => {
      this.#logger.error({ error }, 'an observer failed');
      goOn();
    });
  }
}
