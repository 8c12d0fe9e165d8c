/** Deletes rooms without a living bot, from another process than the bot's. */

import {
  BehaviorSubject,
  delay,
  filter,
  lastValueFrom,
  merge,
  type Observable,
  Subject,
  scan,
  skipWhile,
  switchMap,
  take,
  takeUntil,
  takeWhile,
  timer,
} from 'rxjs';
import { SafeEventEmitter } from '../lib/emitter.ts';
import { LiveKitRESTError, MissingDependencyError } from '../lib/errors.ts';
import type { Logger } from '../lib/logger.ts';
import { longestTimerMs } from '../lib/options.ts';
import { checkRoomName } from '../rooms/room-name.ts';
import { Sweep } from './sweep.ts';
import type { SweeperEvents, SweepReport } from './sweeper-events.ts';
import {
  type ResolvedSweeperOptions,
  resolveSweeperOptions,
  type SweeperOptions,
} from './sweeper-options.ts';

/**
 * Deletes rooms of bots that died without cleanup, from another process than the bot's.
 *
 * It stores nothing: LiveKit's answers decide, as far as this sweeper has observed them itself, for long enough and
 * on its own clock. A sweeper that restarts is late at most; after any gap it observes anew.
 *
 * Between its last probe and a deletion lies one request: a bot that comes back in exactly that time loses its room.
 * With a room name of its own for each session, as generated names are, that cannot happen.
 *
 * @example
 * ```ts
 * const sweeper = new Sweeper({ rest: LiveKitRESTHelper.fromEnv(), prefix: 'support-' });
 * sweeper.on('roomReaped', ({ roomName, reason }) => console.log(roomName, reason));
 * sweeper.start();
 * ```
 *
 * @throws {InvalidOptionError} An option is invalid; an empty `prefix` is refused.
 */
export class Sweeper extends SafeEventEmitter<SweeperEvents> implements AsyncDisposable {
  readonly #options: ResolvedSweeperOptions;
  readonly #reports = new Subject<SweepReport>();
  /** Emits after each pass; completes with `stop()`, never errors. */
  readonly report$: Observable<SweepReport> = this.#reports.asObservable();
  #started = false;

  constructor(options: SweeperOptions) {
    super();
    this.#options = resolveSweeperOptions(options);
  }

  protected override get logger(): Logger {
    return this.#options.logger;
  }

  /** Sweeps until `stop()`; the first pass begins at once. Does nothing the second time, nor after `stop()`. */
  start(): void {
    if (this.#started) return;
    this.#started = true;
    const onReport = (report: SweepReport): void => {
      this.#reports.next(report);
      this.emit('swept', report);
    };
    this.#options.engine.start(new Sweep(this.#options, this, onReport));
  }

  /** Starts nothing new and waits for deletions in progress. Never rejects. */
  async stop(): Promise<void> {
    this.#started = true;
    await this.#options.engine.stop();
    this.#reports.complete();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  /**
   * Probes these rooms now instead of at their scheduled time: for webhooks and other hints, which may be wrong.
   *
   * Returns at once. A hint changes when a room is probed, never the decision. Impossible names are ignored.
   */
  lookSooner(...roomNames: readonly string[]): void {
    const ours = roomNames.filter((name) => isPossible(name) && name.startsWith(this.#options.prefix));
    if (this.#started && ours.length > 0) this.#options.engine.lookSooner(ours);
  }

  /**
   * Sweeps until every room is decided, then stops: for cron jobs, with the in-memory engine.
   *
   * Takes `leaseTtlMs` or `graceMs`, or less when every bot is alive.
   *
   * @returns One report of everything found and done.
   * @throws {LiveKitRESTError} LiveKit refused the first list or never answered one, or `stop()` came first.
   */
  async sweepOnce(): Promise<SweepReport> {
    const { leaseTtlMs, graceMs, pollMs } = this.#options;
    // enough to observe anew once
    const limitMs = Math.min(longestTimerMs, 2 * Math.max(leaseTtlMs, graceMs) + 5 * pollMs);
    const failure$ = new BehaviorSubject<unknown>(undefined);
    this.on('sweepFailed', (error) => failure$.next(error));
    // the first pass over many rooms may take longer than that, as long as nothing fails
    const isLate$ = timer(limitMs).pipe(
      switchMap(() => failure$.pipe(skipWhile((error) => error === undefined))),
    );
    const failed$ = merge(isLate$, failure$.pipe(filter(isFatal))).pipe(takeUntil(this.report$));
    const whole$ = this.report$.pipe(
      takeWhile(({ undecided }) => undecided > 0, true),
      takeUntil(merge(failed$, this.report$.pipe(take(1), delay(limitMs)))),
      scan(together),
    );
    const whole = lastValueFrom(whole$, { defaultValue: undefined });
    this.start();
    const report = await whole;
    await this.stop();
    if (report !== undefined) return report;
    if (failure$.value instanceof Error) throw failure$.value;
    const body = 'no pass was completed';
    throw new LiveKitRESTError('', { kind: 'unavailable', retryable: true, body }, 'list rooms');
  }
}

/** Whether retrying is pointless for a sweeper that has not listed yet: wrong keys, clocks and missing packages. */
export function isFatal(error: unknown): boolean {
  if (error instanceof LiveKitRESTError) return error.kind === 'auth' || error.kind === 'clock';
  return error instanceof MissingDependencyError;
}

function isPossible(roomName: unknown): roomName is string {
  try {
    checkRoomName(roomName);
    return true;
  } catch {
    return false;
  }
}

/** Two reports as one: actions add up, of states the newest counts. */
function together(earlier: SweepReport, later: SweepReport): SweepReport {
  const known = new Map([...earlier.orphans, ...later.orphans].map((orphan) => [orphan.sid, orphan]));
  return {
    ...later,
    looked: earlier.looked + later.looked,
    failedLooks: earlier.failedLooks + later.failedLooks,
    durationMs: earlier.durationMs + later.durationMs,
    orphans: [...known.values()],
  };
}
