/** Resamples, mixes and cuts outgoing audio into chunks of one format. */

import { toChannels } from '../../audio/channels.ts';
import { AudioChunker } from '../../audio/chunker.ts';
import type { StreamResampler } from '../../audio/resampler.ts';
import type { OutputAudioRawFrame } from '../../frames/audio.ts';
import { copyFrame } from '../../frames/frame.ts';

/** The format of the chunks. */
export interface AudioRechunkerOptions {
  /** In hertz. */
  readonly sampleRate: number;
  /** The number of interleaved channels. */
  readonly numChannels: number;
  /** Samples in a chunk, per channel. */
  readonly samplesPerChunk: number;
  /** Makes a resampler for audio of another rate, in the number of channels of the chunks. */
  readonly createResampler: (fromHz: number) => StreamResampler;
}

/**
 * Makes chunks of one rate, one number of channels and one size.
 *
 * A chunk is a frame of the class, and with the fields, of the frame that its last samples come from.
 */
export class AudioRechunker {
  readonly #options: AudioRechunkerOptions;
  readonly #chunker: AudioChunker;
  #resampler: StreamResampler | undefined;
  #fromHz: number;
  /** The latest frame, which the remainder belongs to. */
  #model: OutputAudioRawFrame | undefined;

  constructor(options: AudioRechunkerOptions) {
    this.#options = options;
    this.#chunker = new AudioChunker(options.samplesPerChunk * options.numChannels);
    this.#fromHz = options.sampleRate;
  }

  /** Whether samples are buffered until more come, or a flush. */
  get hasRemainder(): boolean {
    return this.#model !== undefined && (this.#resampler !== undefined || !this.#chunker.isEmpty);
  }

  /** @returns The chunks that are complete. */
  push(frame: OutputAudioRawFrame): OutputAudioRawFrame[] {
    const chunks = frame.sampleRate === this.#fromHz ? [] : this.#changeRate(frame.sampleRate);
    this.#model = frame;
    const audio = toChannels(frame.audio, frame.numChannels, this.#options.numChannels);
    chunks.push(...this.#cut(this.#resampler?.push(audio) ?? audio));
    return chunks;
  }

  /** @returns The remainder, padded with silence. */
  flush(): OutputAudioRawFrame[] {
    const chunks = this.#resampler === undefined ? [] : this.#cut(this.#resampler.flush());
    chunks.push(...this.#chunker.flush().map((audio) => this.#frame(audio)));
    this.#model = undefined;
    return chunks;
  }

  /** Discards the remainder, unless it belongs to an uninterruptible frame. */
  clear(): void {
    if (this.#model?.uninterruptible !== true) this.close();
  }

  /** Discards the remainder. The resampler is closed unflushed: its native SDK may be shut down already. */
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
    // samples are buffered only after a frame
    const frame = copyFrame(this.#model as OutputAudioRawFrame);
    return Object.assign(frame, { audio, sampleRate, numChannels });
  }
}
