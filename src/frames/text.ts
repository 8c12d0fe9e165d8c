/** Text, and the transcriptions of what participants say. */

import { DataFrame, SystemFrame } from './frame.ts';
import { checkFrameText } from './frame-checks.ts';

/** A piece of text. */
export class TextFrame extends DataFrame {
  /** The text. */
  readonly text: string;
  // on the prototype: most frames differ in none of these
  static {
    const defaults = { skipTTS: false, includesInterFrameSpaces: false, appendToContext: true };
    Object.assign(TextFrame.prototype, defaults);
  }
  /** Whether speech synthesis passes the text on unspoken. Default false. */
  declare skipTTS: boolean;
  /** Whether it has the white space to its neighbours in it, as tokens of a model do. Default false. */
  declare includesInterFrameSpaces: boolean;
  /** Whether the assistant's context aggregator adds the text to the conversation. Default true. */
  declare appendToContext: boolean;

  /** @throws {InvalidOptionError} `text` is no string. */
  constructor(text: string) {
    super();
    checkFrameText(text);
    this.text = text;
  }
}

/** What a {@link TranscriptionFrame} may tell beside its text. */
export interface TranscriptionOptions {
  /** Whether the service has nothing more to say about this utterance. Default false. */
  readonly finalized?: boolean | undefined;
  /** The service's own result. */
  readonly result?: unknown;
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
  /** Whether the service has nothing more to say about this utterance: a turn need not wait for more. */
  readonly finalized: boolean;
  /** The service's own result; `undefined` where it gives none. */
  readonly result: unknown;

  constructor(
    text: string,
    userId = '',
    timestamp = '',
    language?: string,
    { finalized = false, result }: TranscriptionOptions = {},
  ) {
    super(text);
    this.userId = userId;
    this.timestamp = timestamp;
    this.language = language;
    this.finalized = finalized;
    this.result = result;
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
