/** The base class of speech recognition by whole utterances. */

import { toChannels } from '../../audio/channels.ts';
import type { InputAudioRawFrame } from '../../frames/audio.ts';
import { checkDurationMs } from '../../lib/options.ts';
import { withAbort } from '../../lib/timeout.ts';
import { ServiceTimeoutError } from './service-call.ts';
import { STTService, type STTServiceOptions, type Voice } from './stt-service.ts';
import type { STTPart, VoiceRecognition } from './voice-stream.ts';

/** Options of recognition by utterances. */
export interface SegmentedSTTServiceOptions extends STTServiceOptions {
  /** Audio from before the detected beginning of speech that belongs to an utterance, in milliseconds. Default 1,000. */
  readonly runUpMs?: number | undefined;
  /** Silence appended to an utterance, in milliseconds. Default 500. */
  readonly trailingSilenceMs?: number | undefined;
  /** Longest utterance, in milliseconds; longer ones are cut. Default 60,000. */
  readonly maxUtteranceMs?: number | undefined;
  /** Limit of one request, in milliseconds. Default 15,000. */
  readonly requestTimeoutMs?: number | undefined;
}

/**
 * Recognizes utterance by utterance: one request for each, cut out by voice activity detection in front of it.
 *
 * @throws {InvalidOptionError} An option is invalid.
 * @see Pipecat `services/stt_service.py`, `SegmentedSTTService`
 */
export abstract class SegmentedSTTService extends STTService {
  readonly #runUpMs: number;
  readonly #trailingSilenceMs: number;
  readonly #maxUtteranceMs: number;
  readonly #requestTimeoutMs: number;

  constructor(options: SegmentedSTTServiceOptions = {}) {
    super(options);
    const {
      runUpMs = 1_000,
      trailingSilenceMs = 500,
      maxUtteranceMs = 60_000,
      requestTimeoutMs = 15_000,
    } = options;
    checkDurationMs('runUpMs', runUpMs, { zero: true });
    checkDurationMs('trailingSilenceMs', trailingSilenceMs, { zero: true });
    checkDurationMs('maxUtteranceMs', maxUtteranceMs);
    checkDurationMs('requestTimeoutMs', requestTimeoutMs);
    this.#runUpMs = runUpMs;
    this.#trailingSilenceMs = trailingSilenceMs;
    this.#maxUtteranceMs = maxUtteranceMs;
    this.#requestTimeoutMs = requestTimeoutMs;
  }

  /**
   * Recognizes one utterance. Requests of one voice are made one after the other.
   *
   * @param utterance 16-bit PCM, mono.
   * @param options.signal Aborts at a cancel, and at the limit of the request.
   * @returns What was said; `undefined` for nothing.
   */
  protected abstract recognize(
    utterance: { readonly audio: Int16Array; readonly sampleRate: number },
    options: Voice & { readonly signal: AbortSignal },
  ): Promise<STTPart | undefined>;

  /** Never called: whole utterances are recognized. */
  protected override async *transcribe(): AsyncGenerator<STTPart> {}

  protected override openVoice(voice: Voice): VoiceRecognition {
    return new UtteranceQueue({
      runUpMs: this.#runUpMs,
      trailingSilenceMs: this.#trailingSilenceMs,
      maxUtteranceMs: this.#maxUtteranceMs,
      requestTimeoutMs: this.#requestTimeoutMs,
      recognize: (utterance, signal) => this.recognize(utterance, { ...voice, signal }),
      take: (part, audioMs) => this.pushTranscription(part, voice, audioMs),
      failed: (error) => this.reportFailure(error),
    });
  }
}

/** What is recognized as a whole. */
interface Utterance {
  readonly audio: Int16Array;
  readonly sampleRate: number;
}

interface UtteranceQueueOptions
  extends Required<{
    readonly [Name in 'runUpMs' | 'trailingSilenceMs' | 'maxUtteranceMs' | 'requestTimeoutMs']: number;
  }> {
  readonly recognize: (utterance: Utterance, signal: AbortSignal) => Promise<STTPart | undefined>;
  readonly take: (part: STTPart, audioMs: number) => void;
  readonly failed: (error: unknown) => boolean;
}

/** Cuts the audio of one voice into utterances, and has them recognized one after the other. */
class UtteranceQueue implements VoiceRecognition {
  readonly #options: UtteranceQueueOptions;
  readonly #controller = new AbortController();
  #pieces: Int16Array[] = [];
  #samples = 0;
  #sampleRate = 0;
  #isSpeaking = false;
  #work: Promise<void> = Promise.resolve();

  constructor(options: UtteranceQueueOptions) {
    this.#options = options;
  }

  get done(): Promise<unknown> {
    return this.#work;
  }

  push({ audio, numChannels, sampleRate }: InputAudioRawFrame): void {
    if (sampleRate !== this.#sampleRate) this.#cut();
    this.#sampleRate = sampleRate;
    const mono = toChannels(audio, numChannels, 1);
    this.#pieces.push(mono);
    this.#samples += mono.length;
    if (this.#isSpeaking) {
      if (this.#samples >= this.#samplesOf(this.#options.maxUtteranceMs)) this.#cut();
      return;
    }
    const most = this.#samplesOf(this.#options.runUpMs);
    while (this.#samples > most && this.#pieces.length > 0)
      this.#samples -= this.#pieces.shift()?.length ?? 0;
  }

  speaks(isSpeaking: boolean): void {
    if (this.#isSpeaking && !isSpeaking) this.#cut();
    this.#isSpeaking = isSpeaking;
  }

  end(): void {
    this.speaks(false);
  }

  abort(): void {
    this.#controller.abort();
  }

  #samplesOf(ms: number): number {
    return Math.round((ms * this.#sampleRate) / 1_000);
  }

  /** What was collected is an utterance where somebody speaks, and forgotten otherwise. */
  #cut(): void {
    const pieces = this.#pieces;
    const samples = this.#samples;
    this.#pieces = [];
    this.#samples = 0;
    if (!this.#isSpeaking || samples === 0) return;
    const audio = new Int16Array(samples + this.#samplesOf(this.#options.trailingSilenceMs));
    let at = 0;
    for (const piece of pieces) {
      audio.set(piece, at);
      at += piece.length;
    }
    const utterance = { audio, sampleRate: this.#sampleRate };
    this.#work = this.#work.then(() => this.#recognize(utterance));
  }

  async #recognize(utterance: Utterance): Promise<void> {
    const { requestTimeoutMs: limitMs, recognize, take, failed } = this.#options;
    const { signal } = this.#controller;
    if (signal.aborted) return;
    try {
      const limit = { limitMs, signal, onTimeout: () => new ServiceTimeoutError(limitMs) };
      const part = await withAbort(limit, (requestSignal) => recognize(utterance, requestSignal));
      const audioMs = (utterance.audio.length / utterance.sampleRate) * 1_000;
      if (part !== undefined) take(part.type === 'final' ? { ...part, finalized: true } : part, audioMs);
    } catch (error) {
      if (!signal.aborted) failed(error);
    }
  }
}
