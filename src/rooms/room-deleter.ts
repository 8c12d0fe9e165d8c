import {
  BehaviorSubject,
  defer,
  firstValueFrom,
  type Observable,
  ReplaySubject,
  Subject,
  timeout,
} from 'rxjs';
import { SafeEventEmitter } from '../lib/emitter.ts';
import type { LiveKitRESTErrorKind } from '../lib/errors.ts';
import { type Logger, safeLogger } from '../lib/logger.ts';
import { reportRoomMayRemain } from '../lib/process-exit.ts';
import { findRoom } from './delete-attempt.ts';
import type { DeletionTrigger } from './delete-when.ts';
import { asRestError } from './foreign-error.ts';
import { type DeleterPlan, deletionPlan, type RoomDeleterOptions } from './room-deleter-options.ts';
import { mayRemain, type NeverJoined, type RoomDeletionOutcome, runDeletion } from './room-deletion.ts';
import { type KnownRoom, RoomGuard, type SettledNews } from './room-guard.ts';
import { isKnown, type RoomIdentity } from './room-identity.ts';
import type { RestCallOptions } from './room-rest.ts';
import { runOnce } from './run-once.ts';
import type { RoomReappearance } from './verify-deletion.ts';
import { waitIdly } from './wait-idly.ts';

/** When it is asked again which room it is, as long as LiveKit does not list it: after each of these waits. */
const learnAgainMs = [1_000, 5_000, 14_000];

export interface GuardianDefault {
  /** Whether there is to be a guardian where the options do not say. Default false. */
  readonly guardian?: boolean;
}

export interface RoomDeleterEvents {
  /** Also for a room that was gone already. */
  roomDeleted: (outcome: RoomDeletionOutcome) => void;
  roomKept: (outcome: RoomDeletionOutcome) => void;
  /** Also when a guardian has taken over. */
  roomDeleteFailed: (outcome: RoomDeletionOutcome) => void;
  /** After its deletion: somebody brought the room back, and it was deleted again. */
  roomReappeared: (reappearance: RoomReappearance) => void;
}

/**
 * Deletes one room once, however many ask for it, and tells everybody the same outcome.
 *
 * Retries what may get better, gives up at the deadline, and never rejects: its callers are often about to
 * exit. A room that was gone already counts as success. A failure is logged as an error, and makes the exit code of the
 * process 3 where it would be 0.
 *
 * @throws {InvalidOptionError} An option can never work; nothing has been sent then.
 */
export class RoomDeleter extends SafeEventEmitter<RoomDeleterEvents> implements AsyncDisposable {
  readonly #plan: DeleterPlan;
  readonly #guard: RoomGuard;
  readonly #orders = new Subject<DeletionTrigger>();
  readonly #aborted = new ReplaySubject<void>(1);
  readonly #needless = new BehaviorSubject<'gone' | 'kept' | undefined>(undefined);
  #room: RoomIdentity;
  #ownSid: string | undefined;
  #keepReason: string | undefined;
  #neverJoined: NeverJoined | undefined;
  #isOver = false;
  /** Replays its one value, then completes; never errors. */
  readonly outcome$: Observable<RoomDeletionOutcome>;

  constructor(options: RoomDeleterOptions) {
    super();
    const plan = deletionPlan(options);
    this.#plan = { ...plan, logger: safeLogger(plan.logger) };
    this.#room = plan.room;
    this.#guard = new RoomGuard(this.#plan, {
      onReappeared: (reappearance) => this.#tellReappearance(reappearance),
      onSettled: (news) => this.#guardianSettled(news),
    });
    const events = {
      needless: this.#needless,
      aborted$: this.#aborted.asObservable(),
      canHandOver: () => this.#guard.armed,
    };
    this.outcome$ = runOnce(this.#orders, (trigger) =>
      runDeletion({ ...this.#plan, ...this.#known, neverJoined: this.#neverJoined }, trigger, events),
    );
    this.outcome$.subscribe((outcome) => {
      this.#isOver = true;
      if (mayRemain(outcome)) reportRoomMayRemain();
      // first: whoever is told may end the process
      // of a room that never was nothing can come back
      const neverWas = this.#neverJoined !== undefined && outcome.attempts === 0;
      if (neverWas) this.#guard.forget();
      else this.#guard.settle(outcome, this.#known);
      this.#tell(outcome);
    });
  }

  get roomName(): string {
    return this.#plan.roomName;
  }

  /** How long a deletion takes at most, in milliseconds. */
  get deadlineMs(): number {
    return this.#plan.deadlineMs;
  }

  protected override get logger(): Logger {
    return this.#plan.logger;
  }

  /**
   * Deletes the room, or joins the deletion that was ordered before.
   *
   * @param signal Ends the waiting of everybody at once: what is not done by then has failed.
   * @returns The one outcome; never rejects.
   */
  async deleteRoom(trigger: DeletionTrigger, { signal }: RestCallOptions = {}): Promise<RoomDeletionOutcome> {
    const abort = (): void => this.#aborted.next();
    if (signal?.aborted) abort();
    signal?.addEventListener('abort', abort);
    this.#orders.next(trigger);
    const outcome = await firstValueFrom(this.outcome$);
    signal?.removeEventListener('abort', abort);
    return outcome;
  }

  /**
   * To be called when the server has said that the room is deleted: nothing needs to be sent any more.
   *
   * A deletion under way ends with the answer to its present attempt.
   */
  roomIsGone(trigger: DeletionTrigger): void {
    this.#needless.next('gone');
    this.#orders.next(trigger);
  }

  /**
   * To be called by a bot that has a successor in its room, such as one that was put out because another participant
   * joined with its identity: the outcome is `kept`, and a guardian leaves the room alone.
   *
   * A deletion under way ends with the answer to its present attempt; after the outcome it does nothing.
   *
   * @param reason For the log.
   */
  keepRoom(reason: string): void {
    this.#keepReason = reason;
    this.#needless.next('kept');
    this.#orders.next('exit');
  }

  /**
   * To be called when it is certain that the bot was never in the room, and will not be: a deletion then looks first
   * whether there is one. Where there is none, or nobody can tell and the name is new, the outcome is `already-gone`
   * without an attempt, and no guardian stays.
   */
  neverJoined(bot: NeverJoined): void {
    this.#neverJoined = bot;
  }

  /**
   * To be called by who is inside: which room it is, where others may use its name. From now on no other room of
   * that name is deleted.
   */
  roomIs(identity: Omit<RoomIdentity, 'owned'>): void {
    if (isKnown(this.#plan.room) || this.#room.owned) return;
    this.#room = { ...identity, owned: false };
    this.#guard.update(this.#known);
  }

  /**
   * To be called by who is inside, and again after a reconnect: which participant the bot itself is, for
   * `deleteWhen`. From now on one with the bot's identity and another sid is its successor, and counts.
   *
   * @param sid Of the participant, such as `PA_…`.
   */
  participantIs(sid: string): void {
    this.#ownSid = sid;
    this.#guard.update(this.#known);
  }

  /**
   * To be called before a room is joined, if then it takes a while until the conversation begins: has the
   * guardian, if there is to be one, watch for the end of this process. That it stands still, as it may while it
   * loads models, counts from `arm()` on.
   */
  prepare({ guardian = false }: GuardianDefault = {}): void {
    this.#guard.arm(this.#known, guardian, false);
  }

  /**
   * To be called when the conversation begins: warms up, has the guardian watch the room if there is to be one,
   * and learns which room it is where others may use the name; a room that is not listed yet, or of which LiveKit
   * does not answer, is asked for again during the next 20 s. A second call does nothing new.
   *
   * @returns Resolves within the deadline; never rejects.
   */
  async arm({ guardian = false }: GuardianDefault = {}): Promise<void> {
    this.#guard.arm(this.#known, guardian, true);
    await this.warmUp();
    await this.#learnIdentity();
    if (this.#canLearn) void this.#learnLater();
  }

  /**
   * Opens the connection and proves the credentials, so that the deletion is fast and a wrong secret is known
   * at the start of a call, not at its end.
   *
   * @returns Resolves within the deadline; what went wrong is logged, never thrown.
   */
  async warmUp(): Promise<void> {
    const { roomName, rest, deadlineMs, scheduler } = this.#plan;
    const warm$ = defer(async () => rest.warmUp?.()).pipe(timeout({ first: deadlineMs, scheduler }));
    await firstValueFrom(warm$).catch((thrown: unknown) => {
      const error = asRestError(roomName, thrown);
      const fields = { roomName, kind: error.kind, status: error.status, error, ...hint(error.kind) };
      if (error.retryable) this.logger.warn(fields, 'LiveKit did not answer the first request');
      else this.logger.error(fields, 'LiveKit refuses requests; the room cannot be deleted later');
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.deleteRoom('exit');
  }

  get #known(): KnownRoom {
    return { room: this.#room, ownIdentity: this.#plan.ownIdentity, ownSid: this.#ownSid };
  }

  get #canLearn(): boolean {
    return (
      !this.#isOver && !this.#room.owned && !isKnown(this.#room) && this.#plan.rest.listRooms !== undefined
    );
  }

  async #learnLater(): Promise<void> {
    for (const waitMs of learnAgainMs) {
      await waitIdly(waitMs, this.#plan.scheduler);
      await this.#learnIdentity();
    }
  }

  /** Of a room whose name others may use: a later room of that name is none of our business. */
  async #learnIdentity(): Promise<void> {
    const { roomName, rest, deadlineMs, scheduler } = this.#plan;
    if (!this.#canLearn) return;
    const listed$ = defer(() => findRoom(rest, roomName, {})).pipe(timeout({ first: deadlineMs, scheduler }));
    const listed = await firstValueFrom(listed$).catch(() => undefined);
    if (typeof listed !== 'object' || !this.#canLearn) return;
    const { sid, creationTimeMs } = listed;
    this.#room = { owned: false, sid, creationTimeMs };
    this.#guard.update(this.#known);
  }

  #guardianSettled({ status, cause }: SettledNews): void {
    const { roomName } = this;
    if (status === 'failed') {
      this.logger.error({ roomName }, 'the guardian could not delete the room either; it may remain');
    } else if (cause === 'stuck') {
      this.logger.error(
        { roomName, status },
        'the event loop was stuck, and the guardian has seen to the room',
      );
      if (status !== 'kept') this.roomIsGone('exit');
    } else {
      this.logger.info({ roomName, status }, 'the guardian has seen to the room');
    }
  }

  #tellReappearance(reappearance: RoomReappearance): void {
    const again = reappearance.status === 'deleted-again';
    this.logger.warn(
      reappearance,
      again ? 'the room came back, and was deleted again' : 'the room came back, and cannot be deleted yet',
    );
    this.emit('roomReappeared', reappearance);
  }

  #tell(outcome: RoomDeletionOutcome): void {
    const { status, error } = outcome;
    if (mayRemain(outcome)) {
      const fields = { ...outcome, kind: error?.kind, ...hint(error?.kind) };
      if (status === 'failed') this.logger.error(fields, 'the room could not be deleted and may remain');
      else this.logger.warn(fields, 'the room could not be deleted in time; the guardian goes on trying');
      this.emit('roomDeleteFailed', outcome);
    } else {
      const reason = this.#keepReason;
      if (status === 'kept' && reason !== undefined) {
        this.logger.warn({ ...outcome, reason }, 'the room is kept');
      } else {
        this.logger.info(outcome, status === 'kept' ? 'the room is kept' : 'the room is gone');
      }
      this.emit(status === 'kept' ? 'roomKept' : 'roomDeleted', outcome);
    }
  }
}

/** What to look at, for failures that somebody has to repair. */
function hint(kind: LiveKitRESTErrorKind | undefined): { readonly hint?: string } {
  if (kind === 'auth')
    return { hint: 'check the API key and secret, and what proxies in between let through' };
  if (kind === 'clock') return { hint: 'check the clocks of this machine and of the server' };
  if (kind === 'bad_response') return { hint: 'check that apiUrl is the address of a LiveKit server' };
  return {};
}
