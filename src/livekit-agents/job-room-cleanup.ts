import {
  asyncScheduler,
  BehaviorSubject,
  filter,
  firstValueFrom,
  map,
  merge,
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
import { checkMethods } from '../lib/options.ts';
import type { LifecycleEvent } from '../processors/frame-processor-setup.ts';
import type { DeletionTrigger } from '../rooms/delete-when.ts';
import { RoomDeleter } from '../rooms/room-deleter.ts';
import type { RoomDeletionOutcome } from '../rooms/room-deletion.ts';
import type { RestCallOptions } from '../rooms/room-rest.ts';
import { absence } from './absence.ts';
import {
  type AttachedRoomCleanup,
  type AttachRoomCleanupOptions,
  checkAttachOptions,
} from './attach-options.ts';
import { roomConnected, sessionBegins } from './job-begins.ts';
import type { AgentJobContext, AgentSessionEvents, JobRoom } from './job-context.ts';
import { type JobEndFrame, type JobProcess, processEnds, roomLeft, sessionEnds } from './job-ends.ts';
import { jobLifecycle } from './job-lifecycle.ts';
import { assignedRoom, isFakeJob, jobRest, jobRoomName } from './job-room.ts';

/** Watches everything that can end one job, and has its room deleted once. */
export class JobRoomCleanup implements AttachedRoomCleanup {
  readonly #ctx: AgentJobContext | undefined;
  readonly #isFake: boolean;
  readonly #deleter: RoomDeleter;
  readonly #logger: Logger;
  readonly #process: JobProcess;
  readonly #begin = new Subject<unknown>();
  readonly #end = new Subject<JobEndFrame>();
  readonly #left: BehaviorSubject<boolean>;
  readonly #lifecycle = new ReplaySubject<LifecycleEvent>(1);
  readonly lifecycle$: Observable<LifecycleEvent> = this.#lifecycle.asObservable();
  readonly #subscriptions = new Subscription();
  readonly #processWatch = new Subscription();

  /** @param jobProcess For tests. */
  constructor(
    ctx: AgentJobContext | undefined,
    options: AttachRoomCleanupOptions,
    jobProcess: JobProcess = process,
  ) {
    checkAttachOptions(options);
    if (ctx !== undefined) checkMethods('ctx', ctx, ['addShutdownCallback', 'shutdown']);
    const { logger = stderrLogger } = options;
    this.#ctx = ctx;
    this.#isFake = isFakeJob(ctx);
    this.#logger = safeLogger(logger);
    this.#process = jobProcess;
    this.#deleter = jobDeleter(ctx, options);
    // a session without a job has nobody who would leave the room first
    this.#left = new BehaviorSubject(ctx === undefined || this.#isFake);
    this.#watchLifecycle(options);
    if (!this.#isFake) this.#armDeleter();
    if (ctx !== undefined) this.#watchJob(ctx, options);
  }

  get outcome$(): Observable<RoomDeletionOutcome> {
    return this.#deleter.outcome$;
  }

  deleteRoom(trigger: DeletionTrigger = 'manual', options?: RestCallOptions): Promise<RoomDeletionOutcome> {
    return this.#deleter.deleteRoom(trigger, options);
  }

  watchSession(session: AgentSessionEvents): void {
    checkMethods('session', session, ['on', 'off']);
    this.#subscriptions.add(sessionBegins(session).subscribe(this.#begin));
    this.#subscriptions.add(sessionEnds(session).subscribe(this.#end));
  }

  /** A job that still loads its models may stand still for as long as that takes. */
  #armDeleter(): void {
    const deleter = this.#deleter;
    deleter.prepare({ guardian: true });
    this.#begin
      .pipe(take(1), takeUntil(deleter.outcome$))
      .subscribe(() => void deleter.arm({ guardian: true }));
  }

  #watchLifecycle({ leaveTimeoutMs = 2_000, scheduler = asyncScheduler }: AttachRoomCleanupOptions): void {
    const deleter = this.#deleter;
    const deletable$ = this.lifecycle$.pipe(
      filter(({ phase, frame }) => phase === (frame.frameRole === 'cancel' ? 'entered' : 'completed')),
      map(({ frame }) => frame),
    );
    deleteRoomOnEnd(deletable$, (trigger) => deleter.deleteRoom(trigger)).subscribe();
    this.lifecycle$.subscribe(({ phase, frame }) => {
      if (phase === 'entered' && frame.frameRole !== 'start') this.#askJobToEnd(frame as JobEndFrame);
    });
    deleter.outcome$.subscribe(({ status }) => {
      if (status === 'deleted' || status === 'already-gone') this.#end.next(new EndFrame('room deleted'));
    });
    merge(this.lifecycle$, deleter.outcome$).subscribe({ complete: () => this.#subscriptions.unsubscribe() });
    jobLifecycle({ end$: this.#end, left$: this.#left, leaveTimeoutMs, scheduler }).subscribe(
      this.#lifecycle,
    );
  }

  #watchJob(ctx: AgentJobContext, options: AttachRoomCleanupOptions): void {
    ctx.addShutdownCallback(async () => {
      this.#hasLeft(new EndFrame('job shutdown'));
      await firstValueFrom(this.outcome$);
    });
    if (this.#isFake) return;
    const connected$ = roomConnected(ctx.room);
    this.#subscriptions.add(connected$.subscribe(this.#begin));
    this.#subscriptions.add(connected$.subscribe(() => this.#learnWhoTheBotIs(ctx.room)));
    const left = roomLeft(ctx.room).subscribe(({ deleted, succeeded }) => {
      if (deleted) this.#deleter.roomIsGone('end');
      if (succeeded) this.#deleter.keepRoom('DUPLICATE_IDENTITY');
      this.#hasLeft(new EndFrame(deleted ? 'room deleted' : 'disconnected'));
    });
    this.#subscriptions.add(left);
    this.#subscriptions.add(this.#processWatch);
    this.#processWatch.add(
      processEnds(this.#process).subscribe(({ frame, uncaught }) => {
        this.#end.next(frame);
        if (uncaught) void this.#exitAfterDeletion(frame);
      }),
    );
    this.#watchAbsence(ctx, options);
  }

  #learnWhoTheBotIs({ localParticipant }: JobRoom): void {
    if (localParticipant?.sid) this.#deleter.participantIs(localParticipant.sid);
  }

  #watchAbsence(ctx: AgentJobContext, options: AttachRoomCleanupOptions): void {
    const { absenceGraceMs: graceMs, participantIdentity, scheduler = asyncScheduler } = options;
    if (graceMs === undefined) return;
    const absent$ = absence(ctx.room, { participantIdentity, graceMs, scheduler });
    this.#subscriptions.add(absent$.subscribe(() => this.#end.next(new EndFrame('participant absent'))));
  }

  #hasLeft(frame: EndFrame): void {
    this.#left.next(true);
    this.#end.next(frame);
  }

  /** So that the bot leaves first, and its job does not stay behind in a room without a session. */
  #askJobToEnd({ reason }: JobEndFrame): void {
    if (this.#left.value || this.#ctx === undefined) return;
    try {
      this.#ctx.shutdown(reason);
    } catch (error) {
      this.#logger.warn({ error }, 'the job could not be asked to end');
    }
  }

  /** What Node does after an uncaught exception, unless somebody else has a say in it. */
  async #exitAfterDeletion({ metadata: { error } }: CancelFrame): Promise<void> {
    const stack = error instanceof Error ? error.stack : undefined;
    this.#logger.error({ error, stack }, 'uncaught exception in the job: its room is deleted');
    await this.#deleter.deleteRoom('exit');
    this.#processWatch.unsubscribe();
    if (this.#process.listenerCount('uncaughtException') === 0) this.#process.exit(1);
  }
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
