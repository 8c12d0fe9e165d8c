/** The lease: a counter that a bot's JavaScript loop bumps in its participant attributes, and nobody else. */

import { randomBytes } from 'node:crypto';
import { catchError, defer, EMPTY, exhaustMap, Observable, type Subscription, timeout } from 'rxjs';
import { type Logger, stderrLogger } from '../logger.ts';
import { checkLimitMs, checkMethods } from '../option-checks.ts';

/** The participant attribute that holds it. */
export const leaseAttribute = 'endframe.lease';

/** How often it is bumped, in milliseconds. Observers wait for several beats before they act. */
export const leaseBeatMs = 5_000;

/** How long a write is waited for. Observers wait longer. */
const patienceBeats = 1.8;

/** Observers compare only whether it changed; the parts are for people who read it. */
export interface Lease {
  /** Random for each process: a bot that starts again never repeats the value of the one before. */
  readonly run: string;
  /** Beats so far, from 0. */
  readonly count: number;
}

/** The lease of a bot that has just started. */
export function makeLease(run: string = randomBytes(6).toString('hex')): Lease {
  return { run, count: 0 };
}

export function nextLease({ run, count }: Lease): Lease {
  return { run, count: count + 1 };
}

/** As it stands in the attribute: `4f0c2a9be117.42`. */
export function formatLease({ run, count }: Lease): string {
  return `${run}.${count}`;
}

/** `undefined` for what is no lease of this form; it still counts as one when it changes. */
export function parseLease(text: string): Lease | undefined {
  const [, run, count] = /^([0-9a-z]{1,64})\.(\d{1,15})$/.exec(text) ?? [];
  return run === undefined || count === undefined ? undefined : { run, count: Number(count) };
}

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
    checkLimitMs('beatMs', beatMs);
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
      timeout({ first: this.#beatMs * patienceBeats }),
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
