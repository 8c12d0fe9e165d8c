/** A deleter's room while the bot is in it: identity, warm-up, guardian; and the verification after the deletion. */

import { LiveKitRESTError } from '../lib/errors.ts';
import { sleep, withAbort } from '../lib/timeout.ts';
import { isGone, type RoomDeletionOutcome } from './delete-room.ts';
import { type GuardedRoomHandle, type GuardianNews, guardian } from './guardian/guardian-client.ts';
import type { RoomToGuard } from './guardian/protocol.ts';
import { credentialsOf } from './rest/livekit-rest-helper.ts';
import { errorFields, toLiveKitRESTError } from './rest/rest-error.ts';
import { mayGetBetter } from './retry-policy.ts';
import type { ResolvedRoomDeleterOptions } from './room-deleter-options.ts';
import { findRoom, isKnown, type RoomIdentity } from './room-identity.ts';
import { type RoomReappearance, verifyRoomGone } from './verify-room-gone.ts';

/** A room that LiveKit does not list yet is looked up again after each of these waits. */
const lookUpAgainMs = [1_000, 5_000, 14_000];

/** What is known of the room and the bot's participant; grows while the bot is inside. */
export interface KnownRoom {
  /** What is known about the room's identity. */
  readonly room: RoomIdentity;
  /** The identity of the bot's participant; `undefined` where unknown. */
  readonly ownIdentity: string | undefined;
  /** The sid of the bot's participant; `undefined` where unknown. */
  readonly ownSid: string | undefined;
}

/** Callbacks of a room's watch. */
export interface RoomWatchEvents {
  /** The room exists again after its deletion. */
  readonly onReappeared: (reappearance: RoomReappearance) => void;
  /** The guardian has deleted or kept the room, or failed to delete it. */
  readonly onSettled: (news: Extract<GuardianNews, { type: 'settled' }>) => void;
}

/** Watches one room until the outcome of its deletion. */
export class RoomWatch {
  readonly #options: ResolvedRoomDeleterOptions;
  readonly #events: RoomWatchEvents;
  #known: KnownRoom;
  #handle: GuardedRoomHandle | undefined;
  /** Whether a silent event loop counts, or only the end of the process. */
  #heartbeats = false;
  /** The guardian is armed, or cannot be. */
  #guardianDecided = false;
  #isOver = false;

  constructor(options: ResolvedRoomDeleterOptions, events: RoomWatchEvents) {
    this.#options = options;
    this.#events = events;
    this.#known = { room: options.room, ownIdentity: options.ownIdentity, ownSid: undefined };
  }

  /** What is known about the room and the bot's participant. */
  get known(): KnownRoom {
    return this.#known;
  }

  /** Whether a guardian goes on where this process stops. */
  get isGuarded(): boolean {
    return this.#handle?.armed ?? false;
  }

  /** Adds to what is known. */
  update(known: Partial<KnownRoom>): void {
    this.#known = { ...this.#known, ...known };
    const guarded = this.#guarded();
    if (guarded !== undefined) this.#handle?.update(guarded);
  }

  /**
   * Starts the guardian, if one is wanted and has all it needs; once.
   *
   * @param byDefault Whether one is wanted where the options leave it open.
   * @param heartbeats Whether a silent event loop counts from now on.
   */
  guard(byDefault: boolean, heartbeats: boolean): void {
    const { guardian: wanted = byDefault, rest, logger, roomName } = this.#options;
    if (heartbeats && !this.#heartbeats) {
      this.#heartbeats = true;
      this.update({});
    }
    if (!wanted || this.#guardianDecided || this.#isOver) return;
    this.#guardianDecided = true;
    const guarded = this.#guarded();
    if (guarded !== undefined) {
      this.#handle = guardian.watch(guarded, { logger, onNews: (news) => this.#receive(news) });
    } else if (this.#options.guardian && credentialsOf(rest) === undefined) {
      logger.warn({ roomName }, 'no guardian: it needs a LiveKitRESTHelper as rest');
    }
  }

  /** Opens the connection and proves the credentials, within the deadline; failures are logged. */
  async warmUp(): Promise<void> {
    const { roomName, rest, logger } = this.#options;
    try {
      await this.#limited(async () => rest.warmUp?.());
    } catch (thrown) {
      const error = toLiveKitRESTError(roomName, thrown);
      const fields = { roomName, status: error.status, error, ...errorFields(error) };
      if (error.retryable) logger.warn(fields, 'LiveKit did not answer the first request');
      else logger.error(fields, 'LiveKit refuses requests; the room cannot be deleted later');
    }
  }

  /** Looks up which room is meant, where others may use its name: a later room of that name is another one. */
  async identify(): Promise<void> {
    await this.#lookUp();
    if (this.#isUnknown) void this.#lookUpAgain();
  }

  /** Verifies the deletion, leaves the room to the guardian, or releases it from the guardian. */
  settle(outcome: RoomDeletionOutcome): void {
    const handle = this.#end();
    const { status, error } = outcome;
    const isDone = isGone(outcome);
    const verifiesHere = isDone && !handle?.isComing;
    if (verifiesHere) void this.#verify();
    if (isDone && !verifiesHere) handle?.verify();
    else if (status === 'handed-over' || (error && mayGetBetter(error))) handle?.takeOver();
    else handle?.release();
  }

  /** Ends without a verification: there was no room. */
  release(): void {
    this.#end()?.release();
  }

  #end(): GuardedRoomHandle | undefined {
    const handle = this.#handle;
    this.#isOver = true;
    this.#handle = undefined;
    return handle;
  }

  get #isUnknown(): boolean {
    const { room } = this.#known;
    return !this.#isOver && !room.owned && !isKnown(room) && this.#options.rest.listRooms !== undefined;
  }

  async #lookUp(): Promise<void> {
    if (!this.#isUnknown) return;
    const { roomName, rest } = this.#options;
    const listed = await this.#limited((signal) => findRoom(rest, roomName, { signal })).catch(
      () => undefined,
    );
    if (typeof listed !== 'object' || !this.#isUnknown) return;
    const { sid, creationTimeMs } = listed;
    this.update({ room: { owned: false, sid, creationTimeMs } });
  }

  async #lookUpAgain(): Promise<void> {
    for (const waitMs of lookUpAgainMs) {
      await sleep(waitMs, { unref: true });
      await this.#lookUp();
    }
  }

  async #verify(): Promise<void> {
    const { verify, rest, roomName, logger } = this.#options;
    if (!verify) return;
    await verifyRoomGone({
      rest,
      roomName,
      room: this.#known.room,
      sleep: (ms) => sleep(ms, { unref: true }),
      onReappeared: this.#events.onReappeared,
      onAnother: () => logger.info({ roomName }, 'there is another room of this name; it is left alone'),
    });
  }

  #limited<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const { roomName, deadlineMs: limitMs } = this.#options;
    const answer = { kind: 'timeout', retryable: true, body: `no answer within ${limitMs} ms` } as const;
    const onTimeout = (): Error => new LiveKitRESTError(roomName, answer);
    return withAbort({ limitMs, signal: undefined, onTimeout }, work);
  }

  /** The room for the guardian; `undefined` where it is to be kept, or the credentials are not known. */
  #guarded(): RoomToGuard | undefined {
    const { roomName, rest, deleteWhen, verify, guardianHeartbeatMs } = this.#options;
    const credentials = credentialsOf(rest);
    if (credentials === undefined || deleteWhen === 'never') return undefined;
    const policy = typeof deleteWhen === 'function' ? 'always' : deleteWhen;
    const heartbeatMs = this.#heartbeats ? guardianHeartbeatMs : null;
    return { ...this.#known, roomName, credentials, deleteWhen: policy, verify, heartbeatMs };
  }

  #receive(news: GuardianNews): void {
    if (news.type === 'reappeared') this.#events.onReappeared(news.reappearance);
    else this.#events.onSettled(news);
  }
}
