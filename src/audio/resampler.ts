/** Changes the sample rate of a stream of audio. */

import { InvalidOptionError } from '../lib/errors.ts';
import { isRateHz } from '../lib/options.ts';

/** Changes the sample rate of a stream, chunk by chunk: interleaved 16-bit PCM. */
export interface StreamResampler {
  /** @returns The samples that are known; some are held back until the next chunk. */
  push(samples: Int16Array): Int16Array;
  /** @returns The samples held back. The next chunk begins a new stream. */
  flush(): Int16Array;
  /** Releases native resources; idempotent. */
  close(): void;
}

/** @throws {InvalidOptionError} A rate is no sample rate in hertz, or `channels` no whole number above 0. */
export function checkResampling(fromHz: number, toHz: number, channels: number): void {
  for (const rate of [fromHz, toHz]) {
    if (!isRateHz(rate))
      throw new InvalidOptionError('sampleRate', 'a rate that sound can have, in hertz', rate);
  }
  if (Number.isInteger(channels) && channels > 0) return;
  throw new InvalidOptionError('numChannels', 'a whole number above 0', channels);
}

/**
 * Linear interpolation: for tests, and where no better resampler is available.
 *
 * There is no low-pass filter, so downsampling aliases.
 */
export class LinearResampler implements StreamResampler {
  readonly #step: number;
  readonly #channels: number;
  /** The last sample of each channel, and the offset of the next output sample from it, in input samples. */
  #last: Int16Array | undefined;
  #offset = 0;

  /** @throws {InvalidOptionError} A rate is no sample rate in hertz, or `channels` no whole number above 0. */
  constructor(fromHz: number, toHz: number, channels: number) {
    checkResampling(fromHz, toHz, channels);
    this.#step = fromHz / toHz;
    this.#channels = channels;
  }

  push(samples: Int16Array): Int16Array {
    const channels = this.#channels;
    const last = this.#last ?? samples.slice(0, channels);
    const from = this.#last === undefined ? 1 : 0;
    const length = samples.length / channels - from;
    if (length < 0) return new Int16Array(0);
    const at = (index: number, channel: number): number =>
      (index === 0 ? last[channel] : samples[(index - 1 + from) * channels + channel]) ?? 0;
    const count = Math.max(0, Math.ceil((length - this.#offset) / this.#step));
    const out = new Int16Array(count * channels);
    for (let frame = 0; frame < count; frame += 1) {
      const position = this.#offset + frame * this.#step;
      const index = Math.floor(position);
      const part = position - index;
      for (let channel = 0; channel < channels; channel += 1) {
        const left = at(index, channel);
        out[frame * channels + channel] = Math.round(left + (at(index + 1, channel) - left) * part);
      }
    }
    this.#offset += count * this.#step - length;
    this.#last = Int16Array.from({ length: channels }, (_, channel) => at(length, channel));
    return out;
  }

  flush(): Int16Array {
    const last = this.#last ?? new Int16Array(0);
    const count = Math.ceil((1 - this.#offset) / this.#step);
    this.#last = undefined;
    this.#offset = 0;
    return Int16Array.from({ length: last.length * count }, (_, index) => last[index % this.#channels] ?? 0);
  }

  close(): void {}
}
