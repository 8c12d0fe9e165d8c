import type { Logger } from '../lib/logger.ts';
import { withTimeout } from '../lib/timeout.ts';
import type { FrameProcessor } from '../processors/frame-processor.ts';
import type { FrameWatcher } from '../processors/frame-processor-setup.ts';
import { frameScheduler, nextTurn, turnOfTheLoop } from '../processors/frame-scheduler.ts';
import { ObservedEvents } from './observed-events.ts';
import type { Observer } from './observer.ts';
import { ObserverParty } from './observer-party.ts';

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
/**
 * The same for one that finishes with every record, but is too slow: the log would grow for as long as it is. This is
 * 32 MB of it, beside the frames that it keeps, and more than any burst.
 */
const farthestBehindAtAll = 4_000_000;
/** From here on the slow ones of a party are told apart from the quick ones, which have time to catch up. */
const tooFarBehindTogether = farthestBehindAtAll / 2;

/**
 * Tells observers what happens, after it happened: events are noted in the frames' own time, and told in turns
 * of the event loop between them. A slow observer falls behind alone.
 */
export class ObserverHub {
  readonly #logger: Logger;
  readonly #parties = new Set<ObserverParty>();
  /** They are told nothing any more, but are cleaned up. */
  #givenUp: readonly Observer[] = [];
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
    this.#parties.add(new ObserverParty(this.#events.reader(), [observer]));
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

  /**
   * Tells everything that is still to be told, then cleans the observers up.
   *
   * @param limitMs Milliseconds in which nobody gets on with it, and for each cleanup; `null` for no limit.
   */
  async close(limitMs: number | null): Promise<void> {
    if (this.#parties.size === 0 && this.#givenUp.length === 0) return;
    if (!(await this.#isAllTold(limitMs))) this.#logger.warn({}, 'an observer did not keep up with the end');
    const parties = [...this.#parties];
    const observers = new Set([...parties.flatMap((party) => party.observers), ...this.#givenUp]);
    this.#givenUp = [];
    for (const party of parties) this.#letGo(party);
    this.#look();
    await Promise.all([...observers].map((observer) => this.#cleanUp(observer, limitMs)));
  }

  /** What observers cause while they are told is told as well, but nobody waits for the end of that. */
  async #isAllTold(limitMs: number | null): Promise<boolean> {
    const drained = new Promise<void>((resolve) => {
      this.#drained = resolve;
      this.#tell();
    });
    const { end } = this.#events;
    let untold = this.#untold(end);
    while ((await withTimeout(drained, limitMs)) === 'timeout') {
      // telling is due, but the process stood still: that is nobody's fault
      if (this.#events.isAwaited) await turnOfTheLoop();
      const before = untold;
      untold = this.#untold(end);
      if (untold === before) return false;
    }
    return true;
  }

  /** Only ever gets less, as parties part and meet. */
  #untold(end: number): number {
    let untold = 0;
    for (const party of this.#parties) untold += party.untold(end) * party.observers.length;
    return untold;
  }

  async #cleanUp(observer: Observer, limitMs: number | null): Promise<void> {
    try {
      const result = observer.cleanup?.();
      if (result !== undefined && (await withTimeout(result, limitMs)) === 'timeout')
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
    this.#toldSinceMs = performance.now();
    this.#budgetMs = this.#budget();
    for (const party of this.#parties) this.#tellParty(party);
    this.#events.isAwaited = false;
    // looked at last: what is told may push frames, which is more for those who were told before
    const { end } = this.#events;
    const more = [...this.#parties].some((party) => !party.busy && party.untold(end) > 0);
    if (more) this.#tellSoon();
    else this.#allTold();
  };

  #budget(): number {
    const { end } = this.#events;
    for (const party of this.#parties)
      if (!party.busy && party.untold(end) > farBehindFields) return budgetWhenBehindMs;
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
    for (const { busy } of this.#parties) if (busy) return;
    this.#forget();
    this.#drained?.();
  }

  /** Frames may be large, and the next one far away. */
  #forget(): void {
    this.#events.forget();
    for (const { reader } of this.#parties) reader.forget();
  }

  /** @returns Whether there is more that they could be told at once. */
  #tellParty(party: ObserverParty): boolean {
    const { reader } = party;
    const behind = this.#events.end - reader.position;
    if (behind > (party.busy ? farthestBehind : farthestBehindAtAll)) {
      this.#giveUp(party);
      return false;
    }
    if (behind > tooFarBehindTogether) this.#part(party);
    const end = Math.min(party.until, this.#events.end);
    const stop = reader.position + Math.max(batchSize, Math.ceil((end - reader.position) / farBehind));
    const startedMs = performance.now();
    let lookedMs = startedMs;
    let untilLook = party.stride;
    while (!party.busy && reader.position < end && reader.position < stop) {
      if (untilLook === 0) {
        const atMs = performance.now();
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

  /** What they were not told would be kept for as long as they do not get on. */
  #giveUp(party: ObserverParty): void {
    if (!party.removed) this.#givenUp = [...this.#givenUp, ...party.observers];
    this.#letGo(party);
    this.#logger.warn({}, 'an observer has fallen too far behind and is told nothing any more');
    this.#look();
  }

  /** They are told nothing any more. */
  #letGo(party: ObserverParty): void {
    this.#parties.delete(party);
    // who waits for it holds the party, and a reader holds everything behind it
    party.reader = new ObservedEvents(() => {}).reader();
    party.gone = true;
  }

  #tellOne(party: ObserverParty, observer: Observer): void {
    try {
      const result = party.reader.tell(observer);
      if (isThenable(result)) this.#wait(this.#alone(party, observer), result);
    } catch (error) {
      this.#logger.error({ error }, 'an observer failed');
    }
  }

  #part(party: ObserverParty): void {
    for (const observer of party.observers.slice(1)) this.#alone(party, observer);
  }

  /** From here on an observer goes by itself. */
  #alone(party: ObserverParty, observer: Observer): ObserverParty {
    const index = party.observers.indexOf(observer);
    if (index >= 0 && party.observers.length === 1) return party;
    const alone = new ObserverParty(party.reader.fork(), [observer]);
    // when it is not there it was removed this very moment, and is on its own already
    if (index < 0) return [...this.#parties].find(({ observers }) => observers[0] === observer) ?? alone;
    party.observers = party.observers.toSpliced(index, 1);
    this.#parties.add(alone);
    return alone;
  }

  #wait(party: ObserverParty, result: PromiseLike<void>): void {
    party.busy = true;
    const goOn = (): void => {
      if (party.gone) return;
      party.busy = false;
      // one that only awaited what was there is told more in this very turn
      const more = performance.now() - this.#toldSinceMs > this.#budgetMs || this.#tellParty(party);
      if ((more || !party.busy) && !this.#events.isAwaited) this.#tellSoon();
    };
    Promise.resolve(result).then(goOn, (error) => {
      this.#logger.error({ error }, 'an observer failed');
      goOn();
    });
  }
}

/** Plain functions return anything, such as a `push()`'s number. */
function isThenable(value: unknown): value is PromiseLike<void> {
  return typeof value === 'object' && value !== null && 'then' in value;
}
