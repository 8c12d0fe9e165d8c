/** The two ends of a transport in memory. */

import { filter, Subscription } from 'rxjs';
import { type AudioChunk, type OutputAudioRawFrame, UserAudioRawFrame } from '../frames/audio.ts';
import type { KeypadEntry } from '../frames/dtmf.ts';
import { type ImageChunk, type OutputImageRawFrame, UserImageRawFrame } from '../frames/images.ts';
import type { FrameProcessorSetup } from '../processors/frame-processor-setup.ts';
import { encodeMessage } from '../transports/messages.ts';
import type { OutputMessage } from '../transports/outgoing-frames.ts';
import { isParticipantEvent, isRoomInputEvent, RoomInputTransport } from '../transports/room-input.ts';
import { RoomOutputTransport } from '../transports/room-output.ts';
import type { FilledTransportParams, TrackSource } from '../transports/transport-params.ts';
import type { MemoryRoom } from './memory-transport-room.ts';

export class MemoryInput extends RoomInputTransport {
  readonly #room: MemoryRoom;
  #subscription = new Subscription();

  constructor(room: MemoryRoom, params: FilledTransportParams) {
    super(params);
    this.#room = room;
  }

  override async setup(setup: FrameProcessorSetup): Promise<void> {
    await super.setup(setup);
    this.#subscription.unsubscribe();
    this.#subscription = this.#room.events$
      .pipe(filter(isRoomInputEvent))
      .subscribe((event) => this.happened(event));
    this.#room.connect(this);
  }

  heard(userId: string, chunk: AudioChunk, source: TrackSource): void {
    if (!this.params.audioInSources.includes(source)) return;
    const frame = new UserAudioRawFrame({ ...chunk, userId });
    frame.transportSource = source;
    this.pushAudioFrame(frame);
  }

  seen(userId: string, image: ImageChunk, source: TrackSource): void {
    const frame = new UserImageRawFrame({ ...image, userId });
    frame.transportSource = source;
    this.pushVideoFrame(frame);
  }

  protected override started(): void {
    this.announce(this.#room.participants.values());
  }

  protected override async leave(): Promise<void> {
    this.#subscription.unsubscribe();
    this.#room.disconnect(this);
  }
}

export class MemoryOutput extends RoomOutputTransport {
  readonly #room: MemoryRoom;
  #subscription = new Subscription();

  constructor(room: MemoryRoom, params: FilledTransportParams) {
    super(params);
    this.#room = room;
  }

  override async setup(setup: FrameProcessorSetup): Promise<void> {
    await super.setup(setup);
    this.announce(this.#room.participants.values());
    this.#subscription.unsubscribe();
    this.#subscription = this.#room.events$
      .pipe(filter(isParticipantEvent))
      .subscribe((event) => this.happened(event));
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
    encodeMessage(message.message);
    if (this.#room.isConnected) this.#room.messages.push(message);
  }

  protected override async sendKey(key: KeypadEntry): Promise<void> {
    if (this.#room.isConnected) this.#room.keys.push(key);
  }

  protected override async leave(): Promise<void> {
    this.#subscription.unsubscribe();
    this.#room.disconnect(this);
  }
}
