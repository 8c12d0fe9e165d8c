/** Text, and the transcriptions of what participants say. */

import { DataFrame, SystemFrame } from './frame.ts';
import { checkFrameText } from './frame-checks.ts';

/** A piece of text. */
export class TextFrame extends DataFrame {
  /** The text. */
  readonly text: string;

  /** @throws {InvalidOptionError} `text` is no string. */
  constructor(text: string) {
    super();
    checkFrameText(text);
    this.text = text;
  }
}

/** The final transcription of an utterance. */
export class TranscriptionFrame extends TextFrame {
  static {
    TranscriptionFrame.showsActivity('sign');
  }
  /** The speaker's identity; empty where there is only one. */
  readonly userId: string;
  /** Time of the utterance, ISO 8601; empty where unknown. */
  readonly timestamp: string;
  /** Language tag, BCP 47, such as `en-GB`; `undefined` where unknown. */
  readonly language: string | undefined;

  constructor(text: string, userId = '', timestamp = '', language?: string) {
    super(text);
    this.userId = userId;
    this.timestamp = timestamp;
    this.language = language;
  }
}

/** An interim transcription; replaced by the next one, or by the {@link TranscriptionFrame}. */
export class InterimTranscriptionFrame extends TextFrame {
  static {
    InterimTranscriptionFrame.showsActivity('sign');
  }
  /** The speaker's identity; empty where there is only one. */
  readonly userId: string;

  constructor(text: string, userId = '') {
    super(text);
    this.userId = userId;
  }
}

/** Text that a participant typed; a system frame, so it overtakes data frames. */
export class InputTextRawFrame extends SystemFrame {
  static {
    InputTextRawFrame.showsActivity('sign');
  }
  /** The text. */
  readonly text: string;

  /** @throws {InvalidOptionError} `text` is no string. */
  constructor(text: string) {
    super();
    checkFrameText(text);
    this.text = text;
  }
}
