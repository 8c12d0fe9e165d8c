import { type Observable, Subject, type Subscription } from 'rxjs';
import type { UserAudioRawFrame } from '../../frames/audio.ts';
import type { Logger } from '../../logger.ts';
import { cut, redact } from '../../rooms/redact.ts';
import { textOf } from '../../text-of.ts';
import { within } from '../../within.ts';
import type { StreamResampler } from '../stream-resampler.ts';
import { type Room, type RtcHold, rtcNode } from './load-rtc-node.ts';
import { NativeResampler } from './native-resampler.ts';
import { type AudioFormat, ParticipantAudio } from './participant-audio.ts';
import { NotPublishedInTime, PublishedAudio } from './published-audio.ts';
import { type LiveKitRoomEvent, roomEvents } from './room-events.ts';
import { withRetries } from './with-retries.ts';

export interface LiveKitRoomOptions {
  /** `ws` or `wss`. */
  readonly url: string;
  /** Called for each attempt. */
  readonly createToken: () => Promise<string>;
  readonly logger: Logger;
}

/** How long leaving may take: `disconnect()` hangs while a server is frozen. */
const leaveLimitMs = 1_500;
/** What the SDK says when LiveKit understood and refused. */
const refusal = /client error: 4\d\d/;

/**
 * One membership in one room: joined once for all its owners, left when the last of them has left.
 *
 * After that, or after the server has closed it, it is `closed` for good.
 */
export class LiveKitRoom {
  readonly #options: LiveKitRoomOptions;
  readonly #owners = new Set<object>();
  readonly #events = new Subject<LiveKitRoomEvent>();
  /** Completes when the room was left. */
  readonly events$: Observable<LiveKitRoomEvent> = this.#events.asObservable();
  #joining: Promise<void> | undefined;
  #leaving: Promise<void> | undefined;
  #closed = false;
  #sid = '';
  #hold: RtcHold | undefined;
  #room: Room | undefined;
  #subscription: Subscription | undefined;
  #forgetJoin: (() => void) | undefined;
  #voice: PublishedAudio | undefined;
  #ears: ParticipantAudio | undefined;

  constructor(options: LiveKitRoomOptions) {
    this.#options = options;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** The server's name for this very room; empty before the join. */
  get sid(): string {
    return this.#sid;
  }

  /** Identities of the others in the room. */
  get participants(): readonly string[] {
    return this.#closed ? [] : [...(this.#room?.remoteParticipants.keys() ?? [])];
  }

  /** The bot's voice, once it is published. */
  get voice(): PublishedAudio | undefined {
    return this.#voice;
  }

  /**
   * Hears everybody at this format; to be called before the join. A second call replaces the first.
   *
   * @returns Completes when the room was left.
   */
  hear(format: AudioFormat): Observable<UserAudioRawFrame> {
    this.#ears?.close();
    this.#ears = new ParticipantAudio(format, this.#options.logger);
    for (const { identity, trackPublications } of this.#room?.remoteParticipants.values() ?? []) {
      for (const { track } of trackPublications.values()) {
        if (track !== undefined && this.#hold !== undefined) {
          this.#ears.listen(this.#hold.rtc, track, identity);
        }
      }
    }
    return this.#ears.audio$;
  }

  /**
   * Joins, or waits for the join under way; trying again where that may help.
   *
   * @throws {MissingDependencyError} The SDK is not installed.
   * @throws {Error} What the SDK says why it could not join.
   */
  connect(owner: object): Promise<void> {
    this.#owners.add(owner);
    this.#joining ??= this.#join();
    return this.#joining;
  }

  /** Publishes the bot's voice, unless it is already there in this format. */
  async publish(format: AudioFormat): Promise<void> {
    if (this.#voice?.hasFormat(format) === true) return;
    await this.#voice?.unpublish();
    this.#voice = undefined;
    const givesUp = (error: unknown): boolean => this.#closed || error instanceof NotPublishedInTime;
    this.#voice = await withRetries(() => this.#publish(format), { givesUp });
  }

  /** In hertz and channels; only where the room was joined. */
  createResampler(fromHz: number, toHz: number, channels: number): StreamResampler | undefined {
    return this.#hold && new NativeResampler(this.#hold.rtc, fromHz, toHz, channels);
  }

  /** @param identity Whom it is for; everybody by default. */
  async send(data: Uint8Array, identity?: string): Promise<void> {
    const destinations = identity === undefined ? {} : { destination_identities: [identity] };
    if (this.#closed) return;
    await this.#room?.localParticipant?.publishData(data, { reliable: true, ...destinations });
  }

  /** Presses telephone keys, all of them, in order. */
  async press(keys: readonly string[]): Promise<void> {
    for (const key of this.#closed ? [] : keys)
      await this.#room?.localParticipant?.publishDtmf('0123456789*#'.indexOf(key), key);
  }

  /** For the owner, who may call it again; the last one leaves. Resolves within a limit; never rejects. */
  disconnect(owner: object): Promise<void> {
    this.#owners.delete(owner);
    return this.#owners.size > 0 ? Promise.resolve() : this.close();
  }

  /** Leaves, whoever is still an owner. Resolves within a limit; never rejects. */
  close(): Promise<void> {
    this.#leaving ??= this.#leave();
    return this.#leaving;
  }

  async #join(): Promise<void> {
    const hold = await rtcNode.acquire();
    if (this.#closed) {
      await hold.release();
      throw new Error('The room was left before it was joined');
    }
    this.#hold = hold;
    const givesUp = (error: unknown): boolean => this.#closed || refusal.test(textOf(error));
    await withRetries(() => this.#tryToJoin(hold), { givesUp });
  }

  async #tryToJoin(hold: RtcHold): Promise<void> {
    const { url, createToken } = this.#options;
    const token = await createToken();
    const room = new hold.rtc.Room();
    this.#subscription?.unsubscribe();
    this.#subscription = roomEvents(hold.rtc, room).subscribe((event) => this.#on(event, hold));
    const autoSubscribe = this.#ears !== undefined;
    const join = hold.call(() => room.connect(url, token, { autoSubscribe, dynacast: false }));
    await join.result.catch((error: unknown) => {
      // LiveKit repeats the token in what it says about it
      throw new Error(`The room could not be joined: ${cut(redact(textOf(error)))}`);
    });
    this.#forgetJoin = join.forget;
    this.#room = room;
    room.getSid().then(
      (sid) => {
        this.#sid = sid;
      },
      () => {}, // left before the server told it
    );
    // left in the meantime: nobody else knows of this membership
    if (this.#closed) await this.#goAway(room, hold);
    else this.#events.next({ type: 'connected' });
  }

  #publish(format: AudioFormat): Promise<PublishedAudio> {
    if (this.#room === undefined || this.#hold === undefined) throw new Error('the room was not joined');
    return PublishedAudio.publish(this.#hold.rtc, this.#room, format);
  }

  #on(event: LiveKitRoomEvent, { rtc }: RtcHold): void {
    if (event.type === 'trackSubscribed') this.#ears?.listen(rtc, event.track, event.identity);
    if (event.type === 'trackUnsubscribed') this.#ears?.stop(event.track);
    if (event.type === 'disconnected') {
      if (this.#closed) return;
      this.#closed = true;
      this.#ears?.close();
    }
    this.#events.next(event);
  }

  async #leave(): Promise<void> {
    const leavesByItself = this.#room !== undefined && !this.#closed;
    this.#closed = true;
    this.#ears?.close();
    if (this.#room !== undefined && this.#hold !== undefined) await this.#goAway(this.#room, this.#hold);
    if (leavesByItself) this.#events.next({ type: 'left' });
    this.#events.complete();
    await this.#atMost('the SDK could not be shut down', this.#hold?.release());
  }

  async #goAway(room: Room, hold: RtcHold): Promise<void> {
    const leave = hold.call(() => room.disconnect());
    await Promise.all([
      this.#atMost('the room could not be left in an orderly way', leave.result),
      this.#atMost('the track could not be closed', this.#voice?.close()),
    ]);
    this.#subscription?.unsubscribe();
    // the SDK leaves its listener behind when the server was the one to disconnect
    this.#forgetJoin?.();
  }

  async #atMost(failure: string, work: Promise<unknown> | undefined): Promise<void> {
    if (work === undefined) return;
    const end = await within(work, leaveLimitMs).catch((error: unknown) => error);
    if (end !== 'done') this.#options.logger.warn({ end }, failure);
  }
}
