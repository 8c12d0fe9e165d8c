/** How much of a sentence was heard, where its voice gives no word times. */

import type { SpokenSentence } from '../frames/audio.ts';

/** The fastest that voices speak, in milliseconds a character: a sentence that is still synthesized lasts longer. */
const fastestMsPerCharacter = 40;
/** A voice that gives no more sound for this long has said all that was heard. */
const pauseMs = 150;

/** Counts what is played of one sentence. */
export class HeardSentence {
  /** The sentence. */
  readonly sentence: SpokenSentence;
  /** Whether its text came behind its audio. */
  isWritten = false;
  #heardMs = 0;
  #lastMs = 0;

  constructor(sentence: SpokenSentence) {
    this.sentence = sentence;
  }

  /** Adds audio that was played. */
  add(durationMs: number): void {
    this.#heardMs += durationMs;
    this.#lastMs = performance.now();
  }

  /** The words heard so far: text is spread over the sound by characters; a word counts from its middle on. */
  get words(): string {
    const { text } = this.sentence;
    const share = this.#share;
    if (share >= 1) return text.trim();
    const position = share * text.trimEnd().length;
    const heard = [...text.matchAll(/\S+/gu)].filter((word) => word.index + word[0].length / 2 <= position);
    return heard.map(([word]) => word).join(' ');
  }

  get #share(): number {
    const { text, durationMs, isComplete } = this.sentence;
    // played chunks may be padded with silence, or end in the next sentence
    const isDry = this.#heardMs >= durationMs - 1;
    if (isComplete || (isDry && performance.now() - this.#lastMs >= pauseMs)) {
      return isDry || durationMs === 0 ? 1 : this.#heardMs / durationMs;
    }
    return this.#heardMs / Math.max(durationMs, text.length * fastestMsPerCharacter);
  }
}
