/** The interface of voice activity detectors. */

/**
 * Detects voice in the audio of one speaker; may keep state between chunks.
 *
 * @see Pipecat `audio/vad/vad_analyzer.py`, `VADAnalyzer`; there start and stop times are part of it.
 */
export interface VADAnalyzer {
  /** The rate it takes, in hertz; other audio is resampled. */
  readonly sampleRate: number;
  /** The size of a chunk, in samples: 10 to 100 ms. */
  readonly chunkSamples: number;
  /**
   * @param chunk `chunkSamples` of one channel, 16 bit; the analyzer may keep it.
   * @returns Its confidence of a voice in this chunk, 0 to 1; synchronously where it can.
   */
  analyze(chunk: Int16Array): number | Promise<number>;
  /** Resets its state: the next chunk does not follow the last one. */
  reset(): void;
  /** Releases resources; called once, when its speaker has left or the run is over. */
  close?(): void | Promise<void>;
}

/** Makes an analyzer for one more speaker. */
export type CreateVADAnalyzer = () => VADAnalyzer | Promise<VADAnalyzer>;
