/** The frames of speech: when the user and the bot speak, and speech synthesis; its audio is in `audio.ts`. */

import { ControlFrame, DataFrame, SystemFrame } from './frame.ts';
import { checkFrameText } from './frame-checks.ts';
import { TextFrame } from './text.ts';

/** The user's turn has started. */
export class UserStartedSpeakingFrame extends SystemFrame {
  static {
    UserStartedSpeakingFrame.showsActivity('begins');
  }
}

/** The user's turn has ended. */
export class UserStoppedSpeakingFrame extends SystemFrame {
  static {
    UserStoppedSpeakingFrame.showsActivity('ends');
  }
}

/** Pushed every 200 ms while the user speaks; keeps the task from being idle. */
export class UserSpeakingFrame extends SystemFrame {
  static {
    UserSpeakingFrame.showsActivity('sign');
  }
}

/** Voice activity detection: speech has started; not yet a turn. */
export class VADUserStartedSpeakingFrame extends SystemFrame {
  static {
    VADUserStartedSpeakingFrame.showsActivity('sign');
  }
  /** How long the speech had lasted when it was detected, in milliseconds. */
  readonly startMs: number;
  /** The speaker's identity, where it is known. */
  readonly userId: string | undefined;

  constructor(startMs = 0, userId?: string) {
    super();
    this.startMs = startMs;
    this.userId = userId;
  }
}

/** Voice activity detection: speech has stopped. */
export class VADUserStoppedSpeakingFrame extends SystemFrame {
  static {
    VADUserStoppedSpeakingFrame.showsActivity('sign');
  }
  /** How long the silence had lasted when it was detected, in milliseconds. */
  readonly stopMs: number;
  /** The speaker's identity, where it is known. */
  readonly userId: string | undefined;

  constructor(stopMs = 0, userId?: string) {
    super();
    this.stopMs = stopMs;
    this.userId = userId;
  }
}

/** The bot's speech has started to play. */
export class BotStartedSpeakingFrame extends SystemFrame {}

/** The bot's speech was played or interrupted. */
export class BotStoppedSpeakingFrame extends SystemFrame {}

/** Pushed every 200 ms while the bot speaks; keeps the task from being idle. */
export class BotSpeakingFrame extends SystemFrame {
  static {
    BotSpeakingFrame.showsActivity('sign');
  }
}

/** Mutes speech recognition while `mute` is true. */
export class STTMuteFrame extends SystemFrame {
  /** Whether the user is muted. */
  readonly mute: boolean;

  constructor(mute: boolean) {
    super();
    this.mute = mute;
  }
}

/** Text of the bot's speech, pushed in step with its audio. */
export class TTSTextFrame extends TextFrame {}

/** Text to be spoken verbatim, bypassing the language model. */
export class TTSSpeakFrame extends DataFrame {
  /** The text. */
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
