import type { Subscription } from 'rxjs';
import type { KeypadEntry } from '../../frames/dtmf.ts';
import { errorMessage, PipelineError } from '../../lib/errors.ts';
import { cut, redact } from '../../rooms/redact.ts';
import type { LocalParticipant, Room, RtcCall, RtcHold } from './load-rtc-node.ts';

export interface OpenConnectionOptions {
  /** `ws` or `wss`. */
  readonly url: string;
  readonly createToken: () => Promise<string>;
  /** Called before the join, so that nothing is missed. */
  readonly watch: (room: Room) => Subscription;
}

/** Which room it is, in the server's words. */
export interface JoinedIdentity {
  readonly sid: string;
  /** Milliseconds since 1970, by the server's clock; `undefined` where it does not say. */
  readonly creationTimeMs: number | undefined;
}

/** A room that was joined: what can be asked of the SDK there, until it is left. */
export class RoomConnection {
  readonly room: Room;
  /** What it was joined with. */
  readonly token: string;
  readonly #hold: RtcHold;
  readonly #watch: Subscription;
  readonly #join: RtcCall<void>;

  private constructor(hold: RtcHold, room: Room, token: string, watch: Subscription, join: RtcCall<void>) {
    this.room = room;
    this.token = token;
    this.#hold = hold;
    this.#watch = watch;
    this.#join = join;
  }

  /** @throws {PipelineError} What the SDK says why it could not join; without secrets. */
  static async open(hold: RtcHold, options: OpenConnectionOptions): Promise<RoomConnection> {
    const token = await options.createToken();
    const room = new hold.rtc.Room();
    const watch = options.watch(room);
    // what is wanted is subscribed to one by one
    const join = hold.call(() => room.connect(options.url, token, { autoSubscribe: false, dynacast: false }));
    try {
      await join.result;
    } catch (error) {
      watch.unsubscribe();
      // LiveKit repeats the token in what it says about it
      throw new PipelineError(`The room could not be joined: ${cut(redact(errorMessage(error)))}`);
    }
    return new RoomConnection(hold, room, token, watch, join);
  }

  /** Resolves when the server has told it, soon after the join; `undefined` when the room was left before. */
  async identity(): Promise<JoinedIdentity | undefined> {
    const sid = await this.room.getSid().catch(() => '');
    const createdMs = this.room.creationTime?.getTime() ?? 0;
    return sid === '' ? undefined : { sid, creationTimeMs: createdMs > 0 ? createdMs : undefined };
  }

  /** @param identity Whom it is for; everybody by default. */
  async send(data: Uint8Array, identity?: string): Promise<void> {
    const destinations = identity === undefined ? {} : { destination_identities: [identity] };
    await this.#ask((bot) => bot.publishData(data, { reliable: true, ...destinations }));
  }

  /** Presses a telephone key. */
  async press(key: KeypadEntry): Promise<void> {
    await this.#ask((bot) => bot.publishDtmf('0123456789*#'.indexOf(key), key));
  }

  /** Sets some of the bot's attributes, and leaves the others; an empty text removes one. */
  async setAttributes(attributes: Readonly<Record<string, string>>): Promise<void> {
    await this.#ask((bot) => bot.setAttributes({ ...attributes }));
  }

  async setMetadata(metadata: string): Promise<void> {
    await this.#ask((bot) => bot.updateMetadata(metadata));
  }

  /** Resolves when the server has said goodbye, which it may never do. */
  disconnect(): Promise<void> {
    return this.#hold.call(() => this.room.disconnect()).result;
  }

  /** Takes away all that the connection has put on the SDK. */
  forget(): void {
    this.#watch.unsubscribe();
    // the SDK leaves its listener behind when the server was the one to disconnect
    this.#join.forget();
  }

  async #ask(call: (bot: LocalParticipant) => Promise<unknown>): Promise<void> {
    const bot = this.room.localParticipant;
    if (bot !== undefined) await this.#hold.call(() => call(bot)).result;
  }
}
