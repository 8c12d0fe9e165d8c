/** The base class of speech synthesis. */

import type { SpokenSentence } from '../../frames/audio.ts';
import { type Frame, type FrameDirection, isFrameworkFrame } from '../../frames/frame.ts';
import {
  LLMAssistantPushAggregationFrame,
  LLMFullResponseEndFrame,
  LLMFullResponseStartFrame,
} from '../../frames/llm.ts';
import { MetricsFrame } from '../../frames/metrics.ts';
import { isFor, TTSUpdateSettingsFrame } from '../../frames/services.ts';
import {
  AggregatedTextFrame,
  TTSSpeakFrame,
  TTSStartedFrame,
  TTSStoppedFrame,
  TTSTextFrame,
} from '../../frames/speaking.ts';
import { InterimTranscriptionFrame, TextFrame, TranscriptionFrame } from '../../frames/text.ts';
import { PipelineError } from '../../lib/errors.ts';
import { checkDurationMs } from '../../lib/options.ts';
import { FrameProcessor, type FrameProcessorOptions } from '../../processors/frame-processor.ts';
import { SentenceSplitter } from '../../processors/sentence-boundaries.ts';
import { SentenceSynthesis, type TTSPart } from './sentence-synthesis.ts';
import { SpeechQueue } from './speech-queue.ts';

/** Options of speech synthesis. */
export interface TTSServiceOptions extends Omit<FrameProcessorOptions, 'directMode'> {
  /** BCP 47 primary subtag, such as `de`, to find the ends of sentences. Default unknown. */
  readonly language?: string | undefined;
  /** Longest silence of the service within a sentence, in milliseconds; `null` for no limit. Default 10,000. */
  readonly silenceTimeoutMs?: number | null | undefined;
}

/** An answer being spoken. */
interface Answer {
  readonly contextId: string;
  hasStarted: boolean;
}

/** After so many texts in a row without audio the service is of no use. */
const maxFailures = 3;
let texts = 0;

/**
 * Speaks the answers of a language model, sentence by sentence, and TTSSpeakFrames. A subclass synthesizes a sentence;
 * order, frames, metrics, errors and interruptions are done here. The next sentence is synthesized while one is.
 *
 * Frames in: text, which is spoken unless it is `skipTTS`; starts and ends of answers; {@link TTSSpeakFrame}. All other data
 * and control frames wait for the speech ahead of them.
 * Frames out: {@link AggregatedTextFrame} ahead of each sentence, {@link TTSStartedFrame}, {@link TTSAudioRawFrame}s,
 * {@link TTSTextFrame}s, {@link TTSStoppedFrame}: a sentence's text comes behind its audio, or word by word between it.
 * An {@link LLMAssistantPushAggregationFrame} follows what is spoken outside of an answer.
 *
 * An interruption aborts what may be interrupted and forgets the rest.
 *
 * @throws {InvalidOptionError} An option is invalid.
 * @see Pipecat `services/tts_service.py`, `TTSService`; there words are timed by a clock.
 */
export abstract class TTSService extends FrameProcessor {
  readonly #silenceMs: number | null;
  readonly #splitter: SentenceSplitter;
  readonly #queue = new SpeechQueue((frame) => this.push(frame));
  #answer: Answer | undefined;
  #failures = 0;

  constructor(options: TTSServiceOptions = {}) {
    super(options);
    const { language, silenceTimeoutMs = 10_000 } = options;
    if (silenceTimeoutMs !== null) checkDurationMs('silenceTimeoutMs', silenceTimeoutMs, { or: 'null' });
    this.#silenceMs = silenceTimeoutMs;
    this.#splitter = new SentenceSplitter(language);
  }

  /**
   * Synthesizes a sentence. At most two calls are pending: a sentence, and the one behind it.
   *
   * @param options.signal Aborts at an interruption; the request is to be aborted by it.
   * @param options.contextId The same for all sentences of an answer.
   * @returns The parts. What it throws becomes an ErrorFrame, by its HTTP status as `statusCode` or `status`.
   */
  protected abstract synthesize(
    text: string,
    options: { readonly signal: AbortSignal; readonly contextId: string },
  ): AsyncIterable<TTSPart>;

  /** Changes settings during the run, such as the voice. Default: ignores them. */
  protected updateSettings(_settings: Readonly<Record<string, unknown>>): void {}

  override async cleanup(): Promise<void> {
    this.#forget();
    this.#queue.clear();
    await super.cleanup();
  }

  protected override process(frame: Frame, direction: FrameDirection): void | Promise<void> {
    if (frame instanceof TTSUpdateSettingsFrame && isFor(frame, this)) {
      this.updateSettings(frame.settings);
      return;
    }
    if (frame.frameRole === 'interruption') {
      this.#forget();
      this.#queue.interrupt();
    } else if (frame.frameRole === 'cancel') {
      this.#forget();
      this.#queue.clear();
    } else if (frame.frameRole === 'end' || frame.frameRole === 'stop') return this.#drain(frame);
    else if (direction === 'downstream' && frame.kind !== 'system' && frame.frameRole !== 'start') {
      this.#queueFrame(frame);
      return;
    }
    this.push(frame, direction);
  }

  async #drain(frame: Frame): Promise<void> {
    this.#flush();
    await this.#queue.whenEmpty();
    this.push(frame);
  }

  #queueFrame(frame: Frame): void {
    if (isSpoken(frame)) {
      this.#addText(frame);
      return;
    }
    this.#flush();
    if (frame instanceof TTSSpeakFrame) {
      this.#speak(frame);
      return;
    }
    if (frame instanceof LLMFullResponseStartFrame) {
      this.#answer = { contextId: frame.responseId ?? newContextId(), hasStarted: false };
    } else if (frame instanceof LLMFullResponseEndFrame) {
      if (this.#answer?.hasStarted === true) this.#queue.add(new TTSStoppedFrame(this.#answer.contextId));
      this.#answer = undefined;
    }
    if (isFrameworkFrame(frame)) this.holdFrame(frame);
    this.#queue.add(frame);
  }

  #addText(frame: TextFrame): void {
    for (const sentence of this.#splitter.add(frame.text)) this.#say(sentence);
    // outside of an answer nothing tells that a text is complete
    if (this.#answer === undefined) this.#flush();
  }

  /** What is held must not be overtaken. */
  #flush(): void {
    for (const sentence of this.#splitter.flush()) this.#say(sentence);
  }

  #forget(): void {
    this.#splitter.clear();
    this.#answer = undefined;
  }

  #say(sentence: string): void {
    const text = sentence.trim();
    if (!isSpeakable(text)) return;
    if (!this.usable) return;
    const answer = this.#answer;
    if (answer === undefined) {
      this.#speak(new TTSSpeakFrame(text));
      return;
    }
    const started = answer.hasStarted ? [] : [new TTSStartedFrame(answer.contextId)];
    answer.hasStarted = true;
    this.#synthesize(text, answer.contextId, { appendToContext: true, isUninterruptible: false }, started);
  }

  #speak({ text, appendToContext, uninterruptible }: TTSSpeakFrame): void {
    if (!this.usable || !isSpeakable(text)) return;
    const contextId = newContextId();
    const queue = (frame: Frame): void => {
      frame.uninterruptible = uninterruptible;
      this.#queue.add(frame);
    };
    const started = new TTSStartedFrame(contextId, { appendToContext });
    started.uninterruptible = uninterruptible;
    this.#synthesize(text.trim(), contextId, { appendToContext, isUninterruptible: uninterruptible }, [
      started,
    ]);
    if (appendToContext && this.#answer === undefined) queue(new LLMAssistantPushAggregationFrame());
    queue(new TTSStoppedFrame(contextId));
  }

  #synthesize(
    text: string,
    contextId: string,
    options: Pick<SpokenSentence, 'appendToContext' | 'isUninterruptible'>,
    ahead: readonly Frame[],
  ): void {
    const announced = new AggregatedTextFrame(text, contextId);
    announced.uninterruptible = options.isUninterruptible;
    this.#queue.add(announced);
    for (const frame of ahead) this.#queue.add(frame);
    const sentence = { text, contextId, ...options, hasWordTimes: false, durationMs: 0, isComplete: false };
    this.#queue.add(
      new SentenceSynthesis({
        sentence,
        silenceMs: this.#silenceMs,
        synthesize: (signal) => this.synthesize(text, { signal, contextId }),
        push: (frame) => this.push(frame),
        isUsable: () => this.usable,
        started: () => this.#report([{ kind: 'tts-usage', characters: text.length }]),
        firstAudio: (valueMs) => this.#report([{ kind: 'ttfb', valueMs }]),
        ended: (hasAudio) => this.#ended(hasAudio),
        failed: (error, category) => this.pushError({ error, category }),
      }),
    );
  }

  #ended(hasAudio: boolean): void {
    this.#failures = hasAudio ? 0 : this.#failures + 1;
    if (hasAudio || this.#failures < maxFailures || !this.usable) return;
    const error = new PipelineError(`${this.name} has given no audio ${maxFailures} times in a row`);
    this.pushError({ error, category: 'invalid_request' });
  }

  #report(
    data: readonly ({ kind: 'tts-usage'; characters: number } | { kind: 'ttfb'; valueMs: number })[],
  ): void {
    this.push(new MetricsFrame(data.map((one) => ({ processor: this.name, ...one }))));
  }
}

function isSpoken(frame: Frame): frame is TextFrame {
  return (
    frame instanceof TextFrame &&
    !frame.skipTTS &&
    !(frame instanceof TTSTextFrame) &&
    !(frame instanceof AggregatedTextFrame) &&
    !(frame instanceof TranscriptionFrame) &&
    !(frame instanceof InterimTranscriptionFrame)
  );
}

/** Punctuation alone is nothing that a voice could say. */
function isSpeakable(text: string): boolean {
  return /[\p{L}\p{N}]/u.test(text);
}

function newContextId(): string {
  texts += 1;
  return `speech-${texts}`;
}
