/** Decides when speech starts and stops. */

import { checkDurationMs, checkShare } from '../lib/options.ts';

/** When audio counts as speech. */
export interface VADParams {
  /** Minimum confidence of the analyzer, 0 to 1. Default 0.7. */
  readonly confidence?: number | undefined;
  /** How long a voice must last before speech has started, in milliseconds. Default 200. */
  readonly startMs?: number | undefined;
  /** How long silence must last before speech has stopped, in milliseconds. Default 800. */
  readonly stopMs?: number | undefined;
  /** Minimum volume, 0 to 1: 0.01 is 1 dB, 0.6 is −50 dBFS. Default 0.6. */
  readonly minVolume?: number | undefined;
}

/** The analysis of one chunk. */
export interface AnalyzedChunk {
  /** 0 to 1. */
  readonly confidence: number;
  /** 0 to 1. */
  readonly volume: number;
  /** The duration, in milliseconds. */
  readonly durationMs: number;
}

const volumeFallsOverMs = 140;

/**
 * Debounces speech: short noises do not start it, short pauses do not stop it.
 *
 * @throws {InvalidOptionError} A parameter is invalid.
 * @see Pipecat `audio/vad/vad_analyzer.py`; there `stop_secs` is 0.2 where another model detects the end of a turn,
 * and the volume rises as slowly as it falls.
 */
export class SpeechDetector {
  /** As given, or the default. */
  readonly startMs: number;
  /** As given, or the default. */
  readonly stopMs: number;
  readonly #confidence: number;
  readonly #minVolume: number;
  #speaking = false;
  /** How long the opposite has lasted: voice in silence, silence in speech. */
  #contraryMs = 0;
  #volume = 0;

  constructor({ confidence = 0.7, startMs = 200, stopMs = 800, minVolume = 0.6 }: VADParams = {}) {
    checkShare('confidence', confidence);
    checkShare('minVolume', minVolume);
    checkDurationMs('startMs', startMs, { zero: true });
    checkDurationMs('stopMs', stopMs, { zero: true });
    this.#confidence = confidence;
    this.startMs = startMs;
    this.stopMs = stopMs;
    this.#minVolume = minVolume;
  }

  /** Whether speech has started and not stopped. */
  get speaking(): boolean {
    return this.#speaking;
  }

  /** @returns The change with this chunk, if any. */
  update({ confidence, volume, durationMs }: AnalyzedChunk): 'started' | 'stopped' | undefined {
    const kept = Math.exp(-durationMs / volumeFallsOverMs);
    this.#volume = Math.max(volume, volume + (this.#volume - volume) * kept);
    const isVoice = confidence >= this.#confidence && this.#volume >= this.#minVolume;
    this.#contraryMs = isVoice === this.#speaking ? 0 : this.#contraryMs + durationMs;
    const limitMs = this.#speaking ? this.stopMs : this.startMs;
    // to the nearest whole chunk
    if (this.#contraryMs === 0 || this.#contraryMs < limitMs - durationMs / 2) return undefined;
    this.#contraryMs = 0;
    this.#speaking = !this.#speaking;
    return this.#speaking ? 'started' : 'stopped';
  }

  /** Resets to silence. */
  reset(): void {
    this.#speaking = false;
    this.#contraryMs = 0;
    this.#volume = 0;
  }
}
