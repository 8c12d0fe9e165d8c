/** One room of the guardian: how long its bot is silent, its states, and its deletion. */

import type { LiveKitRESTError } from '../../lib/errors.ts';
import { sleep, withAbort } from '../../lib/timeout.ts';
import { type DeletionResult, deleteRoom, isGone, type RoomDeletion } from '../delete-room.ts';
import { isDeletable, othersInside } from '../delete-when.ts';
import { hasLivingBot } from '../lease.ts';
import { toLiveKitRESTError } from '../rest/rest-error.ts';
import type { ListedParticipant, RoomRest } from '../rest/room-rest.ts';
import { isWorthWaiting, mayGetBetter } from '../retry-policy.ts';
import { verifyRoomGone } from '../verify-room-gone.ts';
import type { FromGuardian, RoomToGuard } from './protocol.ts';

/** Why the guardian deletes: no heartbeat, on the bot's request, or the end of the bot's process. */
export type DeletionCause = 'stuck' | 'taken-over' | 'bot-gone';

/**
 * | state | next |
 * |---|---|
 * | waiting | deleting: a cause; verifying: order `verify`; finished: order `release` |
 * | deleting | verifying: gone; waiting: called off, or the room stays although the bot seemed stuck; finished: else |
 * | verifying | finished |
 *
 * `deleting` begins anew for another cause.
 */
type State =
  | { readonly name: 'waiting' }
  | { readonly name: 'deleting'; readonly cause: DeletionCause; readonly calledOff: AbortController }
  | { readonly name: 'verifying' }
  | { readonly name: 'finished' };

/** What a {@link GuardedRoom} needs. */
export interface GuardedRoomContext {
  /** The REST client of LiveKit. */
  readonly rest: RoomRest;
  /** Sends a message to the bot. */
  readonly send: (message: FromGuardian) => void;
  /** For one deletion with all its attempts, in milliseconds. */
  readonly limitMs: number;
}

/** Waits for the end of a bot, deletes its room, verifies. A bot that only seemed dead is watched again. */
export class GuardedRoom {
  readonly #id: number;
  readonly #context: GuardedRoomContext;
  #guarded: RoomToGuard;
  #state: State = { name: 'waiting' };
  /** A better cause than the present deletion's. */
  #nextCause: DeletionCause | undefined;
  /** What the bot ordered in the meantime. */
  #order: 'verify' | 'release' | undefined;
  #isSilent = false;

  constructor(id: number, guarded: RoomToGuard, context: GuardedRoomContext) {
    this.#id = id;
    this.#guarded = guarded;
    this.#context = context;
  }

  /** Further silence of the bot changes nothing. */
  get isHandled(): boolean {
    return this.#isSilent || this.heartbeatMs === Number.POSITIVE_INFINITY;
  }

  /** Infinite while silence does not count. */
  get heartbeatMs(): number {
    return this.#guarded.heartbeatMs ?? Number.POSITIVE_INFINITY;
  }

  /** Replaces what is known of the room. */
  update(guarded: RoomToGuard): void {
    this.#guarded = guarded;
  }

  /** Takes over if the bot has been silent for too long, once per silence. */
  botIsSilent(silentMs: number): void {
    if (silentMs < this.heartbeatMs || this.#isSilent) return;
    this.#isSilent = true;
    this.takeOver('stuck');
  }

  /** Calls off a deletion for the bot's silence. */
  botIsAlive(): void {
    this.#isSilent = false;
    if (this.#state.name === 'deleting' && this.#state.cause === 'stuck') this.#callOff();
  }

  /** Deletes the room; a deletion under way begins anew for a better cause. */
  takeOver(cause: DeletionCause): void {
    if (this.#state.name === 'waiting') return void this.#delete(cause);
    if (this.#state.name !== 'deleting' || cause === 'stuck' || cause === this.#state.cause) return;
    this.#nextCause = cause;
    this.#callOff();
  }

  /** The bot has deleted the room. */
  verify(): void {
    this.#follow('verify');
  }

  /** The room is to be left alone. */
  release(): void {
    this.#follow('release');
  }

  #follow(order: 'verify' | 'release'): void {
    this.#order = order;
    if (this.#state.name === 'waiting') this.#wait();
    else this.#callOff();
  }

  #callOff(): void {
    if (this.#state.name === 'deleting') this.#state.calledOff.abort('kept');
  }

  #wait(): void {
    this.#state = { name: 'waiting' };
    if (this.#order === 'verify') void this.#verify();
    else if (this.#order === 'release') this.#finish();
  }

  async #delete(begunFor: DeletionCause): Promise<void> {
    const calledOff = new AbortController();
    this.#state = { name: 'deleting', cause: begunFor, calledOff };
    const deletion = guardedDeletion(this.#guarded, { ...this.#context, calledOff: calledOff.signal });
    const result = await deleteRoom(deletion);
    const cause = this.#nextCause ?? begunFor;
    this.#nextCause = undefined;
    const wasCalledOff = calledOff.signal.aborted && result.status === 'kept';
    const isSilentAgain = wasCalledOff && begunFor === 'stuck' && this.#isSilent;
    if (!isGone(result) && this.#order === undefined && (cause !== begunFor || isSilentAgain)) {
      return this.#delete(cause);
    }
    if (!wasCalledOff && cause !== 'bot-gone') this.#reportSettled(result.status, cause);
    if (isGone(result)) await this.#verify();
    else if (wasCalledOff || cause === 'stuck') this.#wait();
    else this.#finish();
  }

  #reportSettled(status: DeletionResult['status'], cause: 'stuck' | 'taken-over'): void {
    this.#context.send({ type: 'settled', id: this.#id, status, cause });
  }

  async #verify(): Promise<void> {
    this.#state = { name: 'verifying' };
    const { verify, roomName, room } = this.#guarded;
    const { rest, send } = this.#context;
    const onReappeared = (
      reappearance: Extract<FromGuardian, { type: 'reappeared' }>['reappearance'],
    ): void => send({ type: 'reappeared', id: this.#id, reappearance });
    if (verify) await verifyRoomGone({ rest, roomName, room, sleep, onReappeared, onAnother: () => {} });
    this.#finish();
  }

  #finish(): void {
    this.#state = { name: 'finished' };
    this.#context.send({ type: 'finished', id: this.#id });
  }
}

/** One decision, in milliseconds. */
const decisionMs = 2_000;
/** LiveKit lists a killed participant for 20 s. */
const presenceMs = 25_000;
/** Other guardians retry against the same server. */
const maxBackoffMs = 5_000;

/** What a guardian's deletion needs besides the room. */
export interface GuardedDeletionContext extends Pick<GuardedRoomContext, 'rest' | 'limitMs'> {
  /** Aborts with the reason `kept` when there is no cause any more. */
  readonly calledOff: AbortSignal;
}

/** A deletion that decides before each attempt, and retries all errors that may be temporary. */
export function guardedDeletion(
  guarded: Pick<RoomToGuard, 'roomName' | 'room' | 'deleteWhen' | 'ownIdentity' | 'ownSid'>,
  { rest, limitMs, calledOff }: GuardedDeletionContext,
): RoomDeletion {
  const { roomName, room, deleteWhen, ...own } = guarded;
  const startedMs = performance.now();
  const startedAtMs = Date.now();
  const isLate = (): boolean => performance.now() - startedMs >= limitMs / 2;

  /** Without an answer it is rejected for half of the time; after that, and for any other error, `true`. */
  const isWanted = async (): Promise<boolean> => {
    const onTimeout = (): Error => new Error(`not decided within ${decisionMs} ms`);
    try {
      return await withAbort({ limitMs: decisionMs, signal: undefined, onTimeout }, (signal) => {
        const listParticipants = async () =>
          othersInside((await rest.listParticipants?.(roomName, { signal })) ?? [], own);
        return isDeletable(deleteWhen, { roomName, trigger: 'exit', signal, listParticipants });
      });
    } catch (thrown) {
      const error: LiveKitRESTError = toLiveKitRESTError(roomName, thrown);
      if (isWorthWaiting(error) && !isLate()) throw error;
      return true;
    }
  };

  /** Whether a bot has joined since: one that was started anew must not lose its call to these retries. */
  const isInUse = async (signal: AbortSignal): Promise<boolean> => {
    // older servers list whole seconds
    const counts = ({ joinedAtMs = 0 }: ListedParticipant): boolean => joinedAtMs > startedAtMs - 1_000;
    try {
      return await hasLivingBot({ rest, roomName, counts, sleep: (ms) => sleep(ms, { signal }) });
    } catch (thrown) {
      if (!isLate()) throw thrown;
      return false;
    }
  };

  /** Of the first decision against the deletion. */
  let keptSinceMs: number | undefined;
  return {
    rest,
    roomName,
    room,
    limitMs,
    maxBackoffMs,
    isRetryable: mayGetBetter,
    needless: calledOff,
    decide: async (attempt, signal) => {
      for (let isFirst = attempt === 1; !signal.aborted; isFirst = false) {
        if (await isWanted()) return !isFirst && (await isInUse(signal)) ? 'keep' : 'delete';
        // a bot without a known participant may be listed itself
        keptSinceMs ??= performance.now();
        const waitMs = presenceMs - (performance.now() - keptSinceMs);
        if ((own.ownSid ?? own.ownIdentity) !== undefined || waitMs <= 0) return 'keep';
        await sleep(waitMs, { signal });
      }
      return 'keep';
    },
  };
}

/** The time since the last heartbeat. */
export class HeartbeatMonitor {
  #beatMs: number;
  #awakeMs: number;

  /** @param nowMs Of a clock that only goes forward. */
  constructor(nowMs: number) {
    this.#beatMs = nowMs;
    this.#awakeMs = nowMs;
  }

  /** Records a heartbeat. */
  beat(nowMs: number): void {
    this.#beatMs = nowMs;
    this.#awakeMs = nowMs;
  }

  /**
   * How long the bot has been silent, in milliseconds. To be called regularly.
   *
   * After a gap of more than `longestGapMs` between two calls this process was frozen itself, most likely with its
   * host, and received nothing: the silence starts anew.
   */
  silentMs(nowMs: number, longestGapMs: number): number {
    if (nowMs - this.#awakeMs > longestGapMs) this.#beatMs = nowMs;
    this.#awakeMs = nowMs;
    return nowMs - this.#beatMs;
  }
}
