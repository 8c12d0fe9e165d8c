import type { Frame, FrameDirection } from '../frames/frame.ts';
import type { Logger } from '../logger.ts';
import type { FrameProcessor } from '../processors/frame-processor.ts';
import { frameScheduler } from '../processors/frame-scheduler.ts';
import { type EventReader, ObservedEvents } from './observed-events.ts';
import type { Observer } from './observer.ts';
import { within } from './within.ts';

// kept from before anybody installs fake timers: it tells how long telling takes, not what time it is
const now = performance.now.bind(performance);

/** How long all observers together may keep timers and I/O waiting, in milliseconds. */
const budgetMs = 2;
/** How many events one is told between two looks at the clock, as long as that takes no time. */
const longestStride = 64;
const noTimeMs = 0.1;
/** How many events one is told in one go, time permitting; more when it is far behind. */
const batchSize = 512;
const farBehind = 8;

/** One observer and what it is still to be told. */
class Audience {
  readonly observer: Observer;
  readonly reader: EventReader;
  /** The event that it is not told any more, when it was removed. */
  until: number = Number.POSITIVE_INFINITY;
  busy = false;
  stride = 1;

  constructor(observer: Observer, reader: EventReader) {
    this.observer = observer;
    this.reader = reader;
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
  readonly #audiences = new Set<Audience>();
  #events: ObservedEvents | undefined;
  #telling = false;
  #drained: (() => void) | undefined;
  watchesPushes = false;
  watchesProcessing = false;

  constructor(logger: Logger, observers: Iterable<Observer>) {
    this.#logger = logger;
    for (const observer of observers) this.add(observer);
  }

  /** It is told what happens from now on. */
  add(observer: Observer): void {
    this.#events ??= new ObservedEvents();
    this.#audiences.add(new Audience(observer, this.#events.reader()));
    this.#look();
  }

  /** What has happened before is still told. */
  remove(observer: Observer): void {
    for (const audience of this.#audiences) {
      if (audience.observer !== observer || audience.removed) continue;
      audience.until = this.#events?.count ?? 0;
      if (audience.reader.position === audience.until) this.#audiences.delete(audience);
    }
    this.#look();
  }

  framePushed(
    source: FrameProcessor,
    destination: FrameProcessor | undefined,
    frame: Frame,
    direction: FrameDirection,
  ): void {
    this.#events?.note('onPushFrame', source, destination, frame, direction, frameScheduler.lastLookMs);
    if (!this.#telling) this.#tellSoon();
  }

  frameProcessed(processor: FrameProcessor, frame: Frame, direction: FrameDirection): void {
    this.#events?.note('onProcessFrame', processor, undefined, frame, direction, frameScheduler.lastLookMs);
    if (!this.#telling) this.#tellSoon();
  }

  processorSetUp(processor: FrameProcessor, startedMs: number, finishedMs: number): void {
    if (this.#audiences.size === 0) return;
    const setUp = { processor, startedMs, finishedMs };
    this.#events?.note('onProcessorSetup', undefined, setUp, undefined, undefined, 0);
    if (!this.#telling) this.#tellSoon();
  }

  pipelineStarted(): void {
    if (this.#audiences.size === 0) return;
    this.#events?.note('onPipelineStarted', undefined, undefined, undefined, undefined, 0);
    if (!this.#telling) this.#tellSoon();
  }

  /** Tells everything that is still to be told, then cleans the observers up; each within the limit. */
  async close(limitMs: number | null): Promise<void> {
    if (this.#audiences.size === 0) return;
    const drained = new Promise<void>((resolve) => {
      this.#drained = resolve;
      this.#tell();
    });
    if ((await within(drained, limitMs)) === 'late')
      this.#logger.warn({}, 'an observer did not keep up with the end');
    await Promise.all([...this.#audiences].map((audience) => this.#cleanUp(audience.observer, limitMs)));
    this.#audiences.clear();
  }

  async #cleanUp(observer: Observer, limitMs: number | null): Promise<void> {
    try {
      const result = observer.cleanup?.();
      if (result !== undefined) await within(result, limitMs);
    } catch (error) {
      this.#logger.error({ error }, 'an observer failed to clean up');
    }
  }

  #look(): void {
    const observers = [...this.#audiences].filter(({ removed }) => !removed).map(({ observer }) => observer);
    this.watchesPushes = observers.some(({ onPushFrame }) => onPushFrame !== undefined);
    this.watchesProcessing = observers.some(({ onProcessFrame }) => onProcessFrame !== undefined);
  }

  #tellSoon(): void {
    this.#telling = true;
    setImmediate(this.#tell);
  }

  readonly #tell = (): void => {
    let more = false;
    for (const audience of this.#audiences) more = this.#tellOne(audience) || more;
    this.#telling = false;
    if (more) this.#tellSoon();
    else if ([...this.#audiences].every(({ busy }) => !busy)) this.#drained?.();
  };

  /** @returns Whether there is more that it could be told at once. */
  #tellOne(audience: Audience): boolean {
    const { reader, observer } = audience;
    const end = Math.min(audience.until, this.#events?.count ?? 0);
    const stop = reader.position + Math.max(batchSize, Math.ceil((end - reader.position) / farBehind));
    const startedMs = now();
    let lookedMs = startedMs;
    let untilLook = audience.stride;
    while (!audience.busy && reader.position < end && reader.position < stop) {
      if (untilLook === 0) {
        const atMs = now();
        audience.stride = atMs - lookedMs > noTimeMs ? 1 : Math.min(audience.stride * 2, longestStride);
        lookedMs = atMs;
        if (atMs - startedMs > budgetMs / this.#audiences.size) break;
        untilLook = audience.stride;
      }
      untilLook -= 1;
      try {
        const result = reader.tell(observer);
        if (result !== undefined) this.#wait(audience, result);
      } catch (error) {
        this.#logger.error({ error }, 'an observer failed');
      }
    }
    if (reader.position === audience.until) this.#audiences.delete(audience);
    return !audience.busy && reader.position < end;
  }

  #wait(audience: Audience, result: PromiseLike<void>): void {
    audience.busy = true;
    const goOn = (): void => {
      audience.busy = false;
      if (!this.#telling) this.#tellSoon();
    };
    result.then(goOn, (error) => {
      this.#logger.error({ error }, 'an observer failed');
      goOn();
    });
  }
}
