/** Sound on its way in and out: interleaved 16-bit PCM. */

import { ControlFrame, DataFrame, SystemFrame } from './frame.ts';

/** A piece of sound. */
export interface AudioChunk {
  /** Interleaved 16-bit PCM; length = samples per channel × channels. */
  readonly audio: Int16Array;
  /** In hertz. */
  readonly sampleRate: number;
  readonly numChannels: number;
}

/** Sound that a transport heard. A system frame: it is never held up, nor dropped, by an interruption. */
export class InputAudioRawFrame extends SystemFrame implements AudioChunk {
  readonly audio: Int16Array;
  readonly sampleRate: number;
  readonly numChannels: number;

  constructor({ audio, sampleRate, numChannels }: AudioChunk) {
    super();
    this.audio = audio;
    this.sampleRate = sampleRate;
    this.numChannels = numChannels;
  }

  /** Length in milliseconds. */
  get durationMs(): number {
    return durationMs(this);
  }
}

/** Sound of one participant. */
export class UserAudioRawFrame extends InputAudioRawFrame {
  /** The participant's identity. */
  readonly userId: string;

  constructor(chunk: AudioChunk & { readonly userId: string }) {
    super(chunk);
    this.userId = chunk.userId;
  }
}

/** Asks the input transport to begin with the sound, where it waits for that: see `audioInStreamOnStart`. */
export class InputTransportStartAudioStreamingFrame extends ControlFrame {}

/** Sound to be played, in order. The output transport plays it and then passes it on. */
export class OutputAudioRawFrame extends DataFrame implements AudioChunk {
  readonly audio: Int16Array;
  readonly sampleRate: number;
  readonly numChannels: number;

  constructor({ audio, sampleRate, numChannels }: AudioChunk) {
    super();
    this.audio = audio;
    this.sampleRate = sampleRate;
    this.numChannels = numChannels;
  }

  /** Length in milliseconds. */
  get durationMs(): number {
    return durationMs(this);
  }
}

/** Speech to be played; the output transport tells when the bot speaks by these. */
export class TTSAudioRawFrame extends OutputAudioRawFrame {}

function durationMs({ audio, sampleRate, numChannels }: AudioChunk): number {
  return (audio.length / numChannels / sampleRate) * 1_000;
}
