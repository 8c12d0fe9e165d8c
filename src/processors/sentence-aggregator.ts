import { type Frame, type FrameDirection, roleOf } from '../frames/frame.ts';
import { InterimTranscriptionFrame, LLMFullResponseEndFrame, TextFrame } from '../frames/text.ts';
import { FrameProcessor, type FrameProcessorOptions } from './frame-processor.ts';

export interface SentenceAggregatorOptions extends FrameProcessorOptions {
  /** BCP 47, such as `en` or `ja`: whose rules divide the text. Default `en`. */
  readonly locale?: string;
}

/**
 * Joins pieces of text into sentences.
 *
 * Frames in: {@link TextFrame} and its subclasses, downstream; interim transcriptions are dropped.
 * Frames out: one plain {@link TextFrame} for each sentence, with the white space behind it.
 * A sentence goes out when the next one begins; the last one at an {@link LLMFullResponseEndFrame} and before an
 * End or Stop frame. An interruption forgets what is unfinished. Everything else passes at once.
 *
 * @throws {RangeError} `locale` is not a language tag.
 * @see Pipecat `processors/aggregators/sentence.py`, `SentenceAggregator`; there a tokenizer finds the boundaries.
 */
export class SentenceAggregator extends FrameProcessor {
  readonly #segmenter: Intl.Segmenter;
  #text = '';

  constructor(options: SentenceAggregatorOptions = {}) {
    super(options);
    this.#segmenter = new Intl.Segmenter(options.locale ?? 'en', { granularity: 'sentence' });
  }

  protected override process(frame: Frame, direction: FrameDirection): void {
    if (frame instanceof TextFrame && direction === 'downstream') {
      if (!(frame instanceof InterimTranscriptionFrame)) this.#add(frame.text);
      return;
    }
    const role = roleOf(frame);
    if (role === 'interruption' || role === 'cancel') this.#text = '';
    if (role === 'end' || role === 'stop' || frame instanceof LLMFullResponseEndFrame) this.#flush();
    this.push(frame, direction);
  }

  override async cleanup(): Promise<void> {
    this.#text = '';
    await super.cleanup();
  }

  #add(text: string): void {
    this.#text += text;
    const sentences = Array.from(this.#segmenter.segment(this.#text), ({ segment }) => segment);
    // only what comes behind it shows that a sentence is over: "3." may become "3.5", and "e.g. " goes on
    this.#text = sentences.pop() ?? '';
    for (const sentence of sentences) this.push(new TextFrame(sentence));
  }

  #flush(): void {
    if (this.#text !== '') this.push(new TextFrame(this.#text));
    this.#text = '';
  }
}
