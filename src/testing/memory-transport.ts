import { type AudioChunk, type OutputAudioRawFrame, UserAudioRawFrame } from '../frames/audio.ts';
import {
  BotConnectedFrame,
  ClientConnectedFrame,
  ParticipantJoinedFrame,
  ParticipantLeftFrame,
} from '../frames/participants.ts';
import type { FrameProcessorSetup } from '../processors/frame-processor-setup.ts';
import { BaseInputTransport } from '../transports/base-input.ts';
import { BaseOutputTransport } from '../transports/base-output.ts';
import { BaseTransport } from '../transports/base-transport.ts';
import type { OutputMessage } from '../transports/outgoing-frames.ts';
import type { FilledTransportParams, TransportParams } from '../transports/transport-params.ts';

export interface MemoryTransportOptions {
  /** Default: audio in and out. */
  readonly params?: TransportParams;
  /** Whether playing takes as long as the sound lasts; otherwise it takes no time. Default true. */
  readonly paced?: boolean;
}

/**
 * A transport without a network: participants are method calls, and what the bot says can be looked at.
 *
 * For tests of bots, and the smallest example of a transport.
 */
export class MemoryTransport extends BaseTransport {
  readonly #room: MemoryRoom;
  readonly #input: MemoryInput;
  readonly #output: MemoryOutput;

  constructor({ params, paced = true }: MemoryTransportOptions = {}) {
    super(params ?? { audioInEnabled: true, audioOutEnabled: true });
    this.#room = new MemoryRoom(paced);
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

  /** The chunks that were heard to their end. */
  get played(): readonly OutputAudioRawFrame[] {
    return this.#room.played;
  }

  /** How much was heard, in milliseconds. */
  get playedMs(): number {
    return this.played.reduce((sum, chunk) => sum + chunk.durationMs, 0);
  }

  /** What was sent, in order. */
  get messages(): readonly OutputMessage[] {
    return this.#room.messages;
  }

  participantJoins(identity: string): void {
    this.#room.participants.add(identity);
    this.#input.joined(identity);
  }

  participantLeaves(identity: string): void {
    if (this.#room.participants.delete(identity)) this.#input.left(identity);
  }

  participantSpeaks(identity: string, chunk: AudioChunk): void {
    this.#input.heard(identity, chunk);
  }
}

/** Joined by the first of its owners, left by the last, as a real room. */
class MemoryRoom {
  readonly participants = new Set<string>();
  readonly played: OutputAudioRawFrame[] = [];
  readonly messages: OutputMessage[] = [];
  readonly history: ('joined' | 'left')[] = [];
  readonly #owners = new Set<object>();
  readonly #paced: boolean;
  #cut: (() => void) | undefined;

  constructor(paced: boolean) {
    this.#paced = paced;
  }

  get isConnected(): boolean {
    return this.#owners.size > 0;
  }

  connect(owner: object): void {
    if (!this.isConnected) this.history.push('joined');
    this.#owners.add(owner);
  }

  disconnect(owner: object): void {
    if (!this.#owners.delete(owner) || this.isConnected) return;
    this.history.push('left');
    this.cut();
  }

  async play(chunk: OutputAudioRawFrame): Promise<boolean> {
    const isWhole = this.isConnected && (!this.#paced || (await this.#lasts(chunk.durationMs)));
    if (isWhole) this.played.push(chunk);
    return isWhole;
  }

  /** The chunk that is being played was not heard. */
  cut(): void {
    this.#cut?.();
  }

  #lasts(ms: number): Promise<boolean> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms, true);
      this.#cut = () => {
        clearTimeout(timer);
        resolve(false);
      };
    });
  }
}

class MemoryInput extends BaseInputTransport {
  readonly #room: MemoryRoom;

  constructor(room: MemoryRoom, params: FilledTransportParams) {
    super(params);
    this.#room = room;
  }

  override async setup(setup: FrameProcessorSetup): Promise<void> {
    await super.setup(setup);
    this.#room.connect(this);
  }

  joined(identity: string): void {
    if (!this.isOpen) return;
    this.push(new ParticipantJoinedFrame(identity));
    if (this.#room.participants.size === 1) this.push(new ClientConnectedFrame());
  }

  left(identity: string): void {
    if (this.isOpen) this.push(new ParticipantLeftFrame(identity));
  }

  heard(userId: string, chunk: AudioChunk): void {
    this.pushAudioFrame(new UserAudioRawFrame({ ...chunk, userId }));
  }

  protected override started(): void {
    this.push(new BotConnectedFrame());
    for (const identity of this.#room.participants) this.push(new ParticipantJoinedFrame(identity));
    if (this.#room.participants.size > 0) this.push(new ClientConnectedFrame());
  }

  protected override async leave(): Promise<void> {
    this.#room.disconnect(this);
  }
}

class MemoryOutput extends BaseOutputTransport {
  readonly #room: MemoryRoom;

  constructor(room: MemoryRoom, params: FilledTransportParams) {
    super(params);
    this.#room = room;
  }

  override async setup(setup: FrameProcessorSetup): Promise<void> {
    await super.setup(setup);
    this.#room.connect(this);
  }

  protected override writeAudioFrame(chunk: OutputAudioRawFrame): Promise<boolean> {
    return this.#room.play(chunk);
  }

  protected override clearAudio(): void {
    this.#room.cut();
  }

  protected override async sendMessage(message: OutputMessage): Promise<void> {
    this.#room.messages.push(message);
  }

  protected override async leave(): Promise<void> {
    this.#room.disconnect(this);
  }
}
