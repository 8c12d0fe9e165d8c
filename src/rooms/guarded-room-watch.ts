import type { FromGuardian, GuardedRoom } from './guardian-messages.ts';
import { makeSure } from './make-sure.ts';
import type { RoomRest } from './room-rest.ts';
import { verifyDeletion } from './verify-deletion.ts';

export interface GuardedRoomContext {
  readonly rest: RoomRest;
  readonly tell: (message: FromGuardian) => void;
  readonly giveUpMs: number;
}

/** What the guardian does about one room: wait, delete it, look again, be finished; never back. */
export class GuardedRoomWatch {
  readonly #id: number;
  readonly #context: GuardedRoomContext;
  #guarded: GuardedRoom;
  #phase: 'waiting' | 'deleting' | 'looking' | 'finished' = 'waiting';

  constructor(id: number, guarded: GuardedRoom, context: GuardedRoomContext) {
    this.#id = id;
    this.#guarded = guarded;
    this.#context = context;
  }

  get heartbeatMs(): number {
    return this.#guarded.heartbeatMs;
  }

  /** Takes over what has become known of the room. */
  update(guarded: GuardedRoom): void {
    this.#guarded = guarded;
  }

  /** Takes over if the bot has been silent for too long. */
  botIsSilent(silentMs: number): void {
    if (silentMs >= this.#guarded.heartbeatMs) this.takeOver('stuck');
  }

  /** Deletes the room, unless that has begun. */
  takeOver(cause: 'stuck' | 'taken-over' | 'bot-gone'): void {
    if (this.#phase === 'waiting') void this.#delete(cause);
  }

  /** The bot has deleted the room. */
  look(): void {
    if (this.#phase === 'waiting') void this.#look();
  }

  forget(): void {
    if (this.#phase === 'waiting') this.#finish();
  }

  async #delete(cause: 'stuck' | 'taken-over' | 'bot-gone'): Promise<void> {
    this.#phase = 'deleting';
    const { rest, giveUpMs, tell } = this.#context;
    const status = await makeSure({
      ...this.#guarded,
      rest,
      giveUpMs,
      wait: sleep,
      now: () => performance.now(),
      random: Math.random,
    });
    if (cause !== 'bot-gone') tell({ type: 'settled', id: this.#id, status, cause });
    if (status === 'deleted' || status === 'already-gone') await this.#look();
    else this.#finish();
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
