/** Renews the bot's lease while its event loop runs. */

import { randomBytes } from 'node:crypto';
import { catchError, defer, EMPTY, exhaustMap, Observable, type Subscription, timeout } from 'rxjs';
import { type Logger, stderrLogger } from '../lib/logger.ts';
import { checkDurationMs, checkMethods, longestTimerMs } from '../lib/options.ts';
import { leaseAttribute, leaseBeatMs } from './lease.ts';

/** A write may take so many beats; observers wait for more. */
const maxWriteBeats = 1.8;

/** Options of a {@link LeaseBeat}. */
export interface LeaseBeatOptions {
  /** Sets attributes of the bot's own participant. */
  readonly write: (attributes: Readonly<Record<string, string>>) => Promise<unknown>;
  /** Milliseconds from beat to beat; the first one is immediate. Default 5_000. */
  readonly beatMs?: number | undefined;
  /** Receives warnings about failed writes. Default: stderr. */
  readonly logger?: Logger | undefined;
}

/**
 * Writes the lease from `start()` to `stop()`; failures are logged, never thrown.
 *
 * A write that fails, or does not settle within two beats, is given up: the next beat is the retry. The first failure
 * in a row is a warning, because observers take an unchanged lease for a dead bot. Its timer is unref'd.
 *
 * @throws {InvalidOptionError} An option can never work.
 */
export class LeaseBeat implements Disposable {
  readonly #write: LeaseBeatOptions['write'];
  readonly #beatMs: number;
  readonly #logger: Logger;
  /** Random: a bot that starts again never repeats a value. */
  readonly #run = randomBytes(6).toString('hex');
  #count = 0;
  #subscription: Subscription | undefined;
  #failing = false;

  constructor(options: LeaseBeatOptions) {
    const { write, beatMs = leaseBeatMs, logger = stderrLogger } = options;
    checkMethods('options', options, ['write']);
    checkDurationMs('beatMs', beatMs);
    this.#write = write;
    this.#beatMs = beatMs;
    this.#logger = logger;
  }

  /** Idempotent. */
  start(): void {
    this.#subscription ??= ticks(this.#beatMs)
      // writes must not pile up behind one that hangs
      .pipe(exhaustMap(() => this.#beat()))
      .subscribe();
  }

  /** Ends the beat at once; a pending write is not aborted. */
  stop(): void {
    this.#subscription?.unsubscribe();
    this.#subscription = undefined;
  }

  [Symbol.dispose](): void {
    this.stop();
  }

  #beat(): Observable<unknown> {
    const value = `${this.#run}.${this.#count++}`;
    return defer(async () => {
      await this.#write({ [leaseAttribute]: value });
      this.#failing = false;
    }).pipe(
      // while LiveKit is away writes wait for it; a lost one must not end the beat
      timeout({ first: Math.min(longestTimerMs, this.#beatMs * maxWriteBeats) }),
      catchError((error: unknown) => {
        this.#warnOnce(error);
        return EMPTY;
      }),
    );
  }

  #warnOnce(error: unknown): void {
    if (this.#failing) return;
    this.#failing = true;
    try {
      this.#logger.warn(
        { error },
        'the lease cannot be written; if it stays unchanged, sweepers take the bot for dead',
      );
    } catch {
      // a failing logger must not end the beat
    }
  }
}

/** Immediately and then at this interval; unlike RxJS's `timer` it does not keep the process alive. */
function ticks(everyMs: number): Observable<void> {
  return new Observable((subscriber) => {
    subscriber.next();
    const timer = setInterval(() => subscriber.next(), everyMs);
    timer.unref();
    return () => clearInterval(timer);
  });
}
