/** Deletes the room of a LiveKit Agents job when the job is over; by default the room and the server of the job. */

import {
  BehaviorSubject,
  EMPTY,
  filter,
  firstValueFrom,
  map,
  merge,
  mergeMap,
  type Observable,
  ReplaySubject,
  Subject,
  Subscription,
  take,
  takeUntil,
} from 'rxjs';
import { deleteRoomOnEnd } from '../cleanup/delete-room-on-end.ts';
import { type CancelFrame, EndFrame } from '../frames/lifecycle.ts';
import { type Logger, safeLogger, stderrLogger } from '../lib/logger.ts';
import { checkDurationMs, checkLogger, checkMethods, checkText } from '../lib/options.ts';
import type { LifecycleEvent } from '../processors/frame-processor-setup.ts';
import type { RoomDeletionOutcome } from '../rooms/delete-room.ts';
import type { DeletionTrigger } from '../rooms/delete-when.ts';
import { LiveKitRESTHelper } from '../rooms/rest/livekit-rest-helper.ts';
import type { RestCallOptions, RoomRest } from '../rooms/rest/room-rest.ts';
import { givenOrEnv } from '../rooms/rest/server-url.ts';
import { RoomDeleter } from '../rooms/room-deleter.ts';
import type { RoomDeleterOptions } from '../rooms/room-deleter-options.ts';
import type { RoomIdentity } from '../rooms/room-identity.ts';
import { isGeneratedRoomName } from '../rooms/room-name.ts';
import type { AgentJobContext, AgentSessionEvents } from './job-context.ts';
import {
  type JobEnd,
  type JobEndFrame,
  type JobProcess,
  jobLifecycle,
  roomConnected,
  roomEnds,
  sessionEnds,
  sessionStarts,
  uncaughtExceptions,
  workerEnds,
} from './job-events.ts';

/** Options of {@link attachRoomCleanup}; those of `RoomDeleter` fit as well. */
export interface AttachRoomCleanupOptions
  extends JobRoomOptions,
    Omit<RoomDeleterOptions, 'roomName' | 'rest' | 'ownIdentity'> {
  /**
   * How long the bot may take to leave after the session has closed, in milliseconds; then the room is deleted
   * with the bot inside. Default 2,000.
   */
  readonly leaveTimeoutMs?: number | undefined;
  /**
   * Ends the job when the participant the session talks to has been out of the room for this long, in milliseconds,
   * for any reason. Default: never; the session itself ends when they hang up.
   */
  readonly absenceGraceMs?: number | undefined;
  /**
   * The participant of `absenceGraceMs`. Default: the first person in the room; needed where several may be there
   * before the bot.
   */
  readonly participantIdentity?: string | undefined;
}

/** The cleanup attached to a job. */
export interface AttachedRoomCleanup {
  /** StartFrame, then the frame that ended the job: a late subscriber gets the latest; completes, never errors. */
  readonly lifecycle$: Observable<LifecycleEvent>;
  /** Replays its one value, then completes; never errors. Console mode: `kept`. */
  readonly outcome$: Observable<RoomDeletionOutcome>;
  /** Deletes the room now, or joins the deletion under way; never rejects. */
  deleteRoom(trigger?: DeletionTrigger, options?: RestCallOptions): Promise<RoomDeletionOutcome>;
  /** Ends the job when this session closes, for a session made after attaching. */
  watchSession(session: AgentSessionEvents): void;
}

/**
 * Deletes the room of a LiveKit Agents job at every end of the job. To be called first in the entry function.
 *
 * The session closes: the job is shut down, and the room is deleted once the bot has left it; at once for a session
 * that failed. `ctx.shutdown()`, an entry function that throws, a session that never started: deleted by a shutdown
 * callback that never rejects. An uncaught exception, a worker that is gone: at once. A room that is deleted or gone
 * already is a success: `deleteRoomOnClose` and the end-call tool may stay on. Console mode: nothing is deleted.
 *
 * @example
 * const session = new voice.AgentSession({ … });
 * attachRoomCleanup(ctx, session);
 *
 * @param ctx The job's context; `undefined` for a session without a job, with everything in `options`.
 * @param session Its close event ends the job. Later: `watchSession()`.
 * @throws {InvalidOptionError} Room, URL, key or secret are unknown, or an option is invalid.
 */
export function attachRoomCleanup(
  ctx: AgentJobContext | undefined,
  session?: AgentSessionEvents,
  options: AttachRoomCleanupOptions = {},
): AttachedRoomCleanup {
  if (session !== undefined) checkMethods('session', session, ['on', 'off']);
  const cleanup = new JobRoomCleanup(ctx, options);
  if (session !== undefined) cleanup.watchSession(session);
  return cleanup;
}

/** Subscribes to everything that can end one job, and deletes its room once. */
export class JobRoomCleanup implements AttachedRoomCleanup {
  readonly #ctx: AgentJobContext | undefined;
  readonly #deleter: RoomDeleter;
  readonly #logger: Logger;
  readonly #process: JobProcess;
  readonly #sessions = new Subject<AgentSessionEvents>();
  readonly #end = new Subject<JobEndFrame>();
  readonly #left: BehaviorSubject<boolean>;
  readonly #lifecycle = new ReplaySubject<LifecycleEvent>(1);
  readonly lifecycle$: Observable<LifecycleEvent> = this.#lifecycle.asObservable();
  readonly #subscriptions = new Subscription();
  readonly #uncaught = new Subscription();

  /** @param jobProcess For tests. Default: Node's `process`. */
  constructor(
    ctx: AgentJobContext | undefined,
    options: AttachRoomCleanupOptions,
    jobProcess: JobProcess = process,
  ) {
    checkAttachOptions(options);
    if (ctx !== undefined) checkMethods('ctx', ctx, ['addShutdownCallback', 'shutdown']);
    const { logger = stderrLogger } = options;
    this.#ctx = ctx;
    this.#logger = safeLogger(logger);
    this.#process = jobProcess;
    this.#deleter = jobDeleter(ctx, options);
    const isFake = isFakeJob(ctx);
    const job = isFake ? undefined : ctx;
    // without a job there is no bot to wait for
    this.#left = new BehaviorSubject(job === undefined);
    this.#startLifecycle(options);
    const connected$ = job === undefined ? EMPTY : roomConnected(job.room);
    if (!isFake) this.#armDeleter(connected$);
    const ends$ = merge(
      this.#sessions.pipe(mergeMap(sessionEnds)),
      job === undefined ? EMPTY : jobEnds(job, options, jobProcess),
    );
    this.#subscriptions.add(ends$.subscribe((end) => this.#onEnd(end)));
    if (job !== undefined) this.#watchJob(job, connected$);
    ctx?.addShutdownCallback(async () => {
      this.#onEnd({ frame: new EndFrame('job shutdown'), left: 'left' });
      await firstValueFrom(this.outcome$);
    });
  }

  get outcome$(): Observable<RoomDeletionOutcome> {
    return this.#deleter.outcome$;
  }

  deleteRoom(trigger: DeletionTrigger = 'manual', options?: RestCallOptions): Promise<RoomDeletionOutcome> {
    return this.#deleter.deleteRoom(trigger, options);
  }

  watchSession(session: AgentSessionEvents): void {
    checkMethods('session', session, ['on', 'off']);
    this.#sessions.next(session);
  }

  #startLifecycle({ leaveTimeoutMs = 2_000 }: AttachRoomCleanupOptions): void {
    const deleter = this.#deleter;
    const deletable$ = this.lifecycle$.pipe(
      filter(({ phase, frame }) => phase === (frame.frameRole === 'cancel' ? 'entered' : 'completed')),
      map(({ frame }) => frame),
    );
    deleteRoomOnEnd(deletable$, (trigger) => deleter.deleteRoom(trigger)).subscribe();
    this.lifecycle$.subscribe(({ phase, frame }) => {
      if (phase === 'entered' && frame.frameRole !== 'start') this.#shutDownJob(frame as JobEndFrame);
    });
    deleter.outcome$.subscribe(({ status }) => {
      if (status === 'deleted' || status === 'already-gone') this.#end.next(new EndFrame('room deleted'));
    });
    merge(this.lifecycle$, deleter.outcome$).subscribe({ complete: () => this.#subscriptions.unsubscribe() });
    jobLifecycle({ end$: this.#end, left$: this.#left, leaveTimeoutMs }).subscribe(this.#lifecycle);
  }

  /** The heartbeat starts with the session or the connection: a job that loads its models may block its event loop. */
  #armDeleter(connected$: Observable<unknown>): void {
    const deleter = this.#deleter;
    deleter.watchProcess({ guardian: true });
    const started$ = merge(this.#sessions.pipe(mergeMap(sessionStarts)), connected$);
    const arm = started$
      .pipe(take(1), takeUntil(deleter.outcome$))
      .subscribe(() => void deleter.arm({ guardian: true }));
    this.#subscriptions.add(arm);
  }

  /** To be called after the deleter is armed, as the room may be connected already. */
  #watchJob(ctx: AgentJobContext, connected$: Observable<unknown>): void {
    const updateParticipant = (): void => {
      const { sid } = ctx.room.localParticipant ?? {};
      if (sid) this.#deleter.participantIs(sid);
    };
    this.#subscriptions.add(connected$.subscribe(updateParticipant));
    const uncaught = uncaughtExceptions(this.#process).subscribe((frame) => {
      this.#onEnd({ frame });
      void this.#exitAfterDeletion(frame);
    });
    this.#uncaught.add(uncaught);
    this.#subscriptions.add(this.#uncaught);
  }

  #onEnd({ frame, left }: JobEnd): void {
    if (left === 'room-deleted') this.#deleter.markDeleted('end');
    if (left === 'duplicate-identity') this.#deleter.keepRoom('DUPLICATE_IDENTITY');
    if (left !== undefined) this.#left.next(true);
    this.#end.next(frame);
  }

  /** The bot leaves before the deletion, so that its job does not stay in a room without a session. */
  #shutDownJob({ reason }: JobEndFrame): void {
    if (this.#left.value || this.#ctx === undefined) return;
    try {
      this.#ctx.shutdown(reason);
    } catch (error) {
      this.#logger.warn({ error }, 'the job could not be shut down');
    }
  }

  /** Exits with code 1, as Node does after an uncaught exception, unless there is another listener for them. */
  async #exitAfterDeletion({ metadata: { error } }: CancelFrame): Promise<void> {
    const stack = error instanceof Error ? error.stack : undefined;
    this.#logger.error({ error, stack }, 'uncaught exception in the job: its room is deleted');
    await this.#deleter.deleteRoom('exit');
    this.#uncaught.unsubscribe();
    if (this.#process.listenerCount('uncaughtException') === 0) this.#process.exit(1);
  }
}

/** @throws {InvalidOptionError} An option that only jobs have is invalid. */
function checkAttachOptions(options: AttachRoomCleanupOptions): void {
  const { leaveTimeoutMs, absenceGraceMs, participantIdentity, logger } = options;
  if (leaveTimeoutMs !== undefined) checkDurationMs('leaveTimeoutMs', leaveTimeoutMs);
  if (absenceGraceMs !== undefined) checkDurationMs('absenceGraceMs', absenceGraceMs);
  if (participantIdentity !== undefined) checkText('participantIdentity', participantIdentity);
  if (logger !== undefined) checkLogger('logger', logger);
}

/** Everything besides sessions that ends a job in an orderly or disorderly way. */
function jobEnds(
  ctx: AgentJobContext,
  { absenceGraceMs: graceMs, participantIdentity }: AttachRoomCleanupOptions,
  jobProcess: JobProcess,
): Observable<JobEnd> {
  const absent = graceMs === undefined ? undefined : { graceMs, participantIdentity };
  return merge(roomEnds(ctx.room, absent), workerEnds(jobProcess));
}

function jobDeleter(ctx: AgentJobContext | undefined, options: AttachRoomCleanupOptions): RoomDeleter {
  const roomName = jobRoomName(ctx, options);
  return new RoomDeleter({
    ...options,
    roomName,
    rest: jobRest(ctx, options),
    room: options.room ?? assignedRoom(ctx, roomName),
    deleteWhen: isFakeJob(ctx) ? 'never' : options.deleteWhen,
    ownIdentity: ctx?.info.acceptArguments?.identity || undefined,
  });
}

/** The room and the LiveKit server; by default the job's. */
export interface JobRoomOptions {
  /** The room. Default: the one that the job was assigned to. */
  readonly roomName?: string | undefined;
  /** The server's. Default: the worker's, else `LIVEKIT_URL`. */
  readonly url?: string | undefined;
  /** LiveKit's API key. Default: the worker's, else `LIVEKIT_API_KEY`. */
  readonly apiKey?: string | undefined;
  /** LiveKit's API secret. Default: the worker's, else `LIVEKIT_API_SECRET`. */
  readonly apiSecret?: string | undefined;
  /** Instead of URL, key and secret. */
  readonly rest?: RoomRest | undefined;
}

/** For console mode, which has no room and no server; never called. */
const noRest: RoomRest = { deleteRoomByName: async () => true };

/** True in console mode. */
export function isFakeJob(ctx: AgentJobContext | undefined): boolean {
  return ctx?.isFakeJob ?? ctx?.info.fakeJob ?? false;
}

/** The room's name; empty where it is unknown. */
export function jobRoomName(ctx: AgentJobContext | undefined, { roomName }: JobRoomOptions): string {
  // the assigned room is known before the bot has connected; protobuf's default is an empty name
  const name = roomName ?? (ctx?.job.room?.name || ctx?.room.name);
  return name || (isFakeJob(ctx) ? 'console' : '');
}

/** The assigned room, not a later one of its name; `undefined` where the deleter has to look it up. */
export function assignedRoom(ctx: AgentJobContext | undefined, roomName: string): RoomIdentity | undefined {
  const { name, sid } = ctx?.job.room ?? {};
  const isAssigned = name === roomName && sid !== undefined && sid !== '';
  return isAssigned ? { owned: isGeneratedRoomName(roomName), sid } : undefined;
}

/** @throws {InvalidOptionError} URL, key or secret are missing or invalid. */
export function jobRest(ctx: AgentJobContext | undefined, options: JobRoomOptions): RoomRest {
  if (isFakeJob(ctx)) return noRest;
  if (options.rest !== undefined) return options.rest;
  const { url, apiKey, apiSecret } = ctx?.info ?? {};
  return new LiveKitRESTHelper({
    apiUrl: givenOrEnv('apiUrl', options.url ?? (url || undefined), 'LIVEKIT_URL'),
    apiKey: givenOrEnv('apiKey', options.apiKey ?? (apiKey || undefined), 'LIVEKIT_API_KEY'),
    apiSecret: givenOrEnv('apiSecret', options.apiSecret ?? (apiSecret || undefined), 'LIVEKIT_API_SECRET'),
  });
}
