/** Measures received audio: spans of sound, gaps, loudness and frequency. */

/** A span of sound without silence. */
export interface HeardSpan {
  /** Milliseconds since the first audio of the stream, silence included. */
  readonly startMs: number;
  /** The duration, in milliseconds. */
  readonly durationMs: number;
  /** The main frequency in hertz, by zero crossings: right for tones, a rough estimate for speech. */
  readonly frequencyHz: number;
  /** Root mean square relative to full scale, 0 to 1. */
  readonly rms: number;
}

/** The measurements of one audio stream. */
export interface HeardAudioReport {
  /** Milliseconds of audio that were not silent. */
  readonly heardMs: number;
  /** Wall clock, milliseconds since 1970, of the first and last sound; `undefined` when all was silent. */
  readonly firstAt: number | undefined;
  /** Like `firstAt`, of the last sound. */
  readonly lastAt: number | undefined;
  /** The silences between the first and the last sound, in milliseconds each. */
  readonly gapsMs: readonly number[];
  /** The spans of sound, in order. */
  readonly spans: readonly HeardSpan[];
  /** Of all spans together. */
  readonly frequencyHz: number;
  /** Root mean square of all spans together, relative to full scale, 0 to 1. */
  readonly rms: number;
}

interface Piece {
  readonly durationMs: number;
  readonly energy: number;
  readonly crossings: number;
  readonly at: number;
}

/** About −40 dB: well above what the codec makes of silence, well below any test tone. */
const silenceRms = 0.01;
const fullScale = 32_768;

/** Measures an audio stream chunk by chunk, without keeping its samples. */
export class HeardAudio {
  readonly #pieces: Piece[] = [];
  #lastSample = 0;

  /**
   * @param samples One channel, 16 bit; about 10 ms, the resolution of the report.
   * @param at When it arrived, milliseconds since 1970.
   * @returns Whether it is sound, and not silence.
   */
  add(samples: Int16Array, sampleRate: number, at: number): boolean {
    let squares = 0;
    let crossings = 0;
    for (const sample of samples) {
      squares += sample * sample;
      if (this.#lastSample < 0 && sample >= 0) crossings += 1;
      this.#lastSample = sample;
    }
    const energy = samples.length === 0 ? 0 : squares / samples.length / fullScale ** 2;
    const piece = { durationMs: (samples.length * 1_000) / sampleRate, energy, crossings, at };
    this.#pieces.push(piece);
    return isSound(piece);
  }

  /** The measurements so far. */
  report(): HeardAudioReport {
    const spans: HeardSpan[] = [];
    const gapsMs: number[] = [];
    const heard: Piece[] = [];
    let current: Piece[] = [];
    let clockMs = 0;
    let silentMs = 0;
    const close = (): void => {
      if (current.length > 0) spans.push(summarise(current, clockMs));
      current = [];
    };
    for (const piece of this.#pieces) {
      if (!isSound(piece)) {
        close();
        silentMs += piece.durationMs;
      } else {
        if (heard.length > 0 && silentMs > 0) gapsMs.push(round(silentMs));
        silentMs = 0;
        current.push(piece);
        heard.push(piece);
      }
      clockMs += piece.durationMs;
    }
    close();
    const whole = summarise(heard, clockMs);
    return {
      heardMs: whole.durationMs,
      firstAt: heard[0]?.at,
      lastAt: heard.at(-1)?.at,
      gapsMs,
      spans,
      frequencyHz: whole.frequencyHz,
      rms: whole.rms,
    };
  }
}

function isSound({ energy }: Piece): boolean {
  return Math.sqrt(energy) >= silenceRms;
}

function summarise(pieces: readonly Piece[], endMs: number): HeardSpan {
  const durationMs = sum(pieces, (piece) => piece.durationMs);
  const energy = sum(pieces, (piece) => piece.energy * piece.durationMs);
  const crossings = sum(pieces, (piece) => piece.crossings);
  return {
    startMs: round(endMs - durationMs),
    durationMs: round(durationMs),
    frequencyHz: durationMs === 0 ? 0 : Math.round((crossings * 1_000) / durationMs),
    rms: durationMs === 0 ? 0 : round(Math.sqrt(energy / durationMs)),
  };
}

function sum(pieces: readonly Piece[], of: (piece: Piece) => number): number {
  return pieces.reduce((total, piece) => total + of(piece), 0);
}

function round(value: number): number {
  return Math.round(value * 1_000) / 1_000;
}
