import { filter, Subscription } from 'rxjs';
import type { OutputAudioRawFrame } from '../../frames/audio.ts';
import type { KeypadEntry } from '../../frames/dtmf.ts';
import type { OutputImageRawFrame } from '../../frames/images.ts';
import type { FrameProcessorSetup } from '../../processors/frame-processor-setup.ts';
import { encodeMessage } from '../messages.ts';
import type { OutputMessage } from '../outgoing-frames.ts';
import { isParticipantEvent } from '../room-input.ts';
import { RoomOutputTransport } from '../room-output.ts';
import type { StreamResampler } from '../stream-resampler.ts';
import type { FilledTransportParams } from '../transport-params.ts';
import type { RoomAccess } from './livekit-input.ts';
import type { LiveKitRoom } from './livekit-room.ts';
import type { PublishedTracks } from './published-tracks.ts';

/** The bot's voices and pictures in the room, and its messages. The SDK paces the sound: it takes chunks 200 ms ahead. */
export class LiveKitOutputTransport extends RoomOutputTransport {
  readonly #access: RoomAccess;
  #room: LiveKitRoom | undefined;
  #subscription = new Subscription();

  constructor(access: RoomAccess, params: FilledTransportParams) {
    super(params);
    this.#access = access;
  }

  override async setup(setup: FrameProcessorSetup): Promise<void> {
    await super.setup(setup);
    // without the room the run is pointless; the run says why, and one line is enough
    await this.#enter(setup).catch((error) => setup.fail(error));
  }

  protected override async writeAudioFrame(chunk: OutputAudioRawFrame): Promise<boolean> {
    return (await this.#tracks?.voice(chunk.transportDestination)?.write(chunk)) ?? false;
  }

  protected override async writeVideoFrame(image: OutputImageRawFrame): Promise<boolean> {
    return this.#tracks?.picture(image.transportDestination)?.show(image) ?? false;
  }

  protected override clearAudio(destination: string | undefined): void {
    this.#room?.tracks?.voice(destination)?.clear();
  }

  protected override async waitForPlayout(destination: string | undefined): Promise<void> {
    await this.#tracks?.voice(destination)?.waitUntilHeard();
  }

  protected override async leave(): Promise<void> {
    this.#subscription.unsubscribe();
    await this.#room?.disconnect(this);
  }

  protected override async sendMessage({ message, participantId }: OutputMessage): Promise<void> {
    await this.#room?.connection?.send(encodeMessage(message), participantId);
  }

  protected override async sendKey(key: KeypadEntry): Promise<void> {
    await this.#room?.connection?.press(key);
  }

  protected override createResampler(fromHz: number, toHz: number, channels: number): StreamResampler {
    return (
      this.#room?.createResampler(fromHz, toHz, channels) ?? super.createResampler(fromHz, toHz, channels)
    );
  }

  /** Where something can be published now. */
  get #tracks(): PublishedTracks | undefined {
    return this.#room?.closed === false ? this.#room.tracks : undefined;
  }

  async #enter(setup: FrameProcessorSetup): Promise<void> {
    const room = this.#access.enter(setup);
    this.#room = room;
    this.#subscription.unsubscribe();
    this.#subscription = room.events$
      .pipe(filter(isParticipantEvent))
      .subscribe((event) => this.happened(event));
    this.announce(room.participants);
    await room.connect(this);
    const { audioOutEnabled, audioOutDestinations, audioOutChannels: numChannels } = this.params;
    const {
      videoOutEnabled,
      videoOutDestinations,
      videoOutWidth: width,
      videoOutHeight: height,
    } = this.params;
    // one after the other, as the SDK does it
    for (const destination of audioOutEnabled ? [undefined, ...audioOutDestinations] : []) {
      await room.tracks?.publishVoice(destination, { sampleRate: this.sampleRate, numChannels });
    }
    for (const destination of videoOutEnabled ? [undefined, ...videoOutDestinations] : []) {
      await room.tracks?.publishPicture(destination, { width, height });
    }
  }
}
