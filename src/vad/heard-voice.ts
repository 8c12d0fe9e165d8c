import type { AudioChunk } from '../frames/audio.ts';
import { PipelineError } from '../lib/errors.ts';
import { AudioChunker } from '../transports/audio-chunker.ts';
import { LinearResampler } from '../transports/stream-resampler.ts';
import { volumeOf } from './loudness.ts';
import type { SpeechDetector } from './speech-detector.ts';
import type { VADAnalyzer } from './vad-analyzer.ts';

/** Whose sound it is, and from which of their tracks. */
export interface VoiceSource {
  readonly userId: string | undefined;
  readonly transportSource: string | undefined;
}

/** One track of one speaker: its sound, in the pieces that the analyzer wants, and whether they speak. */
export class HeardVoice implements VoiceSource {
  readonly userId: string | undefined;
  readonly transportSource: string | undefined;
  readonly detector: SpeechDetector;
  readonly #analyzer: VADAnalyzer;
  readonly #chunker: AudioChunker;
  #resampler: LinearResampler | undefined;
  #fromHz = 0;

  constructor({ userId, transportSource }: VoiceSource, analyzer: VADAnalyzer, detector: SpeechDetector) {
    this.userId = userId;
    this.transportSource = transportSource;
    this.detector = detector;
    this.#analyzer = analyzer;
    this.#chunker = new AudioChunker(analyzer.chunkSamples);
  }

  /** Length of a piece, in milliseconds. */
  get pieceMs(): number {
    return (this.#analyzer.chunkSamples / this.#analyzer.sampleRate) * 1_000;
  }

  /** @returns The pieces that are full by now. */
  cut(sound: AudioChunk): Int16Array[] {
    if (sound.sampleRate !== this.#fromHz) {
      const { sampleRate } = this.#analyzer;
      this.#fromHz = sound.sampleRate;
      this.#resampler =
        sampleRate === this.#fromHz ? undefined : new LinearResampler(this.#fromHz, sampleRate, 1);
    }
    const mono = oneChannel(sound);
    return this.#chunker.push(this.#resampler?.push(mono) ?? mono);
  }

  /** What the analyzer says of a piece; a promise only where the analyzer needs one. */
  analyze(piece: Int16Array): number | Promise<number> {
    return this.#analyzer.analyze(piece);
  }

  /**
   * @returns What has changed with this piece, if anything.
   * @throws {PipelineError} The analyzer's answer is no confidence.
   */
  hear(piece: Int16Array, confidence: number): 'started' | 'stopped' | undefined {
    if (!(confidence >= 0)) {
      throw new PipelineError(`The VAD analyzer answered ${confidence}, not a confidence from 0 to 1`);
    }
    return this.detector.hear({ confidence, volume: volumeOf(piece), durationMs: this.pieceMs });
  }

  /** Forgets what was heard: there is silence. */
  reset(): void {
    this.#chunker.clear();
    this.#resampler?.flush();
    this.detector.reset();
    this.#analyzer.reset();
  }

  async close(): Promise<void> {
    await this.#analyzer.close?.();
  }
}

function oneChannel({ audio, numChannels }: AudioChunk): Int16Array {
  if (numChannels === 1) return audio;
  return Int16Array.from({ length: Math.floor(audio.length / numChannels) }, (_, index) => {
    let sum = 0;
    for (let channel = 0; channel < numChannels; channel += 1)
      sum += audio[index * numChannels + channel] ?? 0;
    return sum / numChannels;
  });
}
