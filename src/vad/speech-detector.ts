import { checkDurationMs, checkShare } from '../lib/options.ts';

/** When sound counts as speech. */
export interface VADParams {
  /** How sure the analyzer must be, 0 to 1. Default 0.7. */
  readonly confidence?: number | undefined;
  /** How long a voice must last before speech has begun, in milliseconds. Default 200. */
  readonly startMs?: number | undefined;
  /** How long silence must last before speech is over, in milliseconds. Default 800. */
  readonly stopMs?: number | undefined;
  /** How loud a voice must be, 0 to 1: 0.01 is 1 dB, 0.6 is 50 dB below full scale. Default 0.6. */
  readonly minVolume?: number | undefined;
}

/** A piece of sound, as the detector sees it. */
export interface HeardPiece {
  readonly confidence: number;
  readonly volume: number;
  readonly durationMs: number;
}

const volumeFallsOverMs = 140;

/**
 * Tells when speech begins and when it is over: short noises do not begin it, short pauses do not end it.
 *
 * @throws {InvalidOptionError} A parameter can never work.
 * @see Pipecat `audio/vad/vad_analyzer.py`; there `stop_secs` is 0.2 where another model tells the end of a turn,
 * and the volume rises as slowly as it falls.
 */
export class SpeechDetector {
  readonly startMs: number;
  readonly stopMs: number;
  readonly #confidence: number;
  readonly #minVolume: number;
  #speaking = false;
  /** How long it has been the other way round: voices in silence, silence in speech. */
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

  get speaking(): boolean {
    return this.#speaking;
  }

  /** @returns What has changed with this piece, if anything. */
  hear({ confidence, volume, durationMs }: HeardPiece): 'started' | 'stopped' | undefined {
    const kept = Math.exp(-durationMs / volumeFallsOverMs);
    this.#volume = Math.max(volume, volume + (this.#volume - volume) * kept);
    const isVoice = confidence >= this.#confidence && this.#volume >= this.#minVolume;
    this.#contraryMs = isVoice === this.#speaking ? 0 : this.#contraryMs + durationMs;
    const limitMs = this.#speaking ? this.stopMs : this.startMs;
    // to the nearest whole piece
    if (this.#contraryMs === 0 || this.#contraryMs < limitMs - durationMs / 2) return undefined;
    this.#contraryMs = 0;
    this.#speaking = !this.#speaking;
    return this.#speaking ? 'started' : 'stopped';
  }

  /** Forgets everything: there is silence. */
  reset(): void {
    this.#speaking = false;
    this.#contraryMs = 0;
    this.#volume = 0;
  }
}
