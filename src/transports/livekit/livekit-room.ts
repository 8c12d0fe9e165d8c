import { type Observable, Subject, Subscription, tap } from 'rxjs';
import type { Company } from '../../frames/participants.ts';
import { PipelineError } from '../../lib/errors.ts';
import type { Logger } from '../../lib/logger.ts';
import { withTimeout } from '../../lib/timeout.ts';
import type { LeaseBeat } from '../../rooms/lease-beat.ts';
import type { RoomRest } from '../../rooms/room-rest.ts';
import type { StreamResampler } from '../stream-resampler.ts';
import { startLease } from './bot-lease.ts';
import { explainJoinFailure } from './join-failure.ts';
import { Listeners } from './listeners.ts';
import { type Room, type RtcHold, rtcNode } from './load-rtc-node.ts';
import { NativeResampler } from './native-resampler.ts';
import { type ParticipantInfo, participantInfo } from './participant-info.ts';
import { PublishedTracks } from './published-tracks.ts';
import { Reception } from './reception.ts';
import { type JoinedIdentity, RoomConnection } from './room-connection.ts';
import { roomEvents } from './room-events.ts';
import { isAgentToken } from './token-claims.ts';
import type { ConnectionQuality, LiveKitRoomEvent } from './transport-events.ts';
import { withRetries } from './with-retries.ts';
import { withoutAbsences } from './without-absences.ts';

export interface LiveKitRoomOptions {
  /** `ws` or `wss`. */
  readonly url: string;
  /** Called for each attempt. */
  readonly createToken: () => Promise<string>;
  /** Whose first word is waited for. Default `'people'`. */
  readonly company?: Company | undefined;
  /** How often sweepers are told that the bot is alive, in milliseconds. Default 5 000. */
  readonly leaseBeatMs?: number | undefined;
  /** What can be asked why an attempt to join has failed, and for which room. */
  readonly roomName?: string | undefined;
  readonly rest?: RoomRest | undefined;
  /** Called before `connect()` rejects, where it is certain that the bot was not in the room. */
  readonly onNeverJoined?: (() => void) | undefined;
  readonly logger: Logger;
}

/** What there is while the bot is in the room. */
interface Joined {
  readonly hold: RtcHold;
  readonly connection: RoomConnection;
  readonly tracks: PublishedTracks;
  readonly lease: LeaseBeat | undefined;
}

/** How long leaving may take: `disconnect()` hangs while a server is frozen. */
const leaveLimitMs = 1_500;

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
  /** What the bot hears and sees. */
  readonly reception: Reception;
  readonly #listeners: Listeners;
  #joining: Promise<void> | undefined;
  #leaving: Promise<void> | undefined;
  #closed = false;
  #hold: RtcHold | undefined;
  #joined: Joined | undefined;
  #identity: Promise<JoinedIdentity | undefined> = Promise.resolve(undefined);
  #quality: ConnectionQuality | undefined;
  #muted = false;

  constructor(options: LiveKitRoomOptions) {
    this.#options = options;
    this.reception = new Reception(options.logger);
    this.#listeners = new Listeners(options.company ?? 'people');
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** The server's name for this very room; `undefined` when it was not joined, or left before it was told. */
  get identity(): Promise<JoinedIdentity | undefined> {
    return this.#identity;
  }

  /** The others in the room. */
  get participants(): readonly ParticipantInfo[] {
    if (this.#closed || this.#joined === undefined) return [];
    const { hold, connection } = this.#joined;
    return [...connection.room.remoteParticipants.values()].map((one) => participantInfo(hold.rtc, one));
  }

  /** The bot's own; `undefined` until LiveKit has rated it. */
  get connectionQuality(): ConnectionQuality | undefined {
    return this.#quality;
  }

  /** What others hear and see of the bot; `undefined` before the join. */
  get tracks(): PublishedTracks | undefined {
    return this.#joined?.tracks;
  }

  /** Mutes the bot for others, whatever it publishes, or lets it be heard again. */
  mute(muted: boolean): void {
    this.#muted = muted;
    this.tracks?.mute(muted);
  }

  /** To ask the server for things; `undefined` while the bot is not in the room. */
  get connection(): RoomConnection | undefined {
    return this.#closed ? undefined : this.#joined?.connection;
  }

  /**
   * Joins, or waits for the join under way; trying again where that may help.
   *
   * @throws {MissingDependencyError} The SDK is not installed.
   * @throws {PipelineError} It could not be joined; says why, and what to do where that is known.
   */
  connect(owner: object): Promise<void> {
    this.#owners.add(owner);
    this.#joining ??= this.#join();
    return this.#joining;
  }

  /** In hertz and channels; only where the room was joined. */
  createResampler(fromHz: number, toHz: number, channels: number): StreamResampler | undefined {
    return this.#hold && new NativeResampler(this.#hold.rtc, fromHz, toHz, channels);
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
    let isCertain = true;
    let retries = 0;
    const explained = <T>(work: Promise<T>): Promise<T> =>
      work.catch(async (thrown) => {
        if (this.#closed) isCertain = false;
        if (this.#closed) throw thrown;
        const failure = await explainJoinFailure(thrown, this.#options);
        isCertain &&= failure.isCertain;
        retries = failure.retries;
        throw failure.error;
      });
    try {
      const hold = await explained(rtcNode.acquire());
      if (this.#closed) {
        await hold.release();
        throw new PipelineError('The room was left before it was joined');
      }
      this.#hold = hold;
      const givesUp = (_: unknown, attempts: number): boolean => this.#closed || attempts > retries;
      await withRetries(() => explained(this.#tryToJoin(hold)), { givesUp });
    } catch (error) {
      if (isCertain) this.#options.onNeverJoined?.();
      throw error;
    }
  }

  async #tryToJoin(hold: RtcHold): Promise<void> {
    const { url, createToken } = this.#options;
    const watch = (room: Room): Subscription => this.#watch(hold, room);
    const connection = await RoomConnection.open(hold, { url, createToken, watch });
    if (this.#closed) {
      // nobody else knows of this membership
      await this.#goAway(connection);
      throw new PipelineError('The room was left while it was being joined');
    }
    this.#checkToken(connection.token);
    const tracks = new PublishedTracks(hold, connection.room, this.#listeners);
    tracks.mute(this.#muted);
    this.#joined = { hold, connection, tracks, lease: this.#startLease(connection) };
    this.#identity = connection.identity();
    this.#events.next({ type: 'connected' });
    for (const { identity, kind } of this.participants) {
      this.#listeners.joined({ identity, kind });
      this.#events.next({ type: 'participantJoined', identity, kind });
    }
    this.reception.joined();
  }

  #watch({ rtc }: RtcHold, room: Room): Subscription {
    const watch = new Subscription();
    const events$ = roomEvents(rtc, room).pipe(
      tap((event) => this.#noteListener(event)),
      withoutAbsences(),
    );
    watch.add(events$.subscribe((event) => this.#on(event, room)));
    watch.add(this.reception.attach(rtc, room));
    return watch;
  }

  #noteListener(event: LiveKitRoomEvent): void {
    if (event.type === 'participantJoined') this.#listeners.joined(event);
    if (event.type === 'participantLeft') this.#listeners.left(event.identity);
  }

  #checkToken(token: string): void {
    if (isAgentToken(token)) return;
    const hint = 'a token of createAgentToken, or with the agent grant, has it closed';
    this.#options.logger.warn(
      { hint },
      'LiveKit takes the bot for a person: a room with nobody else stays open',
    );
  }

  #startLease(connection: RoomConnection): LeaseBeat | undefined {
    const { leaseBeatMs: beatMs, logger } = this.#options;
    const setAttributes = (attributes: Readonly<Record<string, string>>) =>
      connection.setAttributes(attributes);
    return startLease({ token: connection.token, setAttributes, beatMs, logger });
  }

  #on(event: LiveKitRoomEvent, { localParticipant }: Room): void {
    if (event.type === 'connectionQualityChanged' && event.identity === localParticipant?.identity) {
      this.#quality = event.quality;
    }
    if (event.type === 'reconnecting') this.reception.interrupted();
    if (event.type === 'reconnected') this.reception.joined();
    if (event.type === 'disconnected') {
      if (this.#closed) return;
      this.#close();
    }
    this.#events.next(event);
  }

  #close(): void {
    this.#closed = true;
    this.reception.close();
    this.#joined?.lease?.stop();
  }

  async #leave(): Promise<void> {
    const leavesByItself = this.#joined !== undefined && !this.#closed;
    this.#close();
    if (this.#joined !== undefined) await this.#goAway(this.#joined.connection, this.#joined.tracks);
    if (leavesByItself) this.#events.next({ type: 'left' });
    this.#events.complete();
    await this.#atMost('the SDK could not be shut down', this.#hold?.release());
  }

  async #goAway(connection: RoomConnection, tracks?: PublishedTracks): Promise<void> {
    await Promise.all([
      this.#atMost('the room could not be left in an orderly way', connection.disconnect()),
      this.#atMost('the tracks could not be closed', tracks?.close()),
    ]);
    connection.forget();
  }

  async #atMost(failure: string, work: Promise<unknown> | undefined): Promise<void> {
    if (work === undefined) return;
    const end = await withTimeout(work, leaveLimitMs).catch((error: unknown) => error);
    if (end !== 'done') this.#options.logger.warn({ end }, failure);
  }
}
