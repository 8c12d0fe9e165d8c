import type { OutputAudioRawFrame } from '../../frames/audio.ts';
import type { FrameProcessorSetup } from '../../processors/frame-processor-setup.ts';
import { BaseOutputTransport } from '../base-output.ts';
import type { OutputKeys, OutputMessage } from '../outgoing-frames.ts';
import type { StreamResampler } from '../stream-resampler.ts';
import type { FilledTransportParams } from '../transport-params.ts';
import type { RoomAccess } from './livekit-input.ts';
import type { LiveKitRoom } from './livekit-room.ts';
import { encodeMessage } from './messages.ts';

/** The bot's voice in the room, and its messages. The SDK paces the sound: it takes chunks 200 ms ahead. */
export class LiveKitOutputTransport extends BaseOutputTransport {
  readonly #access: RoomAccess;
  #room: LiveKitRoom | undefined;

  constructor(access: RoomAccess, params: FilledTransportParams) {
    super(params);
    this.#access = access;
  }

  override async setup(setup: FrameProcessorSetup): Promise<void> {
    await super.setup(setup);
    await this.#enter(setup).catch((error) => {
      this.#access.cannotEnter(this);
      throw error;
    });
  }

  protected override async writeAudioFrame(chunk: OutputAudioRawFrame): Promise<boolean> {
    const room = this.#room;
    if (room === undefined || room.closed) return false;
    return (await room.voice?.write(chunk)) ?? false;
  }

  protected override clearAudio(): void {
    this.#room?.voice?.clear();
  }

  protected override async waitForPlayout(): Promise<void> {
    if (this.#room?.closed === false) await this.#room.voice?.waitUntilHeard();
  }

  protected override async leave(): Promise<void> {
    await this.#room?.disconnect(this);
  }

  protected override async sendMessage({ message, participantId }: OutputMessage): Promise<void> {
    await this.#room?.send(encodeMessage(message), participantId);
  }

  protected override async sendKeys({ buttons }: OutputKeys): Promise<void> {
    await this.#room?.press(buttons);
  }

  protected override createResampler(fromHz: number, toHz: number, channels: number): StreamResampler {
    return (
      this.#room?.createResampler(fromHz, toHz, channels) ?? super.createResampler(fromHz, toHz, channels)
    );
  }

  async #enter(setup: FrameProcessorSetup): Promise<void> {
    const room = this.#access.enter(setup);
    this.#room = room;
    await room.connect(this);
    const { audioOutEnabled, audioOutChannels: numChannels } = this.params;
    if (audioOutEnabled) await room.publish({ sampleRate: this.sampleRate, numChannels });
  }
}
