/** The frames of speech: when the user and the bot speak, turns and mutes, and speech synthesis; its audio is in `audio.ts`. */

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
  /** When it was detected, in milliseconds since the epoch. */
  readonly timestampMs: number = Date.now();
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
  /** When it was detected, in milliseconds since the epoch. */
  readonly timestampMs: number = Date.now();
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

/**
 * A sentence that speech synthesis is about to speak, ahead of its audio. It is not part of the conversation: the
 * {@link TTSTextFrame}s that follow are, as they are heard.
 */
export class AggregatedTextFrame extends TextFrame {
  static {
    AggregatedTextFrame.prototype.appendToContext = false;
  }
  /** Identifies the answer or the {@link TTSSpeakFrame}. */
  readonly contextId: string;

  constructor(text: string, contextId: string) {
    super(text);
    this.contextId = contextId;
  }
}

/** Text of the bot's speech, pushed in step with its audio: a sentence behind its audio, or a word as it begins. */
export class TTSTextFrame extends TextFrame {
  /** Identifies the answer or the {@link TTSSpeakFrame}; `undefined` where unknown. */
  readonly contextId: string | undefined;

  constructor(text: string, contextId?: string) {
    super(text);
    this.contextId = contextId;
  }
}

/** How a {@link TTSSpeakFrame} is treated. */
export interface TTSSpeakOptions {
  /** Whether the conversation contains it, once it was heard. Default true. */
  readonly appendToContext?: boolean | undefined;
}

/**
 * Text to be spoken verbatim, bypassing the language model. With `uninterruptible` set, such as for a goodbye, it is
 * spoken to the end whatever the user says.
 */
export class TTSSpeakFrame extends DataFrame {
  /** The text. */
  readonly text: string;
  /** Whether the conversation contains it, once it was heard. */
  readonly appendToContext: boolean;

  /** @throws {InvalidOptionError} `text` is no string. */
  constructor(text: string, { appendToContext = true }: TTSSpeakOptions = {}) {
    super();
    checkFrameText(text);
    this.text = text;
    this.appendToContext = appendToContext;
  }
}

/** Speech synthesis starts; its TTSAudioRawFrames follow. */
export class TTSStartedFrame extends ControlFrame {
  /** Identifies the answer or the {@link TTSSpeakFrame}; `undefined` where unknown. */
  readonly contextId: string | undefined;
  /** Whether the conversation will contain what is spoken. */
  readonly appendToContext: boolean;

  constructor(contextId?: string, { appendToContext = true }: TTSSpeakOptions = {}) {
    super();
    this.contextId = contextId;
    this.appendToContext = appendToContext;
  }
}

/** Speech synthesis has finished; the output transport plays the rest of its audio. */
export class TTSStoppedFrame extends ControlFrame {
  /** Identifies the answer or the {@link TTSSpeakFrame}; `undefined` where unknown. */
  readonly contextId: string | undefined;

  constructor(contextId?: string) {
    super();
    this.contextId = contextId;
  }
}

/** A service believes that the user's turn has started; the user's context aggregator decides. */
export class ProposedUserStartedSpeakingFrame extends SystemFrame {
  static {
    ProposedUserStartedSpeakingFrame.showsActivity('sign');
  }
}

/** A service believes that the user's turn has ended; the user's context aggregator decides. */
export class ProposedUserStoppedSpeakingFrame extends ControlFrame {
  static {
    ProposedUserStoppedSpeakingFrame.showsActivity('sign');
  }
}

/** What the user says is ignored from now on; pushed in both directions. */
export class UserMuteStartedFrame extends SystemFrame {}

/** What the user says counts again; pushed in both directions. */
export class UserMuteStoppedFrame extends SystemFrame {}

/** Sets the time after which a silent user counts as idle, and restarts a wait that is under way. */
export class UserIdleTimeoutUpdateFrame extends SystemFrame {
  /** In milliseconds; 0 for never. */
  readonly timeoutMs: number;

  constructor(timeoutMs: number) {
    super();
    this.timeoutMs = timeoutMs;
  }
}
