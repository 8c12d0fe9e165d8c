import { EMPTY, type Observable, Subject } from 'rxjs';
import { RoomCleanup } from '../../cleanup/room-cleanup.ts';
import type { Frame } from '../../frames/frame.ts';
import { PipelineError } from '../../lib/errors.ts';
import type { Logger } from '../../lib/logger.ts';
import type { FrameProcessor } from '../../processors/frame-processor.ts';
import type { FrameProcessorSetup } from '../../processors/frame-processor-setup.ts';
import type { DeletionTrigger } from '../../rooms/delete-when.ts';
import type { RoomDeletionOutcome } from '../../rooms/room-deletion.ts';
import { BaseTransport } from '../base-transport.ts';
import { encodeMessage } from '../messages.ts';
import { LiveKitInputTransport, type RoomAccess } from './livekit-input.ts';
import {
  checkedOptions,
  type LiveKitPlan,
  type LiveKitTransportOptions,
  liveKitPlan,
} from './livekit-options.ts';
import { LiveKitOutputTransport } from './livekit-output.ts';
import { LiveKitRoom } from './livekit-room.ts';
import { Outbox } from './outbox.ts';
import type { ParticipantInfo } from './participant-info.ts';
import type { RoomConnection } from './room-connection.ts';
import { RoomFence } from './room-fence.ts';
import type { ConnectionQuality, LiveKitRoomEvent, LiveKitTransportEvents } from './transport-events.ts';

/** How many messages may wait for the join. */
const outboxLimit = 100;

/**
 * A bot's place in a LiveKit room, which is deleted when the run is over.
 *
 * It joins while the processors are set up: the StartFrame goes on when the bot is in the room and, with
 * `audioOutEnabled`, has its track there. After an EndFrame it plays out, leaves, and deletes the room; after a
 * CancelFrame it does so at once. After a StopFrame it stays, for the next run with the same transport.
 *
 * When the room is deleted by somebody else the run ends, also when that is found out later; for other disconnects
 * see `onRemoteDisconnect`. When another participant joins with the bot's identity the run ends, and the room is left
 * to that one. It never joins again by itself.
 *
 * @throws {InvalidOptionError} An option is missing or can never work.
 * @see Pipecat `transports/livekit/transport.py`, `LiveKitTransport`; there the room is never deleted.
 */
export class LiveKitTransport extends BaseTransport<LiveKitTransportEvents> implements AsyncDisposable {
  readonly #plan: LiveKitPlan;
  readonly #cleanup: RoomCleanup | undefined;
  readonly #armed = new WeakSet<FrameProcessorSetup>();
  readonly #events = new Subject<LiveKitRoomEvent>();
  /** What happens in the room, in all runs; the events of the same names as one stream. Never completes. */
  readonly events$: Observable<LiveKitRoomEvent> = this.#events.asObservable();
  readonly #outbox: Outbox;
  readonly #fence: RoomFence;
  #room: LiveKitRoom;
  #input: LiveKitInputTransport | undefined;
  #output: LiveKitOutputTransport | undefined;

  constructor(options: LiveKitTransportOptions = {}) {
    super(checkedOptions(options).params);
    this.#plan = liveKitPlan(options);
    const { deleter, logger } = this.#plan;
    this.#outbox = new Outbox({
      limit: outboxLimit,
      onLost: (error) => logger.warn({ roomName: this.roomName, error }, 'a message could not be sent'),
    });
    this.#fence = new RoomFence(this.#plan, (frame) => this.#ask(frame));
    this.#room = this.#newRoom();
    if (deleter === undefined) return;
    this.#cleanup = new RoomCleanup(deleter);
    deleter.outcome$.subscribe(() => this.#fence.close('its room has had its end'));
  }

  get roomName(): string {
    return this.#plan.roomName;
  }

  /** The bot's own. */
  get identity(): string {
    return this.#plan.identity;
  }

  /** Identities of the others in the room. */
  get participants(): readonly string[] {
    return this.#room.participants.map(({ identity }) => identity);
  }

  /** What is known of one of them now; `undefined` for somebody who is not there. */
  participant(identity: string): ParticipantInfo | undefined {
    return this.#room.participants.find((one) => one.identity === identity);
  }

  /** Of the bot's own connection, as LiveKit rates it every few seconds; `undefined` until it has. */
  get connectionQuality(): ConnectionQuality | undefined {
    return this.#room.connectionQuality;
  }

  /** How the room's deletion ended: replays its one value. Empty where the room is not to be deleted. */
  get outcome$(): Observable<RoomDeletionOutcome> {
    return this.#plan.deleter?.outcome$ ?? EMPTY;
  }

  protected override get logger(): Logger {
    return this.#plan.logger;
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
   * Sends a message at once, or with the join; of those that wait for it, the 101st is dropped with a warning.
   *
   * To send one in its turn behind the bot's speech push an `OutputTransportMessageFrame`.
   *
   * @param message Text and bytes go as they are, everything else as JSON; 63 000 bytes at most. LiveKit recommends
   * 15 KiB at most: not every client takes more.
   * @param identity Whom it is for; everybody by default.
   * @throws {InvalidOptionError} It is too long, or nothing that JSON can express.
   */
  sendMessage(message: unknown, identity?: string): void {
    this.#outbox.post({ data: encodeMessage(message), identity });
  }

  /** Sets some of the bot's attributes, and leaves the others; an empty text removes one. Only in the room. */
  async setAttributes(attributes: Readonly<Record<string, string>>): Promise<void> {
    await this.#connection('setAttributes()').setAttributes(attributes);
  }

  /** Sets the bot's metadata. Only in the room. */
  async setMetadata(metadata: string): Promise<void> {
    await this.#connection('setMetadata()').setMetadata(metadata);
  }

  /** Has nothing more of somebody's sound sent to the bot, also when they publish again; they are not told. */
  muteParticipant(identity: string): void {
    this.#room.reception.mute(identity, true);
  }

  unmuteParticipant(identity: string): void {
    this.#room.reception.mute(identity, false);
  }

  /** Mutes the bot, as people mute themselves: what it says meanwhile is not heard, and the others are told. */
  mute(): void {
    this.#room.mute(true);
  }

  unmute(): void {
    this.#room.mute(false);
  }

  /** Leaves, and deletes the room, unless it is to stay. For a transport that was stopped and has no next run. */
  async close(trigger: DeletionTrigger = 'manual'): Promise<void> {
    this.#fence.close('it was closed');
    await Promise.all([this.#room.close(), this.#plan.deleter?.deleteRoom(trigger)]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  readonly #access: RoomAccess = {
    enter: (setup) => {
      if (!this.#armed.has(setup)) this.#arm(setup);
      const { reason } = this.#fence;
      if (reason !== undefined) {
        throw new PipelineError(`This LiveKitTransport does not join again: ${reason}`);
      }
      if (this.#room.closed) {
        void this.#room.close();
        this.#room = this.#newRoom();
      }
      return this.#room;
    },
  };

  #arm(setup: FrameProcessorSetup): void {
    this.#armed.add(setup);
    this.#cleanup?.arm(setup);
  }

  #newRoom(): LiveKitRoom {
    const { url, roomName, nameIsNew, rest, deleter, createToken, leaseBeatMs, logger } = this.#plan;
    const room = new LiveKitRoom({
      url,
      roomName,
      rest,
      onNeverJoined: () => deleter?.neverJoined({ nameIsNew }),
      createToken,
      company: this.params.company,
      leaseBeatMs,
      logger,
    });
    room.events$.subscribe((event) => this.#on(event, room));
    return room;
  }

  #on(event: LiveKitRoomEvent, room: LiveKitRoom): void {
    if (event.type === 'connected') this.#joined(room);
    if (event.type === 'connected' || event.type === 'reconnected') this.#learnWhoTheBotIs(room);
    if (event.type === 'disconnected' || event.type === 'left') this.#outbox.close();
    if (event.type === 'disconnected') this.#fence.disconnected(event.reason);
    this.#tell(event);
    if (event.type === 'reconnected') void this.#makeSureOfRoom(room);
  }

  async #makeSureOfRoom(room: LiveKitRoom): Promise<void> {
    const isReplaced = await this.#fence.isReplaced(room);
    if (isReplaced) this.#tell({ type: 'disconnected', reason: 'ROOM_REPLACED' });
  }

  #joined(room: LiveKitRoom): void {
    this.#outbox.open(async ({ data, identity }) => room.connection?.send(data, identity));
    void room.identity.then((identity) => {
      if (identity !== undefined) this.#plan.deleter?.roomIs(identity);
    });
  }

  /** A reconnect may give the bot another sid. */
  #learnWhoTheBotIs({ connection }: LiveKitRoom): void {
    const sid = connection?.room.localParticipant?.sid;
    if (sid !== undefined) this.#plan.deleter?.participantIs(sid);
  }

  #tell(event: LiveKitRoomEvent): void {
    this.emit(event.type, event as never);
    this.#events.next(event);
  }

  #connection(what: string): RoomConnection {
    const { connection } = this.#room;
    if (connection === undefined) throw new PipelineError(`${what} while the bot is not in its room`);
    return connection;
  }

  /** Asks the task, from whichever end stands in its pipeline. */
  #ask(frame: Frame): void {
    const end = this.#input?.previous === undefined ? this.#output : this.#input;
    end?.push(frame, 'upstream');
  }
}
