/** The audio tracks of all speakers, each with an analyzer and a detector of its own. */

import { toChannels } from '../audio/channels.ts';
import { AudioChunker } from '../audio/chunker.ts';
import { volumeOf } from '../audio/loudness.ts';
import { LinearResampler } from '../audio/resampler.ts';
import type { AudioChunk } from '../frames/audio.ts';
import { InvalidOptionError, PipelineError } from '../lib/errors.ts';
import { isRateHz } from '../lib/options.ts';
import type { SpeechDetector } from './speech-detector.ts';
import type { CreateVADAnalyzer, VADAnalyzer } from './vad-analyzer.ts';

/** Identifies one audio track of one speaker. */
export interface SpeakerTrack {
  /** The user's identity; `undefined` where unknown. */
  readonly userId: string | undefined;
  /** The track's source; `undefined` where unknown. */
  readonly transportSource: string | undefined;
}

/** One audio track of one speaker: rechunked for the analyzer, and whether it is speech. */
export class SpeakerAudio implements SpeakerTrack {
  readonly userId: string | undefined;
  readonly transportSource: string | undefined;
  /** Decides when speech starts and stops. */
  readonly detector: SpeechDetector;
  readonly #analyzer: VADAnalyzer;
  readonly #chunker: AudioChunker;
  #resampler: LinearResampler | undefined;
  #fromHz = 0;

  constructor({ userId, transportSource }: SpeakerTrack, analyzer: VADAnalyzer, detector: SpeechDetector) {
    this.userId = userId;
    this.transportSource = transportSource;
    this.detector = detector;
    this.#analyzer = analyzer;
    this.#chunker = new AudioChunker(analyzer.chunkSamples);
  }

  /** Length of a chunk, in milliseconds. */
  get chunkMs(): number {
    return (this.#analyzer.chunkSamples / this.#analyzer.sampleRate) * 1_000;
  }

  /** @returns The chunks that are complete, mono and at the analyzer's rate. */
  push({ audio, sampleRate, numChannels }: AudioChunk): Int16Array[] {
    if (sampleRate !== this.#fromHz) {
      const toHz = this.#analyzer.sampleRate;
      this.#fromHz = sampleRate;
      this.#resampler = toHz === sampleRate ? undefined : new LinearResampler(sampleRate, toHz, 1);
    }
    const mono = toChannels(audio, numChannels, 1);
    return this.#chunker.push(this.#resampler?.push(mono) ?? mono);
  }

  /** @returns The analyzer's confidence for a chunk; a promise only where the analyzer returns one. */
  analyze(chunk: Int16Array): number | Promise<number> {
    return this.#analyzer.analyze(chunk);
  }

  /**
   * @returns The change with this chunk, if any.
   * @throws {PipelineError} `confidence` is no number from 0 to 1.
   */
  detect(chunk: Int16Array, confidence: number): 'started' | 'stopped' | undefined {
    if (!(confidence >= 0)) {
      throw new PipelineError(`The VAD analyzer answered ${confidence}, not a confidence from 0 to 1`);
    }
    return this.detector.update({ confidence, volume: volumeOf(chunk), durationMs: this.chunkMs });
  }

  /** Resets to silence. */
  reset(): void {
    this.#chunker.clear();
    this.#resampler?.flush();
    this.detector.reset();
    this.#analyzer.reset();
  }

  /** Closes the analyzer. */
  async close(): Promise<void> {
    await this.#analyzer.close?.();
  }
}

interface SpeakersOptions {
  readonly createDetector: () => SpeechDetector;
  /** Called when an analyzer could not be made, reset or closed. */
  readonly failed: (error: unknown) => void;
}

/** `pending`: the analyzer is being made. `failed`: there is none, or it has thrown. */
type Speaker = SpeakerAudio | 'pending' | 'failed';

/** All audio tracks by speaker; the first analyzer is made before the run. */
export class Speakers {
  readonly #create: CreateVADAnalyzer;
  readonly #options: SpeakersOptions;
  /** By `userId`, then by `transportSource`. */
  readonly #speakers = new Map<string | undefined, Map<string | undefined, Speaker>>();
  #spare: VADAnalyzer | undefined;
  #isOpen = false;

  constructor(create: CreateVADAnalyzer, options: SpeakersOptions) {
    this.#create = create;
    this.#options = options;
  }

  /** @throws What making the first analyzer throws; then no track is analyzed. */
  async prepare(): Promise<void> {
    if (this.#speakers.size === 0) this.#spare ??= checked(await this.#create());
    this.#isOpen = true;
  }

  /** @returns The audio of a track; `undefined` while its analyzer is pending, or when it has failed. */
  of(track: SpeakerTrack): SpeakerAudio | undefined {
    if (!this.#isOpen) return undefined;
    const speaker = this.#get(track) ?? this.#add(track);
    return typeof speaker === 'string' ? undefined : speaker;
  }

  /** Removes the tracks of a participant that has left, and closes their analyzers. */
  remove(userId: string): SpeakerAudio[] {
    const removed = [...(this.#speakers.get(userId)?.values() ?? [])].filter(isAnalyzed);
    this.#speakers.delete(userId);
    for (const speaker of removed) this.#close(speaker);
    return removed;
  }

  /** Stops analyzing a track, for the rest of the run. */
  disable(speaker: SpeakerAudio): void {
    if (this.#get(speaker) !== speaker) return;
    this.#set(speaker, 'failed');
    this.#close(speaker);
  }

  /** Resets all tracks to silence. */
  reset(): void {
    for (const speaker of this.#analyzed()) {
      try {
        speaker.reset();
      } catch (error) {
        this.#options.failed(error);
      }
    }
  }

  /** Closes all analyzers. */
  async close(): Promise<void> {
    this.#isOpen = false;
    const analyzers = [this.#spare, ...this.#analyzed()];
    this.#spare = undefined;
    this.#speakers.clear();
    await Promise.all(analyzers.map(async (one) => one?.close?.()));
  }

  #get({ userId, transportSource }: SpeakerTrack): Speaker | undefined {
    return this.#speakers.get(userId)?.get(transportSource);
  }

  #set({ userId, transportSource }: SpeakerTrack, speaker: Speaker): void {
    const ofUser = this.#speakers.get(userId) ?? new Map<string | undefined, Speaker>();
    this.#speakers.set(userId, ofUser.set(transportSource, speaker));
  }

  #analyzed(): SpeakerAudio[] {
    return [...this.#speakers.values()].flatMap((ofUser) => [...ofUser.values()]).filter(isAnalyzed);
  }

  #add(track: SpeakerTrack): SpeakerAudio | 'pending' {
    const made = this.#spare ?? this.#make();
    this.#spare = undefined;
    if (!(made instanceof Promise)) return this.#analyze(track, made);
    this.#set(track, 'pending');
    made.then(
      (analyzer) => {
        // the run may be over by now, or the speaker removed
        if (this.#isOpen && this.#get(track) === 'pending') this.#analyze(track, analyzer);
        else this.#close(analyzer);
      },
      (error) => {
        this.#set(track, 'failed');
        this.#options.failed(error);
      },
    );
    return 'pending';
  }

  /** A rejected promise where making one throws synchronously. */
  #make(): VADAnalyzer | Promise<VADAnalyzer> {
    try {
      const made = this.#create();
      return made instanceof Promise ? made.then(checked) : checked(made);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  #analyze(track: SpeakerTrack, analyzer: VADAnalyzer): SpeakerAudio {
    const speaker = new SpeakerAudio(track, analyzer, this.#options.createDetector());
    this.#set(track, speaker);
    return speaker;
  }

  #close(one: SpeakerAudio | VADAnalyzer): void {
    const closed = async (): Promise<void> => one.close?.();
    closed().catch(this.#options.failed);
  }
}

function isAnalyzed(speaker: Speaker): speaker is SpeakerAudio {
  return speaker instanceof SpeakerAudio;
}

/** @throws {InvalidOptionError} It is no analyzer, or its format is unusable. */
function checked(analyzer: VADAnalyzer): VADAnalyzer {
  const { sampleRate, chunkSamples } = analyzer ?? {};
  const isRight =
    typeof analyzer?.analyze === 'function' &&
    typeof analyzer.reset === 'function' &&
    isRateHz(sampleRate) &&
    Number.isInteger(chunkSamples) &&
    chunkSamples > 0;
  if (isRight) return analyzer;
  const expected =
    'a function that makes an analyzer: analyze(), reset(), sampleRate in hertz and chunkSamples';
  throw new InvalidOptionError('createAnalyzer', expected, analyzer);
}
