import type { OutputAudioRawFrame } from '../frames/audio.ts';
import type { Frame, SystemFrame } from '../frames/frame.ts';
import type { OutputImageRawFrame } from '../frames/images.ts';
import type { StreamResampler } from './stream-resampler.ts';
import type { FilledTransportParams } from './transport-params.ts';

/** What a sender needs of its transport. */
export interface MediaSenderHooks {
  writeAudioFrame(chunk: OutputAudioRawFrame): Promise<boolean>;
  writeVideoFrame(image: OutputImageRawFrame): Promise<boolean>;
  clearAudio(destination: string | undefined): void | Promise<void>;
  waitForPlayout(destination: string | undefined): Promise<void>;
  createResampler(fromHz: number): StreamResampler;
  /** The turn of a frame has come that is neither sound nor a picture. */
  deliver(frame: Frame): void | Promise<void>;
  push(frame: Frame): void;
  broadcast(frame: SystemFrame): void;
  readonly failed: (error: unknown) => void;
  /** Something was dropped because this is off. */
  readonly isOff: (option: 'audioOutEnabled' | 'videoOutEnabled') => void;
  /** Something that an EndFrame waits for went on. */
  progressed(): void;
}

export interface MediaSenderOptions {
  /** `undefined` for the default one. */
  readonly destination: string | undefined;
  readonly params: FilledTransportParams;
  /** Of the sound that is written, in hertz. */
  readonly sampleRate: number;
  readonly hooks: MediaSenderHooks;
}
