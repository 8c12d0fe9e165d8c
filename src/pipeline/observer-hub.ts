import type { Frame, FrameDirection } from '../frames/frame.ts';
import type { Logger } from '../logger.ts';
import type { FrameProcessor } from '../processors/frame-processor.ts';
import { frameScheduler } from '../processors/frame-scheduler.ts';
import type { Observer } from './observer.ts';
import { within } from './within.ts';

type Hook = Exclude<keyof Observer, 'cleanup'>;

interface Told {
  readonly hook: Hook;
  readonly event: unknown;
}

/** How many events are told in one go before timers and I/O get their turn. */
const batchSize = 512;

/** One observer and what it is still to be told. */
class Audience {
  readonly observer: Observer;
  /** Where in the hub's events it is; counted from the run's first one. */
  position: number;
  busy = false;
  removed = false;

  constructor(observer: Observer, position: number) {
    this.observer = observer;
    this.position = position;
  }
}

/**
 * Tells observers what happens, after it happened: events are noted in the frames' own time, and told in turns
 * of the event loop between them. A slow observer falls behind alone.
 */
export class ObserverHub {
  readonly #logger: Logger;
  readonly #audiences = new Set<Audience>();
  #events: Told[] = [];
  /** Number of the first event that is still kept. */
  #first = 0;
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
    this.#audiences.add(new Audience(observer, this.#first + this.#events.length));
    this.#look();
  }

  /** What has happened before is still told. */
  remove(observer: Observer): void {
    for (const audience of this.#audiences) {
      if (audience.observer !== observer || audience.removed) continue;
      const end = this.#first + this.#events.length;
      if (audience.position === end) this.#audiences.delete(audience);
      else {
        audience.removed = true;
        this.#until.set(audience, end);
      }
    }
    this.#look();
  }

  readonly #until = new Map<Audience, number>();

  framePushed(
    source: FrameProcessor,
    destination: FrameProcessor | undefined,
    frame: Frame,
    direction: FrameDirection,
  ): void {
    this.#note('onPushFrame', {
      source,
      destination,
      frame,
      direction,
      timestampMs: frameScheduler.lastLookMs,
    });
  }

  frameProcessed(processor: FrameProcessor, frame: Frame, direction: FrameDirection): void {
    this.#note('onProcessFrame', { processor, frame, direction, timestampMs: frameScheduler.lastLookMs });
  }

  processorSetUp(processor: FrameProcessor, startedMs: number, finishedMs: number): void {
    if (this.#audiences.size > 0) this.#note('onProcessorSetup', { processor, startedMs, finishedMs });
  }

  pipelineStarted(): void {
    if (this.#audiences.size > 0) this.#note('onPipelineStarted', undefined);
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

  #note(hook: Hook, event: unknown): void {
    this.#events.push({ hook, event });
    if (this.#telling) return;
    this.#telling = true;
    setImmediate(this.#tell);
  }

  readonly #tell = (): void => {
    let more = false;
    for (const audience of this.#audiences) more = this.#tellOne(audience) || more;
    this.#forgetTold();
    this.#telling = more;
    if (more) setImmediate(this.#tell);
    else if ([...this.#audiences].every(({ busy }) => !busy)) this.#drained?.();
  };

  /** @returns Whether there is more that it could be told at once. */
  #tellOne(audience: Audience): boolean {
    const end = this.#until.get(audience) ?? this.#first + this.#events.length;
    const stop = Math.min(end, audience.position + batchSize);
    while (!audience.busy && audience.position < stop) {
      const { hook, event } = this.#events[audience.position - this.#first] as Told;
      audience.position += 1;
      const method = audience.observer[hook] as ((event: unknown) => void | Promise<void>) | undefined;
      if (method === undefined) continue;
      try {
        const result = method.call(audience.observer, event);
        if (result !== undefined) this.#wait(audience, result);
      } catch (error) {
        this.#logger.error({ hook, error }, 'an observer failed');
      }
    }
    if (audience.removed && audience.position === end) {
      this.#audiences.delete(audience);
      this.#until.delete(audience);
    }
    return !audience.busy && audience.position < end;
  }

  #wait(audience: Audience, result: PromiseLike<void>): void {
    audience.busy = true;
    const goOn = (): void => {
      audience.busy = false;
      if (this.#telling) return;
      this.#telling = true;
      setImmediate(this.#tell);
    };
    result.then(goOn, (error) => {
      this.#logger.error({ error }, 'an observer failed');
      goOn();
    });
  }

  #forgetTold(): void {
    let told = this.#first + this.#events.length;
    for (const { position } of this.#audiences) told = Math.min(told, position);
    if (told === this.#first) return;
    this.#events = told === this.#first + this.#events.length ? [] : this.#events.slice(told - this.#first);
    this.#first = told;
  }
}
