/** Delivers what happens in a pipeline to its observers, asynchronously. */

import type { Frame } from '../frames/frame.ts';
import type { Logger } from '../lib/logger.ts';
import { withTimeout } from '../lib/timeout.ts';
import { frameScheduler, nextTurn, turnOfTheLoop } from '../processors/core/frame-scheduler.ts';
import type { FrameListener } from '../processors/core/processor-types.ts';
import type { FrameProcessor } from '../processors/frame-processor.ts';
import {
  type EventCursor,
  EventLog,
  processedDownstream,
  processedUpstream,
  pushedDownstream,
  pushedUpstream,
} from './event-log.ts';
import type { Observer } from './observer.ts';

/** How long a delivery may block timers and I/O, in milliseconds. */
const budgetMs = 1;
/** The same while frames wait too: they go first. */
const budgetBesideFramesMs = 0.1;
/** The same for a backlog that is worse than blocking. */
const budgetWhenBehindMs = 4;
/** Backlogs are counted in fields of the log: one event takes one field or a few. */
const largeBacklog = 400_000;
/** Most events between two readings of the clock; fewer when they take longer than {@link fastMs}. */
const longestStride = 64;
const fastMs = 0.1;
/** How many fields an observer gets in a row, time permitting: a batch, or a share of a large backlog. */
const batchSize = 512;
const shareOfBacklog = 3;
/** Largest backlog of an observer with a pending method. */
const mostBehindBusy = 100_000;
/** Largest backlog of an observer that is slow: 32 MB, besides the frames. */
const mostBehind = 4_000_000;

/**
 * Events are logged synchronously and delivered in later turns of the event loop; a slow observer lags without delaying
 * frames or other observers.
 */
export class ObserverDispatcher {
  readonly #logger: Logger;
  readonly #log = new EventLog();
  readonly #cursors = new Set<EventCursor>();
  /** Observers that get no more events, but a cleanup. */
  #givenUp: readonly Observer[] = [];
  #isScheduled = false;
  /** When the latest delivery began. */
  #deliveringSinceMs = 0;
  #budgetMs = budgetMs;
  #drained: (() => void) | undefined;
  #onChange = (): void => {};
  /** To be called with each frame that is pushed; `undefined` while no observer has a method for it. */
  pushed: FrameListener | undefined;
  /** The same for each frame that is processed. */
  processed: FrameListener | undefined;

  constructor(logger: Logger, observers: Iterable<Observer>) {
    this.#logger = logger;
    for (const observer of observers) this.add(observer);
  }

  /** Calls back now, and whenever {@link pushed} or {@link processed} have changed. */
  onChange(listener: () => void): void {
    this.#onChange = listener;
    listener();
  }

  /** The observer gets what happens from now on. */
  add(observer: Observer): void {
    this.#cursors.add(this.#log.cursor(observer));
    this.#updateListeners();
  }

  /** The observer gets what has happened before, and no more. */
  remove(observer: Observer): void {
    for (const cursor of this.#cursors) {
      if (cursor.isRemoved || cursor.observer !== observer) continue;
      cursor.end = this.#log.end;
      if (cursor.backlog(cursor.end) === 0) this.#cursors.delete(cursor);
    }
    this.#updateListeners();
  }

  /** Reports the setup of a processor; times are of `performance.now()`. */
  processorSetUp(processor: FrameProcessor, startedMs: number, finishedMs: number): void {
    if (this.#cursors.size === 0) return;
    this.#log.recordSetUp({ processor, startedMs, finishedMs });
    if (!this.#isScheduled) this.#schedule();
  }

  /** Reports that the StartFrame has passed the pipeline. */
  pipelineStarted(): void {
    if (this.#cursors.size === 0) return;
    this.#log.recordStarted();
    if (!this.#isScheduled) this.#schedule();
  }

  /**
   * Delivers the backlog, then cleans the observers up.
   *
   * @param limitMs Milliseconds in which no observer gets an event, and for each cleanup; `null` for no limit.
   */
  async close(limitMs: number | null): Promise<void> {
    if (this.#cursors.size === 0 && this.#givenUp.length === 0) return;
    if (!(await this.#isDrained(limitMs))) this.#logger.warn({}, 'an observer did not keep up with the end');
    const observers = new Set(this.#givenUp);
    this.#givenUp = [];
    for (const cursor of this.#cursors) {
      observers.add(cursor.observer);
      this.#closeCursor(cursor);
    }
    this.#updateListeners();
    await Promise.all([...observers].map((observer) => this.#cleanUp(observer, limitMs)));
  }

  /** Waits for events caused by delivery as well, at most for the limit. */
  async #isDrained(limitMs: number | null): Promise<boolean> {
    const drained = new Promise<void>((resolve) => {
      this.#drained = resolve;
      this.#deliver();
    });
    const { end } = this.#log;
    let backlog = this.#backlog(end);
    while ((await withTimeout(drained, limitMs)) === 'timeout') {
      // after a blocked event loop the timer fires before the delivery that is due
      if (this.#isScheduled) await turnOfTheLoop();
      const before = backlog;
      backlog = this.#backlog(end);
      if (backlog === before) return false;
    }
    return true;
  }

  #backlog(end: number): number {
    let backlog = 0;
    for (const cursor of this.#cursors) backlog += cursor.backlog(end);
    return backlog;
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

  #updateListeners(): void {
    const has = (method: 'onPushFrame' | 'onProcessFrame'): boolean =>
      [...this.#cursors].some(({ isRemoved, observer }) => !isRemoved && observer[method] !== undefined);
    this.pushed = has('onPushFrame') ? this.#pushedListener : undefined;
    this.processed = has('onProcessFrame') ? this.#processedListener : undefined;
    this.#onChange();
  }

  readonly #pushedListener: FrameListener = {
    onFrame: (processor: FrameProcessor, frame, direction) =>
      this.#recordFrame(direction === 'downstream' ? pushedDownstream : pushedUpstream, processor, frame),
  };

  readonly #processedListener: FrameListener = {
    onFrame: (processor: FrameProcessor, frame, direction) =>
      this.#recordFrame(
        direction === 'downstream' ? processedDownstream : processedUpstream,
        processor,
        frame,
      ),
  };

  #recordFrame(kind: number, processor: FrameProcessor, frame: Frame): void {
    this.#log.recordFrame(kind, processor, frame);
    if (!this.#isScheduled) this.#schedule();
  }

  #schedule(): void {
    this.#isScheduled = true;
    nextTurn(this.#deliver);
  }

  readonly #deliver = (): void => {
    this.#deliveringSinceMs = performance.now();
    this.#budgetMs = this.#budget();
    for (const cursor of this.#cursors) this.#deliverTo(cursor);
    this.#isScheduled = false;
    // read last: observers may push frames, which adds events for those that were served before
    const { end } = this.#log;
    let isAnyBusy = false;
    for (const { isBusy, position, end: last } of this.#cursors) {
      if (!isBusy && position < Math.min(end, last)) {
        this.#schedule();
        return;
      }
      isAnyBusy ||= isBusy;
    }
    if (isAnyBusy) return;
    this.#log.release();
    this.#drained?.();
  };

  #budget(): number {
    const { end } = this.#log;
    for (const cursor of this.#cursors)
      if (!cursor.isBusy && cursor.backlog(end) > largeBacklog) return budgetWhenBehindMs;
    return frameScheduler.isYielding ? budgetBesideFramesMs : budgetMs;
  }

  /** @returns Whether there is more that the observer could get at once. */
  #deliverTo(cursor: EventCursor): boolean {
    const behind = this.#log.end - cursor.position;
    if (behind > (cursor.isBusy ? mostBehindBusy : mostBehind)) {
      this.#giveUp(cursor);
      return false;
    }
    const end = Math.min(cursor.end, this.#log.end);
    const stop = Math.min(end, cursor.position + Math.max(batchSize, Math.ceil(behind / shareOfBacklog)));
    const startedMs = performance.now();
    let readMs = startedMs;
    let untilRead = cursor.stride;
    while (!cursor.isBusy && cursor.position < stop) {
      if (untilRead === 0) {
        const atMs = performance.now();
        cursor.stride = atMs - readMs > fastMs ? 1 : Math.min(cursor.stride * 2, longestStride);
        readMs = atMs;
        if (atMs - startedMs > this.#budgetMs / this.#cursors.size) break;
        untilRead = cursor.stride;
      }
      untilRead -= 1;
      this.#deliverNext(cursor);
    }
    if (cursor.position === cursor.end) this.#cursors.delete(cursor);
    return !cursor.isBusy && cursor.position < end;
  }

  #deliverNext(cursor: EventCursor): void {
    try {
      const result = cursor.deliver();
      if (isThenable(result)) this.#await(cursor, result);
    } catch (error) {
      this.#logger.error({ error }, 'an observer failed');
    }
  }

  #await(cursor: EventCursor, result: PromiseLike<void>): void {
    cursor.isBusy = true;
    const goOn = (): void => {
      if (cursor.isClosed) return;
      cursor.isBusy = false;
      // what awaited nothing but microtasks gets more in this same turn
      const isLate = performance.now() - this.#deliveringSinceMs > this.#budgetMs;
      const hasMore = isLate || this.#deliverTo(cursor);
      if ((hasMore || !cursor.isBusy) && !this.#isScheduled) this.#schedule();
    };
    Promise.resolve(result).then(goOn, (error) => {
      this.#logger.error({ error }, 'an observer failed');
      goOn();
    });
  }

  /** Its backlog would be kept in memory. */
  #giveUp(cursor: EventCursor): void {
    if (!cursor.isRemoved) this.#givenUp = [...this.#givenUp, cursor.observer];
    this.#closeCursor(cursor);
    this.#logger.warn({}, 'an observer has fallen too far behind and gets no more events');
    this.#updateListeners();
  }

  #closeCursor(cursor: EventCursor): void {
    this.#cursors.delete(cursor);
    cursor.close();
  }
}

/** Plain functions return anything, such as a `push()`'s number. */
function isThenable(value: unknown): value is PromiseLike<void> {
  return typeof value === 'object' && value !== null && 'then' in value;
}
