/** The bot's membership in one room, reference-counted by its owners; debounces `participantLeft`. */

import { type MonoTypeOperatorFunction, Observable, Subject, Subscription, tap, timer } from 'rxjs';
import type { StreamResampler } from '../../audio/resampler.ts';
import type { Company } from '../../frames/participants.ts';
import { PipelineError } from '../../lib/errors.ts';
import type { Logger } from '../../lib/logger.ts';
import { withTimeout } from '../../lib/timeout.ts';
import { LeaseBeat } from '../../rooms/lease-beat.ts';
import type { RoomRest } from '../../rooms/rest/room-rest.ts';
import { Listeners } from './published-audio.ts';
import { PublishedTracks } from './published-tracks.ts';
import { explainJoinFailure, type JoinedIdentity, RoomConnection } from './room-connection.ts';
import {
  type ConnectionQuality,
  type LiveKitRoomEvent,
  type ParticipantInfo,
  participantInfo,
  roomEvents,
} from './room-events.ts';
import { NativeResampler, type Room, type RtcHandle, rtcNode } from './rtc-node.ts';
import { TrackSubscriptions } from './subscriptions.ts';
import { type JoinToken, parseJoinToken } from './tokens.ts';
import { withRetries } from './with-retries.ts';

/** How to join, and what to do in the room. */
export interface RoomSessionOptions {
  /** `ws` or `wss`. */
  readonly url: string;
  /** Makes a join token, once per attempt. */
  readonly createToken: () => Promise<string>;
  /** Which participants count as listeners. Default `'people'`. */
  readonly company?: Company | undefined;
  /** Interval of the lease, in milliseconds. Default 5,000. */
  readonly leaseBeatMs?: number | undefined;
  /** For the probe that explains a failed join. */
  readonly roomName?: string | undefined;
  /** For the probe that explains a failed join. */
  readonly rest?: RoomRest | undefined;
  /** Called before `connect()` rejects, where the bot has certainly not been in the room. */
  readonly onNeverJoined?: (() => void) | undefined;
  /** The logger. */
  readonly logger: Logger;
}

/** The state while the bot is in the room. */
interface Joined {
  readonly handle: RtcHandle;
  readonly connection: RoomConnection;
  readonly tracks: PublishedTracks;
  readonly lease: LeaseBeat | undefined;
}

/** Limit for leaving: `disconnect()` hangs while a server is frozen. */
const leaveLimitMs = 1_500;

/**
 * One membership in one room: joined with the first owner, left with the last.
 *
 * After that, or after the server has disconnected it, it is `closed` for good.
 */
export class RoomSession {
  readonly #options: RoomSessionOptions;
  readonly #owners = new Set<object>();
  readonly #events = new Subject<LiveKitRoomEvent>();
  /** Completes when the room was left. */
  readonly events$: Observable<LiveKitRoomEvent> = this.#events.asObservable();
  /** The other participants' tracks. */
  readonly subscriptions: TrackSubscriptions;
  readonly #listeners: Listeners;
  #joining: Promise<void> | undefined;
  #leaving: Promise<void> | undefined;
  #closed = false;
  #handle: RtcHandle | undefined;
  #joined: Joined | undefined;
  #identity: Promise<JoinedIdentity | undefined> = Promise.resolve(undefined);
  #quality: ConnectionQuality | undefined;
  #muted = false;

  constructor(options: RoomSessionOptions) {
    this.#options = options;
    this.subscriptions = new TrackSubscriptions(options.logger);
    this.#listeners = new Listeners(options.company ?? 'people');
  }

  /** Whether the room was left, or the connection ended by the server. */
  get closed(): boolean {
    return this.#closed;
  }

  /** The server's identification of the room; `undefined` when it was not joined, or left too soon. */
  get identity(): Promise<JoinedIdentity | undefined> {
    return this.#identity;
  }

  /** The other participants in the room. */
  get participants(): readonly ParticipantInfo[] {
    if (this.#closed || this.#joined === undefined) return [];
    const { handle, connection } = this.#joined;
    return [...connection.room.remoteParticipants.values()].map((one) => participantInfo(handle.rtc, one));
  }

  /** The bot's own; `undefined` until LiveKit has rated it. */
  get connectionQuality(): ConnectionQuality | undefined {
    return this.#quality;
  }

  /** The bot's tracks; `undefined` before the join. */
  get tracks(): PublishedTracks | undefined {
    return this.#joined?.tracks;
  }

  /** Mutes or unmutes the bot's audio tracks, including later ones, visibly to others. */
  mute(muted: boolean): void {
    this.#muted = muted;
    this.tracks?.mute(muted);
  }

  /** For requests; `undefined` while the bot is not in the room. */
  get connection(): RoomConnection | undefined {
    return this.#closed ? undefined : this.#joined?.connection;
  }

  /**
   * Adds an owner and joins, or waits for the join under way; retries where that may help.
   *
   * @throws {MissingDependencyError} The SDK is not installed.
   * @throws {PipelineError} The join failed; the message has the reason, and the remedy where it is known.
   */
  connect(owner: object): Promise<void> {
    this.#owners.add(owner);
    this.#joining ??= this.#join();
    return this.#joining;
  }

  /** Makes a native resampler; `undefined` before the SDK is loaded. Rates in hertz. */
  createResampler(fromHz: number, toHz: number, channels: number): StreamResampler | undefined {
    return this.#handle && new NativeResampler(this.#handle.rtc, fromHz, toHz, channels);
  }

  /** Removes an owner, and leaves with the last one. Idempotent. Resolves within a limit; never rejects. */
  disconnect(owner: object): Promise<void> {
    this.#owners.delete(owner);
    return this.#owners.size > 0 ? Promise.resolve() : this.close();
  }

  /** Leaves, also with owners. Idempotent. Resolves within a limit; never rejects. */
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
      const handle = await explained(rtcNode.acquire());
      if (this.#closed) {
        await handle.release();
        throw new PipelineError('The room was left before it was joined');
      }
      this.#handle = handle;
      const givesUp = (_: unknown, attempts: number): boolean => this.#closed || attempts > retries;
      await withRetries(() => explained(this.#tryToJoin(handle)), { givesUp });
    } catch (error) {
      if (isCertain) this.#options.onNeverJoined?.();
      throw error;
    }
  }

  async #tryToJoin(handle: RtcHandle): Promise<void> {
    const { url, createToken } = this.#options;
    const watch = (room: Room): Subscription => this.#watch(handle, room);
    const connection = await RoomConnection.open(handle, { url, createToken, watch });
    if (this.#closed) {
      // close() has not seen this connection
      await this.#disconnect(connection);
      throw new PipelineError('The room was left while it was being joined');
    }
    const token = parseJoinToken(connection.token);
    this.#warnOfNoAgent(token);
    const tracks = new PublishedTracks(handle, connection.room, this.#listeners);
    tracks.mute(this.#muted);
    this.#joined = { handle, connection, tracks, lease: this.#startLease(token, connection) };
    this.#identity = connection.identity();
    this.#events.next({ type: 'connected' });
    for (const { identity, kind } of this.participants) {
      this.#listeners.joined({ identity, kind });
      this.#events.next({ type: 'participantJoined', identity, kind });
    }
    this.subscriptions.connected();
  }

  #watch({ rtc }: RtcHandle, room: Room): Subscription {
    const watch = new Subscription();
    const events$ = roomEvents(rtc, room).pipe(
      tap((event) => this.#updateListeners(event)),
      debounceParticipantLeft(),
    );
    watch.add(events$.subscribe((event) => this.#on(event, room)));
    watch.add(this.subscriptions.attach(rtc, room));
    return watch;
  }

  #updateListeners(event: LiveKitRoomEvent): void {
    if (event.type === 'participantJoined') this.#listeners.joined(event);
    if (event.type === 'participantLeft') this.#listeners.left(event.identity);
  }

  #warnOfNoAgent({ isAgent }: JoinToken): void {
    if (isAgent) return;
    const hint = 'a token of createAgentToken, or with the agent grant, has it closed';
    this.#options.logger.warn({ hint }, 'LiveKit takes the bot for a person: an empty room stays open');
  }

  /** Without a lease, sweepers rely on presence: on the agent grant, or on the bot's name where they have it. */
  #startLease({ canUpdateOwnMetadata }: JoinToken, connection: RoomConnection): LeaseBeat | undefined {
    const { leaseBeatMs: beatMs, logger } = this.#options;
    if (!canUpdateOwnMetadata) {
      const hint =
        'a token of createAgentToken, or with canUpdateOwnMetadata, has one; sweepers keep this room only for a bot with the agent grant, or one that --bot names';
      logger.warn({ hint }, 'the bot has no lease: its token does not let it write its attributes');
      return undefined;
    }
    const lease = new LeaseBeat({ write: (lease) => connection.setAttributes(lease), beatMs, logger });
    lease.start();
    return lease;
  }

  #on(event: LiveKitRoomEvent, { localParticipant }: Room): void {
    if (event.type === 'connectionQualityChanged' && event.identity === localParticipant?.identity) {
      this.#quality = event.quality;
    }
    if (event.type === 'reconnecting') this.subscriptions.disconnected();
    if (event.type === 'reconnected') this.subscriptions.connected();
    if (event.type === 'disconnected') {
      if (this.#closed) return;
      this.#close();
    }
    this.#events.next(event);
  }

  #close(): void {
    this.#closed = true;
    this.subscriptions.close();
    this.#joined?.lease?.stop();
  }

  async #leave(): Promise<void> {
    const leavesByItself = this.#joined !== undefined && !this.#closed;
    this.#close();
    if (this.#joined !== undefined) await this.#disconnect(this.#joined.connection, this.#joined.tracks);
    if (leavesByItself) this.#events.next({ type: 'left' });
    this.#events.complete();
    await this.#bounded('the SDK could not be shut down', this.#handle?.release());
  }

  async #disconnect(connection: RoomConnection, tracks?: PublishedTracks): Promise<void> {
    await Promise.all([
      this.#bounded('the room could not be left in an orderly way', connection.disconnect()),
      this.#bounded('the tracks could not be closed', tracks?.close()),
    ]);
    connection.removeListeners();
  }

  async #bounded(failure: string, work: Promise<unknown> | undefined): Promise<void> {
    if (work === undefined) return;
    const end = await withTimeout(work, leaveLimitMs).catch((error: unknown) => error);
    if (end !== 'done') this.#options.logger.warn({ end }, failure);
  }
}

/** The SDK may remove all participants up to 100 ms before it reports that it reconnects. */
const debounceMs = 200;
/** How long a participant may be missing after the bot has reconnected. */
const graceMs = 5_000;

/**
 * Delays `participantLeft` by 200 ms; suppresses it while reconnecting, and emits it if the participant is still
 * missing 5 s after.
 *
 * When the connection is interrupted the SDK removes all participants, and announces those it finds again; their
 * `participantJoined` is suppressed too.
 */
export function debounceParticipantLeft(): MonoTypeOperatorFunction<LiveKitRoomEvent> {
  return (events$) =>
    new Observable((subscriber) => {
      const missing = new Map<string, LiveKitRoomEvent>();
      const subscription = new Subscription();
      let isInterrupted = false;
      let grace = new Subscription();
      const emitLeft = (identity: string): void => {
        const left = missing.get(identity);
        if (isInterrupted || left === undefined) return;
        missing.delete(identity);
        subscriber.next(left);
      };
      const endGrace = (): void => {
        isInterrupted = false;
        for (const identity of [...missing.keys()]) emitLeft(identity);
      };
      const next = (event: LiveKitRoomEvent): void => {
        if (event.type === 'participantLeft') {
          const { identity } = event;
          missing.set(identity, event);
          subscription.add(timer(debounceMs).subscribe(() => emitLeft(identity)));
        } else if (event.type !== 'participantJoined' || !missing.delete(event.identity)) {
          subscriber.next(event);
        }
        if (event.type === 'reconnecting') isInterrupted = true;
        if (event.type === 'reconnecting' || event.type === 'disconnected') grace.unsubscribe();
        if (event.type === 'reconnected') grace = timer(graceMs).subscribe(endGrace);
      };
      const complete = (): void => subscriber.complete();
      subscription.add(events$.subscribe({ next, complete }));
      subscription.add(() => grace.unsubscribe());
      return subscription;
    });
}
