/** The output of a LiveKit transport. */

import { filter, Subscription } from 'rxjs';
import type { StreamResampler } from '../../audio/resampler.ts';
import type { OutputAudioRawFrame } from '../../frames/audio.ts';
import type { KeypadEntry } from '../../frames/dtmf.ts';
import type { OutputImageRawFrame } from '../../frames/images.ts';
import type { FrameProcessorSetup } from '../../processors/frame-processor-setup.ts';
import type { OutputMessage } from '../base-output.ts';
import { encodeMessage } from '../messages.ts';
import { isParticipantEvent, RoomOutputTransport } from '../room-transport.ts';
import type { ResolvedTransportParams } from '../transport-params.ts';
import type { SessionAccess } from './livekit-input.ts';
import type { PublishedTracks } from './published-tracks.ts';
import type { RoomSession } from './room-session.ts';

/** Publishes the bot's audio, images and messages. Audio is paced by the SDK, which buffers 200 ms. */
export class LiveKitOutputTransport extends RoomOutputTransport {
  readonly #access: SessionAccess;
  #session: RoomSession | undefined;
  #subscription = new Subscription();

  constructor(access: SessionAccess, params: ResolvedTransportParams) {
    super(params);
    this.#access = access;
  }

  override async setup(setup: FrameProcessorSetup): Promise<void> {
    await super.setup(setup);
    // without a room the run fails; it reports the reason
    await this.#enter(setup).catch((error) => setup.fail(error));
  }

  protected override async writeAudioFrame(chunk: OutputAudioRawFrame): Promise<boolean> {
    return (await this.#tracks?.audioTrack(chunk.transportDestination)?.write(chunk)) ?? false;
  }

  protected override async writeVideoFrame(image: OutputImageRawFrame): Promise<boolean> {
    return this.#tracks?.videoTrack(image.transportDestination)?.write(image) ?? false;
  }

  protected override clearAudio(destination: string | undefined): void {
    this.#session?.tracks?.audioTrack(destination)?.clear();
  }

  protected override async waitForPlayout(destination: string | undefined): Promise<void> {
    await this.#tracks?.audioTrack(destination)?.waitForPlayout();
  }

  protected override async leave(): Promise<void> {
    this.#subscription.unsubscribe();
    await this.#session?.disconnect(this);
  }

  protected override async sendMessage({ message, participantId }: OutputMessage): Promise<void> {
    await this.#session?.connection?.send(encodeMessage(message), participantId);
  }

  protected override async sendDTMF(key: KeypadEntry): Promise<void> {
    await this.#session?.connection?.publishDtmf(key);
  }

  protected override createResampler(fromHz: number, toHz: number, channels: number): StreamResampler {
    return (
      this.#session?.createResampler(fromHz, toHz, channels) ?? super.createResampler(fromHz, toHz, channels)
    );
  }

  /** `undefined` where nothing can be published. */
  get #tracks(): PublishedTracks | undefined {
    return this.#session?.closed === false ? this.#session.tracks : undefined;
  }

  async #enter(setup: FrameProcessorSetup): Promise<void> {
    const session = this.#access.enter(setup);
    this.#session = session;
    this.#subscription.unsubscribe();
    this.#subscription = session.events$
      .pipe(filter(isParticipantEvent))
      .subscribe((event) => this.onRoomEvent(event));
    this.onConnected(session.participants);
    await session.connect(this);
    const { audioOutEnabled, audioOutDestinations, audioOutChannels: numChannels } = this.params;
    const { videoOutEnabled, videoOutDestinations } = this.params;
    const { videoOutWidth: width, videoOutHeight: height } = this.params;
    // sequentially, as the SDK publishes one track at a time
    for (const destination of audioOutEnabled ? [undefined, ...audioOutDestinations] : []) {
      await session.tracks?.publishAudio(destination, { sampleRate: this.sampleRate, numChannels });
    }
    for (const destination of videoOutEnabled ? [undefined, ...videoOutDestinations] : []) {
      await session.tracks?.publishVideo(destination, { width, height });
    }
  }
}
