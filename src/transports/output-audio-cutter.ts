import type { OutputAudioRawFrame } from '../frames/audio.ts';
import { copyFrame } from '../frames/frame.ts';
import { AudioChunker } from './audio-chunker.ts';
import type { StreamResampler } from './stream-resampler.ts';

export interface OutputAudioCutterOptions {
  /** Of the chunks, in hertz. */
  readonly sampleRate: number;
  /** Of the chunks. */
  readonly numChannels: number;
  readonly samplesPerChunk: number;
  /** For sound of another rate, in the number of channels of the chunks. */
  readonly createResampler: (fromHz: number) => StreamResampler;
}

/**
 * Makes chunks of one rate, one number of channels and one size out of whatever sound comes.
 *
 * A chunk is a frame of the class, and with the fields, of the frame that its last samples come from.
 */
export class OutputAudioCutter {
  readonly #options: OutputAudioCutterOptions;
  readonly #chunker: AudioChunker;
  #resampler: StreamResampler | undefined;
  #fromHz: number;
  /** The frame that the rest comes from. */
  #model: OutputAudioRawFrame | undefined;

  constructor(options: OutputAudioCutterOptions) {
    this.#options = options;
    this.#chunker = new AudioChunker(options.samplesPerChunk * options.numChannels);
    this.#fromHz = options.sampleRate;
  }

  /** Whether some of the sound is held back until more comes, or a flush. */
  get holdsRest(): boolean {
    return this.#model !== undefined && (this.#resampler !== undefined || !this.#chunker.isEmpty);
  }

  push(frame: OutputAudioRawFrame): OutputAudioRawFrame[] {
    const chunks = frame.sampleRate === this.#fromHz ? [] : this.#changeRate(frame.sampleRate);
    this.#model = frame;
    const audio = toChannels(frame.audio, frame.numChannels, this.#options.numChannels);
    chunks.push(...this.#cut(this.#resampler?.push(audio) ?? audio));
    return chunks;
  }

  /** @returns What is left, filled up with silence. */
  flush(): OutputAudioRawFrame[] {
    const chunks = this.#resampler === undefined ? [] : this.#cut(this.#resampler.flush());
    chunks.push(...this.#chunker.flush().map((audio) => this.#frame(audio)));
    this.#model = undefined;
    return chunks;
  }

  /** Forgets what is left, unless it must not be interrupted. */
  clear(): void {
    if (this.#model?.uninterruptible !== true) this.close();
  }

  /** Lets go of everything; of a resampler without another use: what it belongs to may be shut down already. */
  close(): void {
    this.#resampler?.close();
    this.#resampler = undefined;
    this.#fromHz = this.#options.sampleRate;
    this.#chunker.clear();
  }

  #changeRate(fromHz: number): OutputAudioRawFrame[] {
    const { sampleRate, createResampler } = this.#options;
    const next = fromHz === sampleRate ? undefined : createResampler(fromHz);
    const rest = this.#resampler === undefined ? [] : this.#cut(this.#resampler.flush());
    this.#resampler?.close();
    this.#resampler = next;
    this.#fromHz = fromHz;
    return rest;
  }

  #cut(samples: Int16Array): OutputAudioRawFrame[] {
    return this.#chunker.push(samples).map((audio) => this.#frame(audio));
  }

  #frame(audio: Int16Array): OutputAudioRawFrame {
    const { sampleRate, numChannels } = this.#options;
    // there is a rest only where a frame came before
    const frame = copyFrame(this.#model as OutputAudioRawFrame);
    return Object.assign(frame, { audio, sampleRate, numChannels });
  }
}

/** Mixes down to one channel, or repeats the channels there are. */
function toChannels(audio: Int16Array, from: number, to: number): Int16Array {
  if (from === to) return audio;
  const length = Math.floor(audio.length / from);
  const out = new Int16Array(length * to);
  for (let index = 0; index < length; index += 1) {
    if (to === 1) {
      let sum = 0;
      for (let channel = 0; channel < from; channel += 1) sum += audio[index * from + channel] ?? 0;
      out[index] = Math.round(sum / from);
    } else {
      for (let channel = 0; channel < to; channel += 1) {
        out[index * to + channel] = audio[index * from + (channel % from)] ?? 0;
      }
    }
  }
  return out;
}
