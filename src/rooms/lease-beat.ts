import { catchError, defer, EMPTY, exhaustMap, Observable, type Subscription, timeout } from 'rxjs';
import { type Logger, stderrLogger } from '../lib/logger.ts';
import { checkDurationMs, checkMethods, longestTimerMs } from '../lib/options.ts';
import { formatLease, leaseAttribute, leaseBeatMs, makeLease, nextLease } from './lease.ts';

/** How long a write is waited for. Observers wait longer. */
const patienceBeats = 1.8;

export interface LeaseBeatOptions {
  /** Sets attributes of the bot's own participant. */
  readonly write: (attributes: Readonly<Record<string, string>>) => Promise<unknown>;
  /** Milliseconds from beat to beat; the first one comes at once. Default 5 000. */
  readonly beatMs?: number | undefined;
  readonly logger?: Logger | undefined;
}

/**
 * Beats the lease from `start()` to `stop()`, and never fails its caller.
 *
 * A write that fails is given up, and so is one that does not settle within two beats: the next beat is the retry. The first
 * failure of a row is a warning: to observers, a lease that stands still is a bot that is dead. It keeps no process
 * alive.
 *
 * @throws {InvalidOptionError} An option can never work.
 */
export class LeaseBeat implements Disposable {
  readonly #write: LeaseBeatOptions['write'];
  readonly #beatMs: number;
  readonly #logger: Logger;
  #lease = makeLease();
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

  /** Does nothing while it beats. */
  start(): void {
    this.#subscription ??= ticks(this.#beatMs)
      // a write that hangs must not pile up others behind it
      .pipe(exhaustMap(() => this.#beat()))
      .subscribe();
  }

  /** Ends the beat at once; what is being written is left alone. */
  stop(): void {
    this.#subscription?.unsubscribe();
    this.#subscription = undefined;
  }

  [Symbol.dispose](): void {
    this.stop();
  }

  #beat(): Observable<unknown> {
    const value = formatLease(this.#lease);
    this.#lease = nextLease(this.#lease);
    return defer(async () => {
      await this.#write({ [leaseAttribute]: value });
      this.#failing = false;
    }).pipe(
      // while LiveKit is away writes wait for it, and must not become many; one that is lost must not end the beat
      timeout({ first: Math.min(longestTimerMs, this.#beatMs * patienceBeats) }),
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
        'the lease cannot be written; if it stands still, sweepers take the bot for dead',
      );
    } catch {
      // a logger that fails must not end the beat
    }
  }
}

/** At once and then in this rhythm; unlike RxJS's `timer` it does not keep the process alive. */
function ticks(everyMs: number): Observable<void> {
  return new Observable((subscriber) => {
    subscriber.next();
    const timer = setInterval(() => subscriber.next(), everyMs);
    timer.unref();
    return () => clearInterval(timer);
  });
}
