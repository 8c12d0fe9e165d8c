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
import { LiveKitRESTError } from '../errors.ts';
import type { Logger } from '../logger.ts';
import { longestTimerMs } from '../option-checks.ts';
import { checkRoomName } from '../rooms/room-name.ts';
import { SafeEventEmitter } from '../safe-event-emitter.ts';
import { isHopeless } from './is-hopeless.ts';
import { RoomSweep } from './room-sweep.ts';
import type { SweepReport } from './sweep-report.ts';
import type { SweeperEvents } from './sweeper-events.ts';
import { type SweeperOptions, type SweeperPlan, sweeperPlan } from './sweeper-options.ts';

/**
 * Deletes rooms whose bot died without cleaning up, from another process than the bot's.
 *
 * LiveKit is the truth: nothing has to be stored, and a sweeper that starts again is at most late. It acts on
 * what it has observed itself, for long enough, on its own clock; after any gap it observes anew.
 *
 * Between its last look and a deletion lies one request: a bot that comes back in exactly that time loses its
 * room. Give each session a room name of its own, as generated names are, and it cannot happen.
 *
 * @throws {InvalidOptionError} An option can never work; an empty `prefix` is refused.
 */
export class Sweeper extends SafeEventEmitter<SweeperEvents> implements AsyncDisposable {
  readonly #plan: SweeperPlan;
  readonly #reports = new Subject<SweepReport>();
  /** One value for each pass; completes with `stop()`, never errors. */
  readonly report$: Observable<SweepReport> = this.#reports.asObservable();
  #started = false;

  constructor(options: SweeperOptions) {
    super();
    this.#plan = sweeperPlan(options);
  }

  protected override get logger(): Logger {
    return this.#plan.logger;
  }

  /** Sweeps until `stop()`; the first pass begins at once. Does nothing the second time, nor after `stop()`. */
  start(): void {
    if (this.#started) return;
    this.#started = true;
    const onReport = (report: SweepReport): void => {
      this.#reports.next(report);
      this.emit('swept', report);
    };
    this.#plan.engine.start(new RoomSweep(this.#plan, this, onReport));
  }

  /** Begins nothing new, and lets deletions that have begun come to their end. */
  async stop(): Promise<void> {
    this.#started = true;
    await this.#plan.engine.stop();
    this.#reports.complete();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  /**
   * Looks at these rooms now instead of in their turn: for webhooks and other hints, which may be wrong.
   *
   * Returns at once; a hint changes when it looks, never what it decides. Names that no room can have are ignored.
   */
  lookSooner(...roomNames: readonly string[]): void {
    const ours = roomNames.filter((name) => isPossible(name) && name.startsWith(this.#plan.prefix));
    if (this.#started && ours.length > 0) this.#plan.engine.lookSooner(ours);
  }

  /**
   * Sweeps until it has made up its mind about every room, and stops: for cron jobs, with the engine in memory.
   *
   * Takes as long as a lease has to be watched, or less when every bot is seen alive.
   *
   * @returns Everything that was found and done, in one report.
   * @throws {LiveKitRESTError} LiveKit refused the first list or never answered one, or this was stopped before.
   */
  async sweepOnce(): Promise<SweepReport> {
    const { leaseTtlMs, graceMs, pollMs } = this.#plan;
    // enough to begin anew once
    const limitMs = Math.min(longestTimerMs, 2 * Math.max(leaseTtlMs, graceMs) + 5 * pollMs);
    const failure$ = new BehaviorSubject<unknown>(undefined);
    this.on('sweepFailed', (error) => failure$.next(error));
    // the first pass over many rooms may take longer than that, as long as nothing fails
    const isLate$ = timer(limitMs).pipe(
      switchMap(() => failure$.pipe(skipWhile((error) => error === undefined))),
    );
    const neverBegan$ = merge(isLate$, failure$.pipe(filter(isHopeless))).pipe(takeUntil(this.report$));
    const whole$ = this.report$.pipe(
      takeWhile(({ undecided }) => undecided > 0, true),
      takeUntil(merge(neverBegan$, this.report$.pipe(take(1), delay(limitMs)))),
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

function isPossible(roomName: unknown): roomName is string {
  try {
    checkRoomName(roomName);
    return true;
  } catch {
    return false;
  }
}

/** Two reports as one: what was done adds up, what there is is what there was last. */
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
