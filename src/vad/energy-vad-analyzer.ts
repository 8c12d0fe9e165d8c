import { checkRateHz } from '../lib/options.ts';
import { loudnessDb } from './loudness.ts';
import type { VADAnalyzer } from './vad-analyzer.ts';

export interface EnergyVADAnalyzerOptions {
  /** In hertz. Default 16 000. */
  readonly sampleRate?: number;
}

const chunkMs = 20;
/** No room is quieter than this, also where the sender replaces noise by nothing. */
const quietestDb = -60;
/** A sound that does not pause becomes background: 40 dB above it after some 10 s. */
const backgroundRisesDbPerSecond = 3;
/** Bridges the stops between syllables. */
const soundFallsDbPerSecond = 150;
const barelyAboveDb = 3;
const farAboveDb = 18;

/**
 * Takes for a voice what is louder than the background; without a model, and without dependencies.
 *
 * The background is the quietest that it heard, and rises slowly: a fan becomes background, speech does not,
 * because it pauses. A door or a dog is a voice to it; where that matters there is `sileroVADAnalyzer`.
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
