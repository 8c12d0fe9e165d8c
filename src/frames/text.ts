/** Words: what was heard, what was thought of, what is to be said. */

import { ControlFrame, DataFrame, SystemFrame } from './frame.ts';
import { checkFrameText } from './frame-checks.ts';

/** A piece of text. */
export class TextFrame extends DataFrame {
  readonly text: string;

  /** @throws {InvalidOptionError} `text` is no string. */
  constructor(text: string) {
    super();
    checkFrameText(text);
    this.text = text;
  }
}

/** A piece of a language model's answer, white space included. */
export class LLMTextFrame extends TextFrame {}

/** The text of the speech that is being played. */
export class TTSTextFrame extends TextFrame {}

/** What somebody said. */
export class TranscriptionFrame extends TextFrame {
  static {
    TranscriptionFrame.showsActivity('sign');
  }
  /** The participant's identity; empty where there is only one. */
  readonly userId: string;
  /** When it was said, ISO 8601; empty where unknown. */
  readonly timestamp: string;
  /** BCP 47, such as `en-GB`. */
  readonly language: string | undefined;

  constructor(text: string, userId = '', timestamp = '', language?: string) {
    super(text);
    this.userId = userId;
    this.timestamp = timestamp;
    this.language = language;
  }
}

/** What somebody seems to be saying; a later one, or a {@link TranscriptionFrame}, replaces it. */
export class InterimTranscriptionFrame extends TextFrame {
  static {
    InterimTranscriptionFrame.showsActivity('sign');
  }
  readonly userId: string;

  constructor(text: string, userId = '') {
    super(text);
    this.userId = userId;
  }
}

/** Text to be spoken as it is, past the language model. */
export class TTSSpeakFrame extends DataFrame {
  readonly text: string;

  /** @throws {InvalidOptionError} `text` is no string. */
  constructor(text: string) {
    super();
    checkFrameText(text);
    this.text = text;
  }
}

/** Text that a participant typed; a system frame, so it overtakes. */
export class InputTextRawFrame extends SystemFrame {
  static {
    InputTextRawFrame.showsActivity('sign');
  }
  readonly text: string;

  /** @throws {InvalidOptionError} `text` is no string. */
  constructor(text: string) {
    super();
    checkFrameText(text);
    this.text = text;
  }
}

/** A language model begins to answer; its {@link LLMTextFrame}s follow. */
export class LLMFullResponseStartFrame extends ControlFrame {}

/** A language model has answered. */
export class LLMFullResponseEndFrame extends ControlFrame {}

/** Speech synthesis begins; its {@link TTSAudioRawFrame}s follow. */
export class TTSStartedFrame extends ControlFrame {}

/** Speech synthesis is done; the output transport plays what is left of it. */
export class TTSStoppedFrame extends ControlFrame {}
