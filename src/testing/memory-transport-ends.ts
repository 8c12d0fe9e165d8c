/** The two ends of a transport in memory. */

import { Subscription } from 'rxjs';
import { type AudioChunk, type OutputAudioRawFrame, UserAudioRawFrame } from '../frames/audio.ts';
import { InputDTMFFrame, isKeypadEntry } from '../frames/dtmf.ts';
import { type ImageChunk, type OutputImageRawFrame, UserImageRawFrame } from '../frames/images.ts';
import { InputTransportMessageFrame } from '../frames/messages.ts';
import {
  BotConnectedFrame,
  ClientConnectedFrame,
  ParticipantJoinedFrame,
  ParticipantLeftFrame,
} from '../frames/participants.ts';
import type { FrameProcessorSetup } from '../processors/frame-processor-setup.ts';
import { BaseInputTransport } from '../transports/base-input.ts';
import { BaseOutputTransport } from '../transports/base-output.ts';
import { parseMessage } from '../transports/livekit/messages.ts';
import type { OutputKeys, OutputMessage } from '../transports/outgoing-frames.ts';
import type { FilledTransportParams } from '../transports/transport-params.ts';
import type { MemoryRoom, MemoryRoomEvent } from './memory-transport-room.ts';

export class MemoryInput extends BaseInputTransport {
  readonly #room: MemoryRoom;
  #subscription = new Subscription();

  constructor(room: MemoryRoom, params: FilledTransportParams) {
    super(params);
    this.#room = room;
  }

  override async setup(setup: FrameProcessorSetup): Promise<void> {
    await super.setup(setup);
    this.#subscription.unsubscribe();
    this.#subscription = this.#room.events$.subscribe((event) => this.#on(event));
    this.#room.connect(this);
  }

  heard(userId: string, chunk: AudioChunk): void {
    this.pushAudioFrame(new UserAudioRawFrame({ ...chunk, userId }));
  }

  seen(userId: string, image: ImageChunk): void {
    this.pushVideoFrame(new UserImageRawFrame({ ...image, userId }));
  }

  protected override started(): void {
    this.push(new BotConnectedFrame());
    for (const identity of this.#room.participants) this.push(new ParticipantJoinedFrame(identity));
    if (this.#room.participants.size > 0) this.push(new ClientConnectedFrame());
  }

  protected override async leave(): Promise<void> {
    this.#subscription.unsubscribe();
    this.#room.disconnect(this);
  }

  #on(event: MemoryRoomEvent): void {
    if (!this.isOpen) return;
    switch (event.type) {
      case 'participantJoined':
        this.push(new ParticipantJoinedFrame(event.identity));
        if (this.#room.participants.size === 1) this.push(new ClientConnectedFrame());
        break;
      case 'participantLeft':
        this.push(new ParticipantLeftFrame(event.identity));
        break;
      case 'dataReceived': {
        const message = parseMessage(event.data);
        if (message !== undefined) this.broadcast(InputTransportMessageFrame, message, event.identity);
        break;
      }
      case 'dtmfReceived':
        if (isKeypadEntry(event.digit)) this.push(new InputDTMFFrame(event.digit));
        break;
      default:
    }
  }
}

export class MemoryOutput extends BaseOutputTransport {
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

  protected override async writeVideoFrame(image: OutputImageRawFrame): Promise<boolean> {
    if (this.#room.isConnected) this.#room.shown.push(image);
    return this.#room.isConnected;
  }

  protected override clearAudio(destination: string | undefined): void {
    this.#room.cut(destination);
  }

  protected override async sendMessage(message: OutputMessage): Promise<void> {
    if (this.#room.isConnected) this.#room.messages.push(message);
  }

  protected override async sendKeys({ buttons }: OutputKeys): Promise<void> {
    if (this.#room.isConnected) this.#room.keys.push(...buttons);
  }

  protected override async leave(): Promise<void> {
    this.#room.disconnect(this);
  }
}
