/** The frames of speech synthesis; its audio is in `audio.ts`. */

import { ControlFrame, DataFrame } from './frame.ts';
import { checkFrameText } from './frame-checks.ts';
import { TextFrame } from './text.ts';

/** Text of the bot's speech, pushed in step with its audio. */
export class TTSTextFrame extends TextFrame {}

/** Text to be spoken verbatim, bypassing the language model. */
export class TTSSpeakFrame extends DataFrame {
  readonly text: string;

  /** @throws {InvalidOptionError} `text` is no string. */
  constructor(text: string) {
    super();
    checkFrameText(text);
    this.text = text;
  }
}

/** Speech synthesis starts; its TTSAudioRawFrames follow. */
export class TTSStartedFrame extends ControlFrame {}

/** Speech synthesis has finished; the output transport plays the rest of its audio. */
export class TTSStoppedFrame extends ControlFrame {}
