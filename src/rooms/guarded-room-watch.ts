import type { FromGuardian, GuardedRoom } from './guardian-messages.ts';
import { makeSure } from './make-sure.ts';
import type { RoomRest } from './room-rest.ts';
import { verifyDeletion } from './verify-deletion.ts';

export interface GuardedRoomContext {
  readonly rest: RoomRest;
  readonly tell: (message: FromGuardian) => void;
  readonly giveUpMs: number;
}

/**
 * What the guardian does about one room: wait, delete it, look again, be finished.
 *
 * A bot that only seemed to be dead, and whose room stayed, is watched again.
 */
export class GuardedRoomWatch {
  readonly #id: number;
  readonly #context: GuardedRoomContext;
  #guarded: GuardedRoom;
  #phase: 'waiting' | 'deleting' | 'looking' | 'finished' = 'waiting';
  /** Why the deletion is made; silence is no reason where there is a better one. */
  #cause: 'stuck' | 'taken-over' | 'bot-gone' | undefined;
  /** What the bot has ordered in the meantime. */
  #order: 'look' | 'forget' | undefined;
  #isSilent = false;
  /** Ends the pause between two attempts, when what they wait for has changed. */
  #wake: () => void = () => {};

  constructor(id: number, guarded: GuardedRoom, context: GuardedRoomContext) {
    this.#id = id;
    this.#guarded = guarded;
    this.#context = context;
  }

  /** More silence of the bot changes nothing. */
  get isSeenTo(): boolean {
    return this.#isSilent || this.heartbeatMs === Number.POSITIVE_INFINITY;
  }

  /** Infinite while silence means nothing. */
  get heartbeatMs(): number {
    return this.#guarded.heartbeatMs ?? Number.POSITIVE_INFINITY;
  }

  /** Takes over what has become known of the room. */
  update(guarded: GuardedRoom): void {
    this.#guarded = guarded;
  }

  /** Takes over if the bot has been silent for too long, once for each silence. */
  botIsSilent(silentMs: number): void {
    if (silentMs < this.heartbeatMs || this.#isSilent) return;
    this.#isSilent = true;
    this.takeOver('stuck');
  }

  /** It was not dead: what has not been done for its silence is not done any more. */
  botIsAlive(): void {
    if (!this.#isSilent) return;
    this.#isSilent = false;
    this.#wake();
  }

  /** Deletes the room; where that has begun, a better cause begins it anew. */
  takeOver(cause: 'stuck' | 'taken-over' | 'bot-gone'): void {
    if (cause === 'stuck' && this.#phase !== 'waiting') return;
    this.#cause = cause;
    if (this.#phase === 'waiting') void this.#delete();
    else this.#wake();
  }

  /** The bot has deleted the room. */
  look(): void {
    this.#obey('look');
  }

  /** The room is to be left alone. */
  forget(): void {
    this.#obey('forget');
  }

  #obey(order: 'look' | 'forget'): void {
    this.#order = order;
    if (this.#phase === 'waiting') this.#wait();
    else this.#wake();
  }

  #wait(): void {
    this.#phase = 'waiting';
    if (this.#order === 'look') void this.#look();
    else if (this.#order === 'forget') this.#finish();
  }

  async #delete(): Promise<void> {
    this.#phase = 'deleting';
    const { rest, giveUpMs, tell } = this.#context;
    const begunFor = this.#cause;
    const status = await makeSure({
      ...this.#guarded,
      rest,
      giveUpMs,
      wait: (ms) => this.#pause(ms),
      now: () => performance.now(),
      random: Math.random,
      isCalledOff: () =>
        this.#order !== undefined || this.#cause !== begunFor || (begunFor === 'stuck' && !this.#isSilent),
    });
    const cause = this.#cause;
    const isGone = status === 'deleted' || status === 'already-gone';
    if (!isGone && cause !== begunFor && this.#order === undefined) return this.#delete();
    if (status !== 'called-off' && cause !== undefined && cause !== 'bot-gone') {
      tell({ type: 'settled', id: this.#id, status, cause });
    }
    if (isGone) await this.#look();
    else if (cause === 'stuck' || status === 'called-off') this.#wait();
    else this.#finish();
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  async #look(): Promise<void> {
    this.#phase = 'looking';
    const { verify, roomName, room } = this.#guarded;
    const { rest, tell } = this.#context;
    if (verify) {
      await verifyDeletion({
        rest,
        roomName,
        room,
        wait: sleep,
        signal: new AbortController().signal,
        onReappeared: (reappearance) => tell({ type: 'reappeared', id: this.#id, reappearance }),
        onAnother: () => {},
      });
    }
    this.#finish();
  }

  #finish(): void {
    this.#phase = 'finished';
    this.#context.tell({ type: 'finished', id: this.#id });
  }
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
