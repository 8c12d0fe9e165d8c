/** Frames about who speaks, and about stopping what is being said. */

import { SystemFrame } from './frame.ts';

/**
 * Drops what is queued: every processor that it passes forgets its droppable data and control frames and the
 * one it is processing. A receiver that plays or generates stops at once, then passes it on.
 *
 * @see Pipecat `frames/frames.py`, `InterruptionFrame`
 */
export class InterruptionFrame extends SystemFrame {
  static {
    InterruptionFrame.hasRole('interruption');
  }
}

/** Asks the task for an {@link InterruptionFrame} from the beginning of the pipeline, at any time. */
export class InterruptionTaskFrame extends SystemFrame {
  static {
    InterruptionTaskFrame.hasRole('interruption-task');
  }
}

/** The user's turn has begun. */
export class UserStartedSpeakingFrame extends SystemFrame {
  static {
    UserStartedSpeakingFrame.showsActivity('begins');
  }
}

/** The user's turn is over. */
export class UserStoppedSpeakingFrame extends SystemFrame {
  static {
    UserStoppedSpeakingFrame.showsActivity('ends');
  }
}

/** Sent again and again while the user speaks; shows that the conversation is alive. */
export class UserSpeakingFrame extends SystemFrame {
  static {
    UserSpeakingFrame.showsActivity('sign');
  }
}

/** Voice activity detection heard speech begin; not yet a turn. */
export class VADUserStartedSpeakingFrame extends SystemFrame {
  static {
    VADUserStartedSpeakingFrame.showsActivity('sign');
  }
  /** How long the speech had lasted when it was recognised as such, in milliseconds. */
  readonly startMs: number;
  /** Whose voice it was, where that is known. */
  readonly userId: string | undefined;

  constructor(startMs = 0, userId?: string) {
    super();
    this.startMs = startMs;
    this.userId = userId;
  }
}

/** Voice activity detection heard silence. */
export class VADUserStoppedSpeakingFrame extends SystemFrame {
  static {
    VADUserStoppedSpeakingFrame.showsActivity('sign');
  }
  /** How long the silence had lasted when it was recognised as such, in milliseconds. */
  readonly stopMs: number;
  /** Whose voice it was, where that is known. */
  readonly userId: string | undefined;

  constructor(stopMs = 0, userId?: string) {
    super();
    this.stopMs = stopMs;
    this.userId = userId;
  }
}

/** The bot's speech has begun to play. */
export class BotStartedSpeakingFrame extends SystemFrame {}

/** The bot's speech has been played, or was cut. */
export class BotStoppedSpeakingFrame extends SystemFrame {}

/** Sent again and again while the bot speaks; shows that the conversation is alive. */
export class BotSpeakingFrame extends SystemFrame {
  static {
    BotSpeakingFrame.showsActivity('sign');
  }
}

/** Speech recognition ignores the user while `mute` is true. */
export class STTMuteFrame extends SystemFrame {
  readonly mute: boolean;

  constructor(mute: boolean) {
    super();
    this.mute = mute;
  }
}
