/** Joins pieces of text into sentences. */

import { type Frame, type FrameDirection, roleOf } from '../frames/frame.ts';
import { InterimTranscriptionFrame, TextFrame, TranscriptionFrame } from '../frames/text.ts';
import { InvalidOptionError } from '../lib/errors.ts';
import { FrameProcessor, type FrameProcessorOptions } from './frame-processor.ts';
import { SentenceSplitter } from './sentence-boundaries.ts';

/** Options of a sentence aggregator. */
export interface SentenceAggregatorOptions extends FrameProcessorOptions {
  /**
   * BCP 47, such as `en` or `de-AT`. It decides whether a number with a full stop may be an ordinal, as in German.
   * Default unknown, which is enough for most texts.
   */
  readonly locale?: string;
}

/** A frame with the number of its characters that are still held. */
interface HeldFrame {
  readonly frame: TextFrame;
  length: number;
}

/**
 * Pushes one frame per sentence.
 *
 * A sentence does not end at abbreviations, initials, decimals, ordinals, list numbers, nor before
 * closing quotes and markup. It is pushed when the following text shows that it has ended.
 *
 * Frames in: {@link TextFrame} and its subclasses, downstream; interim transcriptions are dropped.
 * Frames out: one {@link TextFrame} for each sentence, with the white space behind it; a {@link TranscriptionFrame}
 * where it was transcribed. It has the destination, source, user and metadata of the frames it was made of,
 * and the `pts` of the first one. Text of different users, sources or destinations is never joined.
 *
 * Data and control frames going downstream (speech, function calls, messages, ends, requests, …) flush what is
 * held, whether the sentence has ended or not; only heartbeats and system frames overtake it. An interruption or a
 * CancelFrame drops what is held, unless its frames are uninterruptible.
 *
 * @throws {InvalidOptionError} `locale` is not a language tag.
 * @see Pipecat `processors/aggregators/sentence.py`, `SentenceAggregator`; there other frames overtake what is held.
 */
export class SentenceAggregator extends FrameProcessor {
  readonly #splitter: SentenceSplitter;
  #held: HeldFrame[] = [];

  constructor(options: SentenceAggregatorOptions = {}) {
    super(options);
    const { locale } = options;
    this.#splitter = new SentenceSplitter(locale === undefined ? undefined : languageOf(locale));
  }

  protected override process(frame: Frame, direction: FrameDirection): void {
    if (frame instanceof TextFrame && direction === 'downstream') {
      if (!(frame instanceof InterimTranscriptionFrame)) this.#add(frame);
      return;
    }
    const role = roleOf(frame);
    if (role === 'interruption') this.#interrupt();
    else if (role === 'cancel') this.#forget();
    else if (direction === 'downstream' && frame.kind !== 'system' && role !== 'heartbeat') this.#flush();
    this.push(frame, direction);
  }

  override async cleanup(): Promise<void> {
    this.#forget();
    await super.cleanup();
  }

  #add(frame: TextFrame): void {
    if (frame.text === '') return;
    const last = this.#held.at(-1)?.frame;
    if (last !== undefined && !belongTogether(last, frame)) this.#flush();
    this.#held.push({ frame, length: frame.text.length });
    this.#pushSentences(this.#splitter.add(frame.text));
  }

  #flush(): void {
    this.#pushSentences(this.#splitter.flush());
  }

  #pushSentences(sentences: readonly string[]): void {
    for (const sentence of sentences) this.push(sentenceOf(sentence, this.#take(sentence.length)));
  }

  /** The frames that the next `length` characters came in. */
  #take(length: number): TextFrame[] {
    const frames: TextFrame[] = [];
    let wanted = length;
    for (const held of this.#held) {
      if (wanted === 0) break;
      frames.push(held.frame);
      const taken = Math.min(wanted, held.length);
      held.length -= taken;
      wanted -= taken;
    }
    this.#held = this.#held.filter((held) => held.length > 0);
    return frames;
  }

  #interrupt(): void {
    if (this.#held[0]?.frame.uninterruptible !== true) this.#forget();
  }

  #forget(): void {
    this.#held = [];
    this.#splitter.clear();
  }
}

function languageOf(locale: string): string {
  try {
    return new Intl.Locale(locale).language;
  } catch {
    throw new InvalidOptionError('locale', 'a BCP 47 language tag such as "en"', locale);
  }
}

function belongTogether(one: TextFrame, other: TextFrame): boolean {
  return (
    userOf(one) === userOf(other) &&
    one.transportSource === other.transportSource &&
    one.transportDestination === other.transportDestination &&
    one.uninterruptible === other.uninterruptible
  );
}

function userOf(frame: TextFrame): string | undefined {
  return frame instanceof TranscriptionFrame ? frame.userId : undefined;
}

/** @param frames What it is made of; at least one. */
function sentenceOf(text: string, frames: readonly TextFrame[]): TextFrame {
  const [first] = frames as [TextFrame];
  const sentence =
    first instanceof TranscriptionFrame
      ? new TranscriptionFrame(text, first.userId, first.timestamp, first.language)
      : new TextFrame(text);
  sentence.pts = first.pts;
  sentence.uninterruptible = first.uninterruptible;
  sentence.transportSource = first.transportSource;
  sentence.transportDestination = first.transportDestination;
  for (const { metadata } of frames) Object.assign(sentence.metadata, metadata);
  return sentence;
}
