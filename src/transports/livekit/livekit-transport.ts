import { EMPTY, type Observable } from 'rxjs';
import { RoomCleanup } from '../../cleanup/room-cleanup.ts';
import { PipelineError } from '../../errors.ts';
import type { Frame } from '../../frames/frame.ts';
import { CancelTaskFrame, EndTaskFrame } from '../../frames/lifecycle.ts';
import type { Logger } from '../../logger.ts';
import type { FrameProcessor } from '../../processors/frame-processor.ts';
import type { FrameProcessorSetup } from '../../processors/frame-processor-setup.ts';
import type { DeletionTrigger } from '../../rooms/delete-when.ts';
import type { RoomDeletionOutcome } from '../../rooms/room-deletion.ts';
import { BaseTransport } from '../base-transport.ts';
import { LiveKitInputTransport, type RoomAccess } from './livekit-input.ts';
import { type LiveKitPlan, type LiveKitTransportOptions, liveKitPlan } from './livekit-options.ts';
import { LiveKitOutputTransport } from './livekit-output.ts';
import { LiveKitRoom } from './livekit-room.ts';
import type { LiveKitRoomEvent } from './room-events.ts';
import { isSameRoom } from './same-room.ts';

/** What a transport tells of its room. Participants are named by their identity. */
export interface LiveKitTransportEvents {
  /** The bot is in the room. */
  connected: () => void;
  /**
   * The server has ended the connection, for good; LiveKit's reason, such as `ROOM_DELETED`. Or the room was
   * deleted while the bot was not reachable, and is another one now: `ROOM_REPLACED`.
   */
  disconnected: (reason: string) => void;
  /** The bot has left by itself. */
  left: () => void;
  participantJoined: (identity: string) => void;
  participantLeft: (identity: string) => void;
  /** A participant speaks, or shows something, and the bot receives it. */
  trackSubscribed: (identity: string) => void;
  trackUnsubscribed: (identity: string) => void;
  dataReceived: (data: Uint8Array, identity: string | undefined, topic: string | undefined) => void;
  dtmfReceived: (digit: string, identity: string) => void;
  reconnecting: () => void;
  reconnected: () => void;
}

/**
 * A bot's place in a LiveKit room, which is deleted when the run is over.
 *
 * It joins while the processors are set up: the StartFrame goes on when the bot is in the room and, with
 * `audioOutEnabled`, can be heard. After an EndFrame it plays out, leaves, and deletes the room; after a
 * CancelFrame it does so at once. After a StopFrame it stays, for the next run with the same transport.
 *
 * When the room is deleted by somebody else the run ends, also when that is found out later; for other disconnects see `onRemoteDisconnect`. It
 * never joins again by itself.
 *
 * @throws {InvalidOptionError} An option is missing or can never work.
 * @see Pipecat `transports/livekit/transport.py`, `LiveKitTransport`; there the room is never deleted.
 */
export class LiveKitTransport extends BaseTransport<LiveKitTransportEvents> implements AsyncDisposable {
  readonly #plan: LiveKitPlan;
  readonly #cleanup: RoomCleanup | undefined;
  readonly #armed = new WeakSet<FrameProcessorSetup>();
  #room: LiveKitRoom | undefined;
  #input: LiveKitInputTransport | undefined;
  #output: LiveKitOutputTransport | undefined;
  /** Why it must not join again. */
  #fence: string | undefined;
  #joinFailed = false;

  constructor(options: LiveKitTransportOptions = {}) {
    super(options.params);
    this.#plan = liveKitPlan(options);
    const { deleter } = this.#plan;
    if (deleter === undefined) return;
    this.#cleanup = new RoomCleanup(deleter);
    deleter.outcome$.subscribe(() => {
      this.#fence ??= 'its room has had its end';
    });
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
    return this.#room?.participants ?? [];
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

  /** Leaves, and deletes the room, unless it is to stay. For a transport that was stopped and has no next run. */
  async close(trigger: DeletionTrigger = 'manual'): Promise<void> {
    this.#fence = 'it was closed';
    await Promise.all([this.#room?.close(), this.#plan.deleter?.deleteRoom(trigger)]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  readonly #access: RoomAccess = {
    enter: (setup) => {
      if (!this.#armed.has(setup)) this.#arm(setup);
      if (this.#fence !== undefined) {
        throw new PipelineError(`This LiveKitTransport does not join again: ${this.#fence}`);
      }
      if (this.#room?.closed === true) void this.#room.close();
      if (this.#room === undefined || this.#room.closed) this.#room = this.#newRoom();
      return this.#room;
    },
    cannotEnter: (end) => {
      this.#joinFailed = true;
      end.push(new CancelTaskFrame('the room could not be joined'), 'upstream');
    },
  };

  #arm(setup: FrameProcessorSetup): void {
    this.#armed.add(setup);
    this.#joinFailed = false;
    this.#cleanup?.arm(setup);
    setup.onExit('LiveKit join', async () => {
      if (this.#joinFailed) return { exitCode: 1 };
    });
  }

  #newRoom(): LiveKitRoom {
    const { url, createToken, logger } = this.#plan;
    const room = new LiveKitRoom({ url, createToken, logger });
    room.events$.subscribe((event) => this.#tell(event));
    return room;
  }

  #tell(event: LiveKitRoomEvent): void {
    switch (event.type) {
      case 'participantJoined':
      case 'participantLeft':
      case 'trackSubscribed':
      case 'trackUnsubscribed':
        this.emit(event.type, event.identity);
        break;
      case 'dataReceived':
        this.emit('dataReceived', event.data, event.identity, event.topic);
        break;
      case 'dtmfReceived':
        this.emit('dtmfReceived', event.digit, event.identity);
        break;
      case 'disconnected':
        this.#disconnected(event.reason);
        break;
      case 'reconnected':
        this.emit('reconnected');
        void this.#makeSureOfRoom();
        break;
      default:
        this.emit(event.type);
    }
  }

  #disconnected(reason: string): void {
    const { deleter, onRemoteDisconnect, logger } = this.#plan;
    const isDeleted = reason === 'ROOM_DELETED';
    logger.info({ roomName: this.roomName, reason }, 'the server has ended the connection');
    if (isDeleted) {
      this.#fence = 'its room was deleted';
      deleter?.roomIsGone('exit');
    }
    this.emit('disconnected', reason);
    if (isDeleted || onRemoteDisconnect === 'end') this.#ask(new EndTaskFrame(reason));
    else if (onRemoteDisconnect === 'cancel') this.#ask(new CancelTaskFrame(reason));
  }

  /** A bot must not go on in a room that it brought back to life by reconnecting. */
  async #makeSureOfRoom(): Promise<void> {
    const { rest, logger } = this.#plan;
    const joined = { roomName: this.roomName, sid: this.#room?.sid ?? '' };
    if (await isSameRoom(rest, joined, logger)) return;
    logger.warn(joined, 'the room was deleted and is another one now; the bot leaves it');
    this.#fence = 'its room was replaced by another one';
    this.emit('disconnected', 'ROOM_REPLACED');
    this.#ask(new EndTaskFrame('ROOM_REPLACED'));
  }

  /** Asks the task, from whichever end stands in its pipeline. */
  #ask(frame: Frame): void {
    const end = this.#input?.previous === undefined ? this.#output : this.#input;
    end?.push(frame, 'upstream');
  }
}
