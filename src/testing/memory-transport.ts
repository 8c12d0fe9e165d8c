/** A transport in memory, with its room: for tests of bots, and the smallest example of a transport. */

import { filter, type Observable, Subject, Subscription } from 'rxjs';
import { type AudioChunk, type OutputAudioRawFrame, UserAudioRawFrame } from '../frames/audio.ts';
import type { KeypadEntry } from '../frames/dtmf.ts';
import { type ImageChunk, type OutputImageRawFrame, UserImageRawFrame } from '../frames/images.ts';
import { EndTaskFrame } from '../frames/lifecycle.ts';
import type { ParticipantKind } from '../frames/participants.ts';
import { checkNames } from '../lib/options.ts';
import type { FrameProcessorSetup } from '../processors/frame-processor-setup.ts';
import type { BaseInputTransport } from '../transports/base-input.ts';
import type { BaseOutputTransport, OutputMessage } from '../transports/base-output.ts';
import { BaseTransport } from '../transports/base-transport.ts';
import type { EventListeners, LiveKitRoomEvent } from '../transports/livekit/room-events.ts';
import { encodeMessage } from '../transports/messages.ts';
import {
  isParticipantEvent,
  isRoomInputEvent,
  type Participant,
  RoomInputTransport,
  RoomOutputTransport,
} from '../transports/room-transport.ts';
import type {
  ResolvedTransportParams,
  TrackSource,
  TransportParams,
} from '../transports/transport-params.ts';

/** Options of a {@link MemoryTransport}. */
export interface MemoryTransportOptions {
  /** Media. Default: audio in and out. */
  readonly params?: TransportParams;
  /** Whether playing audio takes as long as it lasts; otherwise it takes no time. Default true. */
  readonly paced?: boolean;
}

/** The events of a `LiveKitTransport` that can occur without a server. */
export type MemoryTransportEvents = EventListeners<MemoryRoomEvent>;

/**
 * A transport without a network: participants are simulated by method calls, and the bot's output is recorded.
 *
 * Frames, events and their order are those of a `LiveKitTransport`.
 *
 * @example
 * const transport = new MemoryTransport();
 * const task = new PipelineTask(new Pipeline([transport.input(), bot, transport.output()]));
 * task.once('started', () => transport.participantJoins('ada'));
 */
export class MemoryTransport extends BaseTransport<MemoryTransportEvents> {
  readonly #room: MemoryRoom;
  readonly #input: MemoryInput;
  readonly #output: MemoryOutput;

  /** @throws {InvalidOptionError} An option is invalid or unknown. */
  constructor(options: MemoryTransportOptions = {}) {
    checkNames(options, ['params', 'paced']);
    const { params, paced = true } = options;
    super(params ?? { audioInEnabled: true, audioOutEnabled: true });
    this.#room = new MemoryRoom(paced);
    this.#room.events$.subscribe((event) => this.#onRoomEvent(event));
    this.#input = new MemoryInput(this.#room, this.params);
    this.#output = new MemoryOutput(this.#room, this.params);
  }

  override input(): BaseInputTransport {
    return this.#input;
  }

  override output(): BaseOutputTransport {
    return this.#output;
  }

  /** Whether the bot is in the room. */
  get isConnected(): boolean {
    return this.#room.isConnected;
  }

  /** `joined` and `left`, in order. */
  get history(): readonly ('joined' | 'left')[] {
    return this.#room.history;
  }

  /** Identities of the other participants in the room. */
  get participants(): readonly string[] {
    return [...this.#room.participants.keys()];
  }

  /** The chunks that were played to their end, of all destinations, including a mixer's background. */
  get played(): readonly OutputAudioRawFrame[] {
    return this.#room.played;
  }

  /** Length of {@link played}, in milliseconds. */
  get playedMs(): number {
    return this.played.reduce((sum, chunk) => sum + chunk.durationMs, 0);
  }

  /** The images shown, including repetitions. */
  get shown(): readonly OutputImageRawFrame[] {
    return this.#room.shown;
  }

  /** The messages sent, in order. */
  get messages(): readonly OutputMessage[] {
    return this.#room.messages;
  }

  /** The DTMF keys sent, in order. */
  get keys(): readonly KeypadEntry[] {
    return this.#room.keys;
  }

  /** Adds a participant; also before the run. Idempotent. */
  participantJoins(identity: string, kind: ParticipantKind = 'standard'): void {
    if (this.#room.participants.has(identity)) return;
    this.#room.participants.set(identity, { identity, kind });
    this.#room.emit({ type: 'participantJoined', identity, kind });
  }

  /** Removes a participant. Idempotent. */
  participantLeaves(identity: string): void {
    const participant = this.#room.participants.get(identity);
    if (participant === undefined) return;
    this.#room.participants.delete(identity);
    this.#room.emit({ type: 'participantLeft', ...participant });
  }

  /** Sends audio to the bot; received where `params.audioInSources` has the source. */
  participantSpeaks(identity: string, chunk: AudioChunk, source: TrackSource = 'microphone'): void {
    this.#input.receiveAudio(identity, chunk, source);
  }

  /** Sends an image to the bot. */
  participantShows(identity: string, image: ImageChunk, source: TrackSource = 'camera'): void {
    this.#input.receiveImage(identity, image, source);
  }

  /**
   * Sends a message to the bot.
   *
   * @param message Strings and bytes are sent unchanged, everything else as JSON. Only objects become frames.
   */
  participantSends(identity: string, message: unknown): void {
    const data = encodeMessage(message);
    this.#room.emit({ type: 'dataReceived', data, identity, topic: undefined });
  }

  /** @param keys DTMF keys, such as `12#`. */
  participantPresses(identity: string, keys: string): void {
    for (const digit of keys) this.#room.emit({ type: 'dtmfReceived', digit, identity });
  }

  /** Ends the connection remotely, as when the room is deleted: the run ends. */
  disconnects(reason = 'ROOM_DELETED'): void {
    this.#room.disconnectRemotely(reason);
  }

  #onRoomEvent(event: MemoryRoomEvent): void {
    this.emit(event.type, event as never);
    if (event.type === 'disconnected') this.pushToTask(new EndTaskFrame(event.reason));
  }
}

class MemoryInput extends RoomInputTransport {
  readonly #room: MemoryRoom;
  #subscription = new Subscription();

  constructor(room: MemoryRoom, params: ResolvedTransportParams) {
    super(params);
    this.#room = room;
  }

  override async setup(setup: FrameProcessorSetup): Promise<void> {
    await super.setup(setup);
    this.#subscription.unsubscribe();
    this.#subscription = this.#room.events$
      .pipe(filter(isRoomInputEvent))
      .subscribe((event) => this.onRoomEvent(event));
    this.#room.connect(this);
  }

  receiveAudio(userId: string, chunk: AudioChunk, source: TrackSource): void {
    if (!this.params.audioInSources.includes(source)) return;
    const frame = new UserAudioRawFrame({ ...chunk, userId });
    frame.transportSource = source;
    this.pushAudioFrame(frame);
  }

  receiveImage(userId: string, image: ImageChunk, source: TrackSource): void {
    const frame = new UserImageRawFrame({ ...image, userId });
    frame.transportSource = source;
    this.pushVideoFrame(frame);
  }

  protected override started(): void {
    this.onConnected(this.#room.participants.values());
  }

  protected override async leave(): Promise<void> {
    this.#subscription.unsubscribe();
    this.#room.disconnect(this);
  }
}

class MemoryOutput extends RoomOutputTransport {
  readonly #room: MemoryRoom;
  #subscription = new Subscription();

  constructor(room: MemoryRoom, params: ResolvedTransportParams) {
    super(params);
    this.#room = room;
  }

  override async setup(setup: FrameProcessorSetup): Promise<void> {
    await super.setup(setup);
    this.onConnected(this.#room.participants.values());
    this.#subscription.unsubscribe();
    this.#subscription = this.#room.events$
      .pipe(filter(isParticipantEvent))
      .subscribe((event) => this.onRoomEvent(event));
    this.#room.connect(this);
  }

  protected override writeAudioFrame(chunk: OutputAudioRawFrame): Promise<boolean> {
    return this.#room.play(chunk);
  }

  protected override async writeVideoFrame(image: OutputImageRawFrame): Promise<boolean> {
    if (this.#room.isConnected) this.#room.shown.push(image);
    return this.#room.isConnected;
  }

  protected override clearAudio(destination: string | undefined): void {
    this.#room.clear(destination);
  }

  protected override async sendMessage(message: OutputMessage): Promise<void> {
    encodeMessage(message.message);
    if (this.#room.isConnected) this.#room.messages.push(message);
  }

  protected override async sendDTMF(key: KeypadEntry): Promise<void> {
    if (this.#room.isConnected) this.#room.keys.push(key);
  }

  protected override async leave(): Promise<void> {
    this.#subscription.unsubscribe();
    this.#room.disconnect(this);
  }
}

/** The events of a LiveKit room that can occur without a server. */
export type MemoryRoomEvent = Extract<
  LiveKitRoomEvent,
  {
    readonly type:
      | 'connected'
      | 'disconnected'
      | 'left'
      | 'participantJoined'
      | 'participantLeft'
      | 'dataReceived'
      | 'dtmfReceived';
  }
>;

/** Joined with the first owner, left with the last, as a `RoomSession`. */
export class MemoryRoom {
  readonly #events = new Subject<MemoryRoomEvent>();
  /** Participants and messages, as they come. */
  readonly events$: Observable<MemoryRoomEvent> = this.#events.asObservable();
  /** By identity. */
  readonly participants: Map<string, Participant> = new Map();
  /** The audio that the bot has played. */
  readonly played: OutputAudioRawFrame[] = [];
  /** The images that the bot has shown. */
  readonly shown: OutputImageRawFrame[] = [];
  /** The messages that the bot has sent, in order. */
  readonly messages: OutputMessage[] = [];
  /** The DTMF keys that the bot has sent. */
  readonly keys: KeypadEntry[] = [];
  /** Joins and leaves of the bot. */
  readonly history: ('joined' | 'left')[] = [];
  readonly #owners = new Set<object>();
  readonly #paced: boolean;
  /** Interrupts the chunk that is being played, by destination. */
  readonly #interrupts = new Map<string | undefined, () => void>();

  /** @param paced Whether playing audio takes as long as it lasts. */
  constructor(paced: boolean) {
    this.#paced = paced;
  }

  /** Whether there is an owner. */
  get isConnected(): boolean {
    return this.#owners.size > 0;
  }

  /** Adds an owner. */
  connect(owner: object): void {
    const isJoining = !this.isConnected;
    this.#owners.add(owner);
    if (!isJoining) return;
    this.history.push('joined');
    this.#events.next({ type: 'connected' });
    for (const participant of this.participants.values()) {
      this.#events.next({ type: 'participantJoined', ...participant });
    }
  }

  /** Removes an owner. Idempotent. */
  disconnect(owner: object): void {
    if (!this.#owners.delete(owner) || this.isConnected) return;
    this.#left({ type: 'left' });
  }

  /** The server ends the connection. */
  disconnectRemotely(reason: string): void {
    if (!this.isConnected) return;
    this.#owners.clear();
    this.participants.clear();
    this.#left({ type: 'disconnected', reason });
  }

  /** Emits an event, if the bot is connected. */
  emit(event: MemoryRoomEvent): void {
    if (this.isConnected) this.#events.next(event);
  }

  /** @returns Whether the chunk was played to its end. */
  async play(chunk: OutputAudioRawFrame): Promise<boolean> {
    const isWhole = this.isConnected && (!this.#paced || (await this.#playFor(chunk)));
    if (isWhole) this.played.push(chunk);
    return isWhole;
  }

  /** Interrupts the chunk that is being played at this destination. */
  clear(destination: string | undefined): void {
    this.#interrupts.get(destination)?.();
  }

  #left(event: MemoryRoomEvent): void {
    this.history.push('left');
    for (const interrupt of this.#interrupts.values()) interrupt();
    this.#events.next(event);
  }

  #playFor({ durationMs, transportDestination }: OutputAudioRawFrame): Promise<boolean> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, durationMs, true);
      this.#interrupts.set(transportDestination, () => {
        clearTimeout(timer);
        resolve(false);
      });
    });
  }
}
