/**
 * Tells voices from other sounds, for one speaker: it may remember what it heard before.
 *
 * @see Pipecat `audio/vad/vad_analyzer.py`, `VADAnalyzer`; there start and stop times are part of it.
 */
export interface VADAnalyzer {
  /** At which it wants to hear, in hertz; sound at another rate is brought to this one. */
  readonly sampleRate: number;
  /** How much it wants to hear at once, in samples: 10 to 100 ms of sound. */
  readonly chunkSamples: number;
  /**
   * How sure it is of a voice in this chunk, 0 to 1; at once where it can.
   *
   * @param chunk `chunkSamples` of one channel, 16 bit; its memory is the analyzer's to keep.
   */
  analyze(chunk: Int16Array): number | Promise<number>;
  /** Forgets what it heard: the next chunk does not follow the last one. */
  reset(): void;
  /** Lets go of what it holds; called once, when its speaker is gone or the run is over. */
  close?(): void | Promise<void>;
}

/** Makes an analyzer for one more speaker. */
export type CreateVADAnalyzer = () => VADAnalyzer | Promise<VADAnalyzer>;
