/** Judges turns with the model smart turn v3, by the optional peer `onnxruntime-node`. */

import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { toChannels } from '../../audio/channels.ts';
import { LinearResampler } from '../../audio/resampler.ts';
import type { AudioChunk } from '../../frames/audio.ts';
import { checkCount, checkDurationMs, checkNames, checkOptions, checkText } from '../../lib/options.ts';
import { SmartTurnModel } from './smart-turn-model.ts';
import type { TurnAnalyzer, TurnVerdict } from './turn-analyzer.ts';
import { featureSampleRate, featureSamples } from './whisper-features.ts';

/** Options of a {@link SmartTurnAnalyzer}. */
export interface SmartTurnAnalyzerOptions {
  /** The path of `smart-turn-v3.2-cpu.onnx`, or of another model of smart turn v3. */
  readonly model: string;
  /** How much of the sound before speech belongs to the turn, in milliseconds. Default 500. */
  readonly preSpeechMs?: number | undefined;
  /** How much later the VAD tells that speech has begun, in milliseconds: its `startMs`. Default 200. */
  readonly vadStartMs?: number | undefined;
  /** How many threads one verdict may use: 2 take about half the time of 1. Default 2, or 1 where there is one processor. */
  readonly threads?: number | undefined;
}

/** What an analyzer needs of its model; to be replaced in tests. */
export type TurnModel = Pick<SmartTurnModel, 'load' | 'probability' | 'close'>;

const completeFrom = 0.5;

/**
 * Smart turn v3, a neural network that judges by the last 8 s of the sound whether somebody has finished or only pauses.
 *
 * Everything is computed in a worker thread, which all analyzers of the process share. The model file is no part of
 * endframe: it is in the Python package `pipecat-ai`, at `pipecat/audio/turn/smart_turn/data`. It takes 16 kHz, the
 * default of a pipeline's input; other rates are resampled by linear interpolation.
 *
 * @example
 * const analyzer = new SmartTurnAnalyzer({ model: 'models/smart-turn-v3.2-cpu.onnx' });
 *
 * @throws {InvalidOptionError} An option is invalid.
 * @see Pipecat `audio/turn/smart_turn/local_smart_turn_v3.py`, `LocalSmartTurnAnalyzerV3`
 */
export class SmartTurnAnalyzer implements TurnAnalyzer {
  readonly #model: TurnModel;
  readonly #preSpeechSamples: number;
  /** The last 8 s, as a ring. */
  readonly #recent = new Int16Array(featureSamples);
  /** Positions in the stream of sound, in samples: its end, the end of the last turn, the begin of speech. */
  #end = 0;
  #turnFrom = 0;
  #speechFrom: number | undefined;
  #resampler: LinearResampler | undefined;
  #fromHz = featureSampleRate;

  /** @param model Default: the model of the option's path, in a worker thread. */
  constructor(options: SmartTurnAnalyzerOptions, model?: TurnModel) {
    checkOptions(options);
    checkNames(options, ['model', 'preSpeechMs', 'vadStartMs', 'threads']);
    const { preSpeechMs = 500, vadStartMs = 200, threads = Math.min(2, availableParallelism()) } = options;
    checkText('model', options.model);
    checkDurationMs('preSpeechMs', preSpeechMs, { zero: true });
    checkDurationMs('vadStartMs', vadStartMs, { zero: true });
    checkCount('threads', threads);
    this.#preSpeechSamples = Math.round(((preSpeechMs + vadStartMs) * featureSampleRate) / 1_000);
    this.#model = model ?? new SmartTurnModel({ path: resolve(options.model), threads });
  }

  appendAudio({ audio, sampleRate, numChannels }: AudioChunk, isSpeech: boolean): void {
    if (isSpeech) this.#speechFrom ??= this.#end;
    if (sampleRate !== this.#fromHz) {
      this.#fromHz = sampleRate;
      this.#resampler =
        sampleRate === featureSampleRate ? undefined : new LinearResampler(sampleRate, featureSampleRate, 1);
    }
    const mono = toChannels(audio, numChannels, 1);
    this.#write(this.#resampler?.push(mono) ?? mono);
  }

  async analyze(signal: AbortSignal): Promise<TurnVerdict> {
    signal.throwIfAborted();
    const samples = this.#turn();
    if (samples.length === 0) return { isComplete: false, probability: 0 };
    const probability = await this.#model.probability(samples, signal);
    return { isComplete: probability > completeFrom, probability };
  }

  reset(): void {
    this.#turnFrom = this.#end;
    this.#speechFrom = undefined;
  }

  /**
   * Starts the thread and loads the model.
   *
   * @throws {MissingDependencyError} `onnxruntime-node` or the model is missing.
   * @throws {PipelineError} They are unusable.
   */
  prepare(): Promise<void> {
    return this.#model.load();
  }

  /** Rejects pending verdicts. The thread remains, with its model: other analyzers have it at once. */
  close(): void {
    this.#model.close();
  }

  #write(samples: Int16Array): void {
    const kept = samples.subarray(-featureSamples);
    const at = (this.#end + samples.length - kept.length) % featureSamples;
    const untilEnd = kept.subarray(0, featureSamples - at);
    this.#recent.set(untilEnd, at);
    this.#recent.set(kept.subarray(untilEnd.length), 0);
    this.#end += samples.length;
  }

  /** The sound of the turn, from shortly before its speech on; the last 8 s of it. */
  #turn(): Int16Array<ArrayBuffer> {
    const begin = (this.#speechFrom ?? 0) - this.#preSpeechSamples;
    const from = Math.max(begin, this.#turnFrom, this.#end - featureSamples);
    const samples = new Int16Array(this.#end - from);
    const at = from % featureSamples;
    const untilEnd = this.#recent.subarray(at, at + samples.length);
    samples.set(untilEnd);
    samples.set(this.#recent.subarray(0, samples.length - untilEnd.length), untilEnd.length);
    return samples;
  }
}
