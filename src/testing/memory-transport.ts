import type { AudioChunk, OutputAudioRawFrame } from '../frames/audio.ts';
import type { KeypadEntry } from '../frames/dtmf.ts';
import type { ImageChunk, OutputImageRawFrame } from '../frames/images.ts';
import { EndTaskFrame } from '../frames/lifecycle.ts';
import type { ParticipantKind } from '../frames/participants.ts';
import { checkNames } from '../lib/options.ts';
import type { BaseInputTransport } from '../transports/base-input.ts';
import type { BaseOutputTransport } from '../transports/base-output.ts';
import { BaseTransport } from '../transports/base-transport.ts';
import type { EventListeners } from '../transports/livekit/transport-events.ts';
import { encodeMessage } from '../transports/messages.ts';
import type { OutputMessage } from '../transports/outgoing-frames.ts';
import type { TrackSource, TransportParams } from '../transports/transport-params.ts';
import { MemoryInput, MemoryOutput } from './memory-transport-ends.ts';
import { MemoryRoom, type MemoryRoomEvent } from './memory-transport-room.ts';

export interface MemoryTransportOptions {
  /** Default: audio in and out. */
  readonly params?: TransportParams;
  /** Whether playing takes as long as the sound lasts; otherwise it takes no time. Default true. */
  readonly paced?: boolean;
}

/** Those events of a `LiveKitTransport` that a call without a server can have. */
export type MemoryTransportEvents = EventListeners<MemoryRoomEvent>;

/**
 * A transport without a network: participants are method calls, and what the bot says can be looked at.
 *
 * For tests of bots: frames, events and their order are those of a `LiveKitTransport`. And the smallest example of a
 * transport.
 */
export class MemoryTransport extends BaseTransport<MemoryTransportEvents> {
  readonly #room: MemoryRoom;
  readonly #input: MemoryInput;
  readonly #output: MemoryOutput;

  /** @throws {InvalidOptionError} An option can never work, or does not exist. */
  constructor(options: MemoryTransportOptions = {}) {
    checkNames(options, ['params', 'paced']);
    const { params, paced = true } = options;
    super(params ?? { audioInEnabled: true, audioOutEnabled: true });
    this.#room = new MemoryRoom(paced);
    this.#room.events$.subscribe((event) => this.#tell(event));
    this.#input = new MemoryInput(this.#room, this.params);
    this.#output = new MemoryOutput(this.#room, this.params);
  }

  override input(): BaseInputTransport {
    return this.#input;
  }

  override output(): BaseOutputTransport {
    return this.#output;
  }

  get isConnected(): boolean {
    return this.#room.isConnected;
  }

  /** `joined` and `left`, as they happened. */
  get history(): readonly ('joined' | 'left')[] {
    return this.#room.history;
  }

  /** Identities of the others in the room. */
  get participants(): readonly string[] {
    return [...this.#room.participants.keys()];
  }

  /** The chunks that were heard to their end, of all destinations, and what a mixer added in between. */
  get played(): readonly OutputAudioRawFrame[] {
    return this.#room.played;
  }

  /** How much was heard, in milliseconds. */
  get playedMs(): number {
    return this.played.reduce((sum, chunk) => sum + chunk.durationMs, 0);
  }

  /** The pictures that were shown, each time they were. */
  get shown(): readonly OutputImageRawFrame[] {
    return this.#room.shown;
  }

  /** What was sent, in order. */
  get messages(): readonly OutputMessage[] {
    return this.#room.messages;
  }

  /** The telephone keys that were pressed, in order. */
  get keys(): readonly KeypadEntry[] {
    return this.#room.keys;
  }

  /** Also before the run: somebody who waits for the bot. */
  participantJoins(identity: string, kind: ParticipantKind = 'standard'): void {
    if (this.#room.participants.has(identity)) return;
    this.#room.participants.set(identity, { identity, kind });
    this.#room.tell({ type: 'participantJoined', identity, kind });
  }

  participantLeaves(identity: string): void {
    const participant = this.#room.participants.get(identity);
    if (participant === undefined) return;
    this.#room.participants.delete(identity);
    this.#room.tell({ type: 'participantLeft', ...participant });
  }

  /** Heard where `params.audioInSources` has the source. */
  participantSpeaks(identity: string, chunk: AudioChunk, source: TrackSource = 'microphone'): void {
    this.#input.heard(identity, chunk, source);
  }

  participantShows(identity: string, image: ImageChunk, source: TrackSource = 'camera'): void {
    this.#input.seen(identity, image, source);
  }

  /** @param message Bytes and text are received as they are, anything else as JSON. Only objects become frames. */
  participantSends(identity: string, message: unknown): void {
    const data = encodeMessage(message);
    this.#room.tell({ type: 'dataReceived', data, identity, topic: undefined });
  }

  /** @param keys Of a telephone, such as `12#`. */
  participantPresses(identity: string, keys: string): void {
    for (const digit of keys) this.#room.tell({ type: 'dtmfReceived', digit, identity });
  }

  /** The other side ends the connection, as when somebody deletes the room: the run ends. */
  disconnects(reason = 'ROOM_DELETED'): void {
    this.#room.end(reason);
  }

  #tell(event: MemoryRoomEvent): void {
    this.emit(event.type, event as never);
    if (event.type === 'disconnected') this.#ask(new EndTaskFrame(event.reason));
  }

  /** Asks the task, from whichever end stands in its pipeline. */
  #ask(frame: EndTaskFrame): void {
    const end = this.#input.previous === undefined ? this.#output : this.#input;
    end.push(frame, 'upstream');
  }
}
