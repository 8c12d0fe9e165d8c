/** The synthesis of one sentence, and the frames of its audio and text. */

import { type SpokenSentence, TTSAudioRawFrame } from '../../frames/audio.ts';
import type { ErrorCategory } from '../../frames/error-frame.ts';
import type { Frame } from '../../frames/frame.ts';
import { checkAudio, checkFrameText } from '../../frames/frame-checks.ts';
import { TTSTextFrame } from '../../frames/speaking.ts';
import { PipelineError } from '../../lib/errors.ts';
import { categoryOf, iterateBounded } from './service-call.ts';

/** A word and its time, from the beginning of the sentence's audio. */
export interface SpokenWord {
  /** The word, with its punctuation. */
  readonly text: string;
  /** When it begins, in milliseconds. */
  readonly startMs: number;
  /** When it ends, in milliseconds. */
  readonly endMs?: number | undefined;
}

/** A part of a sentence's speech. */
export type TTSPart =
  /** 16-bit PCM, mono. */
  | { readonly type: 'audio'; readonly audio: Int16Array; readonly sampleRate: number }
  /** Words of the sentence, best ahead of their audio; those of later parts follow those of earlier ones. */
  | { readonly type: 'words'; readonly words: readonly SpokenWord[] };

/** What a {@link SentenceSynthesis} needs. */
export interface SentenceSynthesisOptions {
  readonly sentence: SpokenSentence;
  /** Longest silence of the service, in milliseconds; `null` for no limit. */
  readonly silenceMs: number | null;
  readonly synthesize: (signal: AbortSignal) => AsyncIterable<TTSPart>;
  readonly push: (frame: Frame) => void;
  /** Whether the service is of use; it is not asked otherwise. */
  readonly isUsable: () => boolean;
  readonly started: () => void;
  /** @param valueMs From the request on, in milliseconds. */
  readonly firstAudio: (valueMs: number) => void;
  readonly ended: (hasAudio: boolean) => void;
  readonly failed: (error: unknown, category: ErrorCategory) => void;
}

/** Collects the parts of a sentence from its start on, and passes them on when it is its turn. */
export class SentenceSynthesis {
  readonly #options: SentenceSynthesisOptions;
  readonly #controller = new AbortController();
  readonly #words: SpokenWord[] = [];
  #parts: TTSPart[] = [];
  #error: unknown;
  #hasStarted = false;
  #isDone = false;
  #startedMs = 0;
  /** Length of the audio that was passed on, in milliseconds. */
  #passedMs = 0;
  #wake: () => void = () => {};

  constructor(options: SentenceSynthesisOptions) {
    this.#options = options;
  }

  /** Whether an interruption leaves it. */
  get uninterruptible(): boolean {
    return this.#options.sentence.isUninterruptible;
  }

  /** Requests the speech; idempotent. */
  start(): void {
    if (this.#hasStarted) return;
    this.#hasStarted = true;
    this.#startedMs = performance.now();
    if (this.#options.isUsable()) this.#options.started();
    void this.#collect();
  }

  /** Ends it: nothing is passed on any more. */
  abort(): void {
    this.#controller.abort();
    this.#wake();
  }

  /** Passes the parts on as they come. Resolves when the sentence is complete, has failed, or was aborted. */
  async passOn(): Promise<void> {
    const { signal } = this.#controller;
    while (!signal.aborted) {
      const parts = this.#parts;
      this.#parts = [];
      for (const part of parts) this.#passPart(part);
      if (this.#isDone) return this.#finish();
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  async #collect(): Promise<void> {
    const { synthesize, silenceMs, sentence, firstAudio, isUsable } = this.#options;
    const { signal } = this.#controller;
    try {
      if (!isUsable()) return;
      for await (const part of iterateBounded(synthesize(signal), { signal, silenceMs })) {
        if (part.type === 'audio') {
          checkAudio({ ...part, numChannels: 1 });
          if (part.audio.length === 0) continue;
          if (sentence.durationMs === 0) firstAudio(performance.now() - this.#startedMs);
          sentence.durationMs += (part.audio.length / part.sampleRate) * 1_000;
        } else {
          for (const { text } of part.words) checkFrameText(text);
          if (part.words.length > 0) sentence.hasWordTimes = true;
        }
        this.#parts.push(part);
        this.#wake();
      }
      if (sentence.durationMs === 0) this.#error = new PipelineError('The service has given no audio');
    } catch (error) {
      this.#error = error;
    } finally {
      sentence.isComplete = true;
      this.#isDone = true;
      this.#wake();
    }
  }

  #passPart(part: TTSPart): void {
    if (part.type === 'words') this.#words.push(...part.words);
    else this.#passAudio(part.audio, part.sampleRate);
  }

  /** Cuts audio where words begin, so that their text comes out of the output as they begin. */
  #passAudio(audio: Int16Array, sampleRate: number): void {
    const samplesPerMs = sampleRate / 1_000;
    const beginsMs = this.#passedMs;
    let from = 0;
    for (let word = this.#words[0]; word !== undefined; word = this.#words[0]) {
      const at = Math.round((word.startMs - beginsMs) * samplesPerMs);
      if (at >= audio.length) break;
      this.#pushAudio(audio.subarray(from, Math.max(from, at)), sampleRate);
      from = Math.max(from, at);
      this.#pushWord();
    }
    this.#pushAudio(audio.subarray(from), sampleRate);
    this.#passedMs += audio.length / samplesPerMs;
  }

  #pushAudio(audio: Int16Array, sampleRate: number): void {
    if (audio.length === 0) return;
    const frame = new TTSAudioRawFrame({ audio, sampleRate, numChannels: 1 });
    frame.sentence = this.#options.sentence;
    this.#push(frame);
  }

  #pushWord(): void {
    const word = this.#words.shift();
    if (word !== undefined) this.#pushText(word.text);
  }

  #pushText(text: string): void {
    const { contextId, appendToContext } = this.#options.sentence;
    const frame = new TTSTextFrame(text, contextId);
    if (!appendToContext) frame.appendToContext = false;
    this.#push(frame);
  }

  #push(frame: Frame): void {
    frame.uninterruptible = this.uninterruptible;
    this.#options.push(frame);
  }

  #finish(): void {
    const { sentence, ended, failed } = this.#options;
    const hasAudio = sentence.durationMs > 0;
    if (hasAudio || this.#error !== undefined) ended(hasAudio);
    if (this.#error !== undefined) failed(this.#error, categoryOf(this.#error));
    if (!hasAudio || this.#error !== undefined) return;
    if (!sentence.hasWordTimes) this.#pushText(sentence.text);
    while (this.#words.length > 0) this.#pushWord();
  }
}
