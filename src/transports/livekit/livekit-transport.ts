/** A bot's connection to a LiveKit room, with the queue of its data messages; the room is deleted after the run. */

import { EMPTY, type Observable, Subject } from 'rxjs';
import { RoomCleanup } from '../../cleanup/room-cleanup.ts';
import { PipelineError } from '../../lib/errors.ts';
import type { Logger } from '../../lib/logger.ts';
import type { FrameProcessor } from '../../processors/frame-processor.ts';
import type { FrameProcessorSetup } from '../../processors/frame-processor-setup.ts';
import type { RoomDeletionOutcome } from '../../rooms/delete-room.ts';
import type { DeletionTrigger } from '../../rooms/delete-when.ts';
import { BaseTransport } from '../base-transport.ts';
import { encodeMessage } from '../messages.ts';
import { LiveKitInputTransport, type SessionAccess } from './livekit-input.ts';
import {
  checkedOptions,
  type LiveKitTransportOptions,
  type ResolvedLiveKitOptions,
  resolveLiveKitOptions,
} from './livekit-options.ts';
import { LiveKitOutputTransport } from './livekit-output.ts';
import { RejoinGuard } from './rejoin-guard.ts';
import type { RoomConnection } from './room-connection.ts';
import type {
  ConnectionQuality,
  LiveKitRoomEvent,
  LiveKitTransportEvents,
  ParticipantInfo,
} from './room-events.ts';
import { RoomSession } from './room-session.ts';

/** How many messages may be queued before the join. */
const outboxLimit = 100;

/**
 * A bot's connection to a LiveKit room, which is deleted when the run is over.
 *
 * It joins during setup: the StartFrame goes on when the bot is in the room and, with `audioOutEnabled`, has published
 * its track. After an EndFrame it drains, leaves, and deletes the room; after a CancelFrame it does so at once. After a
 * StopFrame it stays connected, for the next run with the same transport.
 *
 * When the room is deleted remotely the run ends, also when that is detected later; for other disconnects see
 * `onRemoteDisconnect`. When another participant joins with the bot's identity the run ends, and the room is kept for
 * it. The transport never rejoins by itself.
 *
 * @example
 * const transport = new LiveKitTransport({ params: { audioInEnabled: true, audioOutEnabled: true } });
 * const pipeline = new Pipeline([transport.input(), bot, transport.output()]);
 *
 * @throws {InvalidOptionError} An option is missing or invalid.
 * @see Pipecat `transports/livekit/transport.py`, `LiveKitTransport`; there the room is never deleted.
 */
export class LiveKitTransport extends BaseTransport<LiveKitTransportEvents> implements AsyncDisposable {
  readonly #options: ResolvedLiveKitOptions;
  readonly #cleanup: RoomCleanup | undefined;
  readonly #armed = new WeakSet<FrameProcessorSetup>();
  readonly #events = new Subject<LiveKitRoomEvent>();
  /** All events of all runs as one stream. Never completes. */
  readonly events$: Observable<LiveKitRoomEvent> = this.#events.asObservable();
  readonly #outbox: Outbox;
  readonly #rejoinGuard: RejoinGuard;
  #session: RoomSession;
  #input: LiveKitInputTransport | undefined;
  #output: LiveKitOutputTransport | undefined;

  constructor(options: LiveKitTransportOptions = {}) {
    super(checkedOptions(options).params);
    this.#options = resolveLiveKitOptions(options);
    const { deleter, logger } = this.#options;
    this.#outbox = new Outbox({
      limit: outboxLimit,
      onLost: (error) => logger.warn({ roomName: this.roomName, error }, 'a message could not be sent'),
    });
    this.#rejoinGuard = new RejoinGuard(this.#options, (frame) => this.pushToTask(frame));
    this.#session = this.#newSession();
    if (deleter === undefined) return;
    this.#cleanup = new RoomCleanup(deleter);
    deleter.outcome$.subscribe(() => this.#rejoinGuard.close('its room was deleted or kept'));
  }

  /** The room's name. */
  get roomName(): string {
    return this.#options.roomName;
  }

  /** The bot's identity. */
  get identity(): string {
    return this.#options.identity;
  }

  /** Identities of the other participants in the room. */
  get participants(): readonly string[] {
    return this.#session.participants.map(({ identity }) => identity);
  }

  /** The current state of a participant; `undefined` where there is none of that identity. */
  participant(identity: string): ParticipantInfo | undefined {
    return this.#session.participants.find((one) => one.identity === identity);
  }

  /** The bot's own, as LiveKit rates it every few seconds; `undefined` until then. */
  get connectionQuality(): ConnectionQuality | undefined {
    return this.#session.connectionQuality;
  }

  /** The outcome of the room's deletion: replays its one value. Empty with `deleteRoomOnEnd: false`. */
  get outcome$(): Observable<RoomDeletionOutcome> {
    return this.#options.deleter?.outcome$ ?? EMPTY;
  }

  protected override get logger(): Logger {
    return this.#options.logger;
  }

  override input(): FrameProcessor {
    this.#input ??= new LiveKitInputTransport(this.#access, this.params);
    return this.#input;
  }

  override output(): FrameProcessor {
    this.#output ??= new LiveKitOutputTransport(this.#access, this.params);
    return this.#output;
  }

  /**
   * Sends a message at once, or after the join: up to 100 are queued, further ones dropped with a warning.
   *
   * To send a message in order behind the bot's speech push an `OutputTransportMessageFrame`.
   *
   * @param message Strings and bytes are sent unchanged, everything else as JSON; at most 63,000 bytes. LiveKit
   * recommends at most 15 KiB, as some clients take no more.
   * @param identity The recipient; all participants by default.
   * @throws {InvalidOptionError} It is too long, or JSON cannot express it.
   */
  sendMessage(message: unknown, identity?: string): void {
    this.#outbox.post({ data: encodeMessage(message), identity });
  }

  /**
   * Sets some of the bot's attributes; an empty string removes one.
   *
   * @throws {PipelineError} The bot is not in its room.
   */
  async setAttributes(attributes: Readonly<Record<string, string>>): Promise<void> {
    await this.#connection('setAttributes()').setAttributes(attributes);
  }

  /**
   * Sets the bot's metadata.
   *
   * @throws {PipelineError} The bot is not in its room.
   */
  async setMetadata(metadata: string): Promise<void> {
    await this.#connection('setMetadata()').setMetadata(metadata);
  }

  /** Unsubscribes from a participant's audio, including later tracks; not visible to others. */
  muteParticipant(identity: string): void {
    this.#session.subscriptions.mute(identity, true);
  }

  /** Subscribes to a participant's audio again. */
  unmuteParticipant(identity: string): void {
    this.#session.subscriptions.mute(identity, false);
  }

  /** Mutes the bot's audio tracks, visibly to others; audio played meanwhile is lost. */
  mute(): void {
    this.#session.mute(true);
  }

  /** Unmutes the bot's audio tracks. */
  unmute(): void {
    this.#session.mute(false);
  }

  /** Leaves and deletes the room, unless `deleteRoomOnEnd` is false. For a stopped transport without another run. */
  async close(trigger: DeletionTrigger = 'manual'): Promise<void> {
    this.#rejoinGuard.close('it was closed');
    await Promise.all([this.#session.close(), this.#options.deleter?.deleteRoom(trigger)]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  readonly #access: SessionAccess = {
    enter: (setup) => {
      if (!this.#armed.has(setup)) this.#arm(setup);
      const { reason } = this.#rejoinGuard;
      if (reason !== undefined) {
        throw new PipelineError(`This LiveKitTransport does not join again: ${reason}`);
      }
      if (this.#session.closed) {
        void this.#session.close();
        this.#session = this.#newSession();
      }
      return this.#session;
    },
  };

  #arm(setup: FrameProcessorSetup): void {
    this.#armed.add(setup);
    this.#cleanup?.arm(setup);
  }

  #newSession(): RoomSession {
    const { url, roomName, nameIsNew, rest, deleter, createToken, leaseBeatMs, logger } = this.#options;
    const session = new RoomSession({
      url,
      roomName,
      rest,
      onNeverJoined: () => deleter?.neverJoined({ nameIsNew }),
      createToken,
      company: this.params.company,
      leaseBeatMs,
      logger,
    });
    session.events$.subscribe((event) => this.#on(event, session));
    return session;
  }

  #on(event: LiveKitRoomEvent, session: RoomSession): void {
    if (event.type === 'connected') this.#joined(session);
    if (event.type === 'connected' || event.type === 'reconnected') this.#updateParticipant(session);
    if (event.type === 'disconnected' || event.type === 'left') this.#outbox.close();
    if (event.type === 'disconnected') this.#rejoinGuard.disconnected(event.reason);
    this.#emit(event);
    if (event.type === 'reconnected') void this.#checkRoom(session);
  }

  async #checkRoom(session: RoomSession): Promise<void> {
    const isReplaced = await this.#rejoinGuard.isReplaced(session);
    if (isReplaced) this.#emit({ type: 'disconnected', reason: 'ROOM_REPLACED' });
  }

  #joined(session: RoomSession): void {
    this.#outbox.open(async ({ data, identity }) => session.connection?.send(data, identity));
    void session.identity.then((identity) => {
      if (identity !== undefined) this.#options.deleter?.identify(identity);
    });
  }

  /** A reconnect may change the bot's sid. */
  #updateParticipant({ connection }: RoomSession): void {
    const sid = connection?.room.localParticipant?.sid;
    if (sid !== undefined) this.#options.deleter?.participantIs(sid);
  }

  #emit(event: LiveKitRoomEvent): void {
    this.emit(event.type, event as never);
    this.#events.next(event);
  }

  #connection(what: string): RoomConnection {
    const { connection } = this.#session;
    if (connection === undefined) throw new PipelineError(`${what} while the bot is not in its room`);
    return connection;
  }
}

/** A message to send. */
export interface OutgoingMessage {
  /** The payload. */
  readonly data: Uint8Array;
  /** The recipient; `undefined` for all participants. */
  readonly identity: string | undefined;
}

/** Limits and error handling of an {@link Outbox}. */
export interface OutboxOptions {
  /** Maximum number of queued messages. */
  readonly limit: number;
  /** Called for each message that was dropped as the queue is full, or could not be sent. */
  readonly onLost: (error: unknown) => void;
}

type Send = (message: OutgoingMessage) => Promise<void>;

/** Sends messages in order, one at a time; queues them while it is closed. */
export class Outbox {
  readonly #options: OutboxOptions;
  readonly #queue: OutgoingMessage[] = [];
  #send: Send | undefined;
  #sending = false;

  constructor(options: OutboxOptions) {
    this.#options = options;
  }

  /** Queues a message; drops it when the queue is full. */
  post(message: OutgoingMessage): void {
    const { limit, onLost } = this.#options;
    if (this.#queue.length >= limit) {
      onLost(new Error(`${limit} messages wait to be sent; another one was dropped`));
      return;
    }
    this.#queue.push(message);
    void this.#sendAll();
  }

  /** Sends the queue and later messages, until it is closed. */
  open(send: Send): void {
    this.#send = send;
    void this.#sendAll();
  }

  /** Clears the queue; later messages are queued. */
  close(): void {
    this.#send = undefined;
    this.#queue.length = 0;
  }

  async #sendAll(): Promise<void> {
    if (this.#sending) return;
    this.#sending = true;
    for (let send = this.#send; send !== undefined && this.#queue.length > 0; send = this.#send) {
      await send(this.#queue.shift() as OutgoingMessage).catch(this.#options.onLost);
    }
    this.#sending = false;
  }
}
