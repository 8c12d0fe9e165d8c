/** The interface of voice activity analyzers, and the one that measures energy. */

import { loudnessDb } from '../audio/loudness.ts';
import { checkRateHz } from '../lib/options.ts';

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

/** Options of an {@link EnergyVADAnalyzer}. */
export interface EnergyVADAnalyzerOptions {
  /** Sample rate it takes, in hertz. Default 16,000. */
  readonly sampleRate?: number;
}

const chunkMs = 20;
/** Lower bound for the background, for senders that replace noise by digital silence. */
const quietestDb = -60;
/** Continuous sound becomes background: 40 dB above it after about 13 s. */
const backgroundRisesDbPerSecond = 3;
/** Bridges the stops between syllables. */
const soundFallsDbPerSecond = 150;
const barelyAboveDb = 3;
const farAboveDb = 18;

/**
 * Treats audio louder than the background as voice; without a model or dependencies.
 *
 * The background is the minimum so far, which rises slowly: a fan becomes background, speech with its pauses does not.
 * Other sudden noise counts as voice; where that matters, use `sileroVADAnalyzer`.
 *
 * @throws {InvalidOptionError} `sampleRate` is not a whole number of hundreds of hertz.
 */
export class EnergyVADAnalyzer implements VADAnalyzer {
  readonly sampleRate: number;
  readonly chunkSamples: number;
  #backgroundDb = quietestDb;
  #soundDb = quietestDb;

  constructor({ sampleRate = 16_000 }: EnergyVADAnalyzerOptions = {}) {
    checkRateHz('sampleRate', sampleRate, 100);
    this.sampleRate = sampleRate;
    this.chunkSamples = (sampleRate * chunkMs) / 1_000;
  }

  /** 0 at the background, 0.7 about 14 dB above it, 1 from 18 dB on. */
  analyze(chunk: Int16Array): number {
    const seconds = chunkMs / 1_000;
    const nowDb = Math.max(quietestDb, loudnessDb(chunk));
    this.#backgroundDb = Math.min(nowDb, this.#backgroundDb + backgroundRisesDbPerSecond * seconds);
    this.#soundDb = Math.max(nowDb, this.#soundDb - soundFallsDbPerSecond * seconds);
    const aboveDb = this.#soundDb - this.#backgroundDb - barelyAboveDb;
    return Math.min(1, Math.max(0, aboveDb / (farAboveDb - barelyAboveDb)));
  }

  reset(): void {
    this.#backgroundDb = quietestDb;
    this.#soundDb = quietestDb;
  }
}
