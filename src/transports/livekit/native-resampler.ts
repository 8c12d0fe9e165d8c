import { checkResampling, type StreamResampler } from '../stream-resampler.ts';
import type { AudioResampler, RtcNode } from './load-rtc-node.ts';

/** The SDK's resampler: its filter holds a few milliseconds back, until it is flushed. */
export class NativeResampler implements StreamResampler {
  readonly #rtc: RtcNode;
  readonly #resampler: AudioResampler;
  #closed = false;

  /** @throws {InvalidOptionError} With these rates the SDK would never return, or fail with every piece. */
  constructor(rtc: RtcNode, fromHz: number, toHz: number, channels: number) {
    checkResampling(fromHz, toHz, channels);
    this.#rtc = rtc;
    this.#resampler = new rtc.AudioResampler(fromHz, toHz, channels);
  }

  push(samples: Int16Array): Int16Array {
    if (this.#closed || samples.length === 0) return new Int16Array(0);
    const { inputRate, channels } = this.#resampler;
    // the SDK reads from the beginning of the memory, wherever the samples are in it
    const own = samples.byteLength === samples.buffer.byteLength ? samples : samples.slice();
    const frame = new this.#rtc.AudioFrame(own, inputRate, channels, own.length / channels);
    return joined(this.#resampler.push(frame));
  }

  flush(): Int16Array {
    return this.#closed ? new Int16Array(0) : joined(this.#resampler.flush());
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#resampler.close();
  }
}

function joined(frames: readonly { readonly data: Int16Array }[]): Int16Array {
  const [first] = frames;
  if (frames.length === 1 && first !== undefined) return first.data;
  const all = new Int16Array(frames.reduce((length, { data }) => length + data.length, 0));
  let at = 0;
  for (const { data } of frames) {
    all.set(data, at);
    at += data.length;
  }
  return all;
}
