/** An event emitter that isolates its listeners. */

import { EventEmitter } from 'eventemitter3';
import { type Logger, safeLogger, stderrLogger } from './logger.ts';

/** What eventemitter3 keeps for one listener. */
interface Entry {
  readonly fn: (...args: unknown[]) => unknown;
  readonly context: unknown;
  readonly once: boolean;
}

/** Events of every emitter of the package. */
export interface ErrorEvents {
  /** What a listener threw, or an error that is reported nowhere else. */
  error: (error: unknown) => void;
}

/**
 * An eventemitter3 whose `emit` is safe for the emitter: each listener is isolated and not awaited.
 *
 * What a listener throws, or rejects with, is logged and emitted once as `error`; what an `error` listener
 * throws is only logged. An `error` without a listener does not throw.
 */
export class SafeEventEmitter<Events extends object> extends EventEmitter<Events & ErrorEvents> {
  /** Where a failing listener is reported. */
  protected get logger(): Logger {
    return stderrLogger;
  }

  /** Called before a listener is added. */
  protected beforeListening(): void {}

  override on<T extends EventEmitter.EventNames<Events & ErrorEvents>>(
    event: T,
    listener: EventEmitter.EventListener<Events & ErrorEvents, T>,
    context?: unknown,
  ): this {
    this.beforeListening();
    return super.on(event, listener, context);
  }

  override addListener<T extends EventEmitter.EventNames<Events & ErrorEvents>>(
    event: T,
    listener: EventEmitter.EventListener<Events & ErrorEvents, T>,
    context?: unknown,
  ): this {
    return this.on(event, listener, context);
  }

  override once<T extends EventEmitter.EventNames<Events & ErrorEvents>>(
    event: T,
    listener: EventEmitter.EventListener<Events & ErrorEvents, T>,
    context?: unknown,
  ): this {
    this.beforeListening();
    return super.once(event, listener, context);
  }

  /** Typed as if there were none, so that an emitter of more events can stand in for one of fewer. */
  override eventNames(): never[] {
    return super.eventNames() as never[];
  }

  override emit<T extends EventEmitter.EventNames<Events & ErrorEvents>>(
    event: T,
    ...args: Parameters<EventEmitter.EventListener<Events & ErrorEvents, T>>
  ): boolean {
    // eventemitter3 calls its listeners in a plain loop that the first throw would end
    const kept = (this as unknown as { _events: Record<EventEmitter.EventNames<object>, Entry | Entry[]> })
      ._events[event as never] as Entry | Entry[] | undefined;
    if (kept === undefined) return false;
    const entries = Array.isArray(kept) ? [...kept] : [kept];
    for (const { fn, context, once } of entries) {
      if (once) this.removeListener(event, fn as never, undefined, true);
      try {
        const result = fn.apply(context, args);
        if (isThenable(result)) result.then(undefined, (error) => this.#report(event, error));
      } catch (error) {
        this.#report(event, error);
      }
    }
    return true;
  }

  #report(event: unknown, error: unknown): void {
    safeLogger(this.logger).error({ event, error }, 'an event listener failed');
    if (event !== 'error') (this as unknown as SafeEventEmitter<object>).emit('error', error);
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';
}
