/** Cuts a stream of samples into chunks of one size. */

/** Buffers 16-bit samples and returns them in chunks of a fixed size. */
export class AudioChunker {
  readonly #size: number;
  #rest: Int16Array;
  #filled = 0;

  /** @param size Samples in a chunk, all channels together. */
  constructor(size: number) {
    this.#size = size;
    this.#rest = new Int16Array(size);
  }

  /** Whether no partial chunk is buffered. */
  get isEmpty(): boolean {
    return this.#filled === 0;
  }

  /** @returns The chunks that are complete; each owns its memory. */
  push(samples: Int16Array): Int16Array<ArrayBuffer>[] {
    const chunks: Int16Array<ArrayBuffer>[] = [];
    let from = 0;
    while (from < samples.length) {
      const count = Math.min(this.#size - this.#filled, samples.length - from);
      this.#rest.set(samples.subarray(from, from + count), this.#filled);
      this.#filled += count;
      from += count;
      if (this.#filled === this.#size) chunks.push(this.#take());
    }
    return chunks;
  }

  /** @returns The partial chunk padded with silence; empty where nothing is buffered. */
  flush(): Int16Array<ArrayBuffer>[] {
    return this.#filled === 0 ? [] : [this.#take()];
  }

  /** Discards the partial chunk. */
  clear(): void {
    this.#filled = 0;
  }

  #take(): Int16Array<ArrayBuffer> {
    const chunk = new Int16Array(this.#size);
    chunk.set(this.#rest.subarray(0, this.#filled));
    this.#filled = 0;
    return chunk;
  }
}
