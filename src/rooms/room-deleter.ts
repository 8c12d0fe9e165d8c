/** `RoomDeleter`: one deletion of one room, with one outcome for all callers. */

import { AsyncSubject, firstValueFrom, type Observable } from 'rxjs';
import { SafeEventEmitter } from '../lib/emitter.ts';
import { type Logger, safeLogger } from '../lib/logger.ts';
import { reportRoomMayRemain } from '../lib/process-exit.ts';
import { type DeletionResult, deleteRoom, mayRemain, type RoomDeletionOutcome } from './delete-room.ts';
import { type DeletionTrigger, decideOnce, type NeverJoined } from './delete-when.ts';
import { errorFields } from './rest/rest-error.ts';
import type { RestCallOptions } from './rest/room-rest.ts';
import {
  type ResolvedRoomDeleterOptions,
  type RoomDeleterOptions,
  resolveRoomDeleterOptions,
} from './room-deleter-options.ts';
import { isKnown, type RoomIdentity } from './room-identity.ts';
import { RoomWatch, type RoomWatchEvents } from './room-watch.ts';
import type { RoomReappearance } from './verify-room-gone.ts';

/** Events of a {@link RoomDeleter}. */
export interface RoomDeleterEvents {
  /** Also for a room that was gone already. */
  roomDeleted: (outcome: RoomDeletionOutcome) => void;
  /** The room was not deleted, by decision. */
  roomKept: (outcome: RoomDeletionOutcome) => void;
  /** Also when a guardian has taken over. */
  roomDeleteFailed: (outcome: RoomDeletionOutcome) => void;
  /** After its deletion the room existed again, and was deleted again. */
  roomReappeared: (reappearance: RoomReappearance) => void;
}

/**
 * Deletes one room once; every caller gets the same outcome.
 *
 * Retries what may get better, gives up at the deadline, and never rejects: its callers are often about to exit. A
 * room that was gone already counts as success. A failure is logged as an error, and makes the exit code of the
 * process 3 where it would be 0.
 *
 * @example
 * const rest = LiveKitRESTHelper.fromEnv();
 * const deleter = new RoomDeleter({ roomName: 'call-42', rest });
 * deleter.on('roomDeleteFailed', ({ error }) => console.error(error));
 * const { status } = await deleter.deleteRoom('manual');
 *
 * @throws {InvalidOptionError} An option can never work; nothing has been sent then.
 */
export class RoomDeleter extends SafeEventEmitter<RoomDeleterEvents> implements AsyncDisposable {
  readonly #options: ResolvedRoomDeleterOptions;
  readonly #watch: RoomWatch;
  readonly #outcome = new AsyncSubject<RoomDeletionOutcome>();
  readonly #needless = new AbortController();
  readonly #aborted = new AbortController();
  #isStarted = false;
  #keepReason: string | undefined;
  #neverJoined: NeverJoined | undefined;
  /** Replays its one value, then completes; never errors. */
  readonly outcome$: Observable<RoomDeletionOutcome> = this.#outcome.asObservable();

  constructor(options: RoomDeleterOptions) {
    super();
    const resolved = resolveRoomDeleterOptions(options);
    this.#options = { ...resolved, logger: safeLogger(resolved.logger) };
    this.#watch = new RoomWatch(this.#options, {
      onReappeared: (reappearance) => this.#reportReappearance(reappearance),
      onSettled: (news) => this.#guardianSettled(news),
    });
  }

  get roomName(): string {
    return this.#options.roomName;
  }

  /** How long a deletion takes at most, in milliseconds. */
  get deadlineMs(): number {
    return this.#options.deadlineMs;
  }

  protected override get logger(): Logger {
    return this.#options.logger;
  }

  /**
   * Deletes the room, or joins the deletion that was ordered before.
   *
   * @param signal Ends the deletion for all callers at once; unless it is done, it has failed, or is handed over to an
   * armed guardian.
   * @returns The one outcome; never rejects.
   */
  async deleteRoom(trigger: DeletionTrigger, { signal }: RestCallOptions = {}): Promise<RoomDeletionOutcome> {
    const abort = (): void => this.#aborted.abort();
    if (signal?.aborted) abort();
    signal?.addEventListener('abort', abort);
    this.#start(trigger);
    const outcome = await firstValueFrom(this.outcome$);
    signal?.removeEventListener('abort', abort);
    return outcome;
  }

  /** The server has reported the deletion: nothing is sent any more, and a request under way is the last one. */
  markDeleted(trigger: DeletionTrigger): void {
    this.#needless.abort('gone');
    this.#start(trigger);
  }

  /**
   * For a bot with a successor in its room, such as one that was removed because another participant joined with its
   * identity: the outcome is `kept`, and the guardian releases the room. A request under way is finished first.
   * Does nothing after the outcome.
   *
   * @param reason For the log.
   */
  keepRoom(reason: string): void {
    this.#keepReason = reason;
    this.#needless.abort('kept');
    this.#start('exit');
  }

  /**
   * For a bot that was never in the room, and will not be: a deletion lists the room first. Where there is none, or
   * LiveKit cannot be reached and the name is new, the outcome is `already-gone` without an attempt.
   */
  neverJoined(bot: NeverJoined): void {
    this.#neverJoined = bot;
  }

  /** Which room the bot is in, where others may use its name: no other room of that name is deleted from now on. */
  identify(identity: Omit<RoomIdentity, 'owned'>): void {
    if (isKnown(this.#options.room) || this.#watch.known.room.owned) return;
    this.#watch.update({ room: { ...identity, owned: false } });
  }

  /**
   * The bot's own participant, for `deleteWhen`; again after a reconnect. One with the bot's identity and another sid
   * is its successor, and counts.
   *
   * @param sid Of the participant, such as `PA_…`.
   */
  participantIs(sid: string): void {
    this.#watch.update({ ownSid: sid });
  }

  /** Starts the guardian before joining. Only the end of the process counts until `arm()`; heartbeats start there. */
  watchProcess({ guardian = false }: { readonly guardian?: boolean } = {}): void {
    this.#watch.guard(guardian, false);
  }

  /**
   * To be called when the conversation begins: starts the guardian and its heartbeats, warms up, and looks up which
   * room is meant; one that is not listed yet is looked up again during the next 20 s. Idempotent.
   *
   * @param guardian Whether there is a guardian where the options leave it open. Default false.
   * @returns Resolves within the deadline; never rejects.
   */
  async arm({ guardian = false }: { readonly guardian?: boolean } = {}): Promise<void> {
    this.#watch.guard(guardian, true);
    await this.#watch.warmUp();
    await this.#watch.identify();
  }

  /**
   * Opens the connection and proves the credentials, so that the deletion is fast and a wrong secret shows at the
   * start of a call, not at its end.
   *
   * @returns Resolves within the deadline; failures are logged.
   */
  warmUp(): Promise<void> {
    return this.#watch.warmUp();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.deleteRoom('exit');
  }

  #start(trigger: DeletionTrigger): void {
    if (this.#isStarted) return;
    this.#isStarted = true;
    const { roomName, deadlineMs, logger } = this.#options;
    const query = { ...this.#options, ...this.#watch.known, trigger, neverJoined: this.#neverJoined };
    const deletion = deleteRoom({
      ...query,
      limitMs: deadlineMs,
      decide: (attempt, signal) => (attempt > 1 ? 'delete' : decideOnce({ ...query, signal })),
      needless: this.#needless.signal,
      signal: this.#aborted.signal,
      onRetry: (fields) => logger.info({ roomName, ...fields }, 'deleting the room failed; trying again'),
    });
    void deletion.then((result) => this.#settle(result, trigger));
  }

  #settle(result: DeletionResult, trigger: DeletionTrigger): void {
    const handsOver = result.error?.retryable && this.#watch.isGuarded;
    const status = handsOver ? 'handed-over' : result.status;
    const outcome = Object.freeze({ ...result, status, roomName: this.roomName, trigger });
    if (mayRemain(outcome)) reportRoomMayRemain();
    // before the listeners, which may end the process
    if (this.#neverJoined !== undefined && outcome.attempts === 0) this.#watch.release();
    else this.#watch.settle(outcome);
    this.#report(outcome);
    this.#outcome.next(outcome);
    this.#outcome.complete();
  }

  #report(outcome: RoomDeletionOutcome): void {
    const { status, error } = outcome;
    if (mayRemain(outcome)) {
      const fields = { ...outcome, ...errorFields(error) };
      if (status === 'failed') this.logger.error(fields, 'the room could not be deleted and may remain');
      else this.logger.warn(fields, 'the room could not be deleted in time; the guardian goes on trying');
      this.emit('roomDeleteFailed', outcome);
    } else if (status === 'kept') {
      const reason = this.#keepReason;
      if (reason === undefined) this.logger.info(outcome, 'the room is kept');
      else this.logger.warn({ ...outcome, reason }, 'the room is kept');
      this.emit('roomKept', outcome);
    } else {
      this.logger.info(outcome, 'the room is gone');
      this.emit('roomDeleted', outcome);
    }
  }

  #guardianSettled({ status, cause }: Parameters<RoomWatchEvents['onSettled']>[0]): void {
    const fields = { roomName: this.roomName, status };
    if (status === 'failed') {
      this.logger.error(fields, 'the guardian could not delete the room either; it may remain');
    } else if (cause === 'stuck') {
      this.logger.error(
        fields,
        `event loop blocked; the guardian ${status === 'kept' ? 'kept' : 'deleted'} the room`,
      );
      if (status !== 'kept') this.markDeleted('exit');
    } else {
      this.logger.info(fields, 'the guardian has settled the room');
    }
  }

  #reportReappearance(reappearance: RoomReappearance): void {
    const isDeleted = reappearance.status === 'deleted-again';
    const then = isDeleted ? 'and was deleted again' : 'and cannot be deleted yet';
    this.logger.warn(reappearance, `the room came back, ${then}`);
    this.emit('roomReappeared', reappearance);
  }
}
