/** When a user's turn starts: by voice activity, by words, or as others say. */

import type { Frame } from '../../frames/frame.ts';
import {
  BotStartedSpeakingFrame,
  BotStoppedSpeakingFrame,
  ProposedUserStartedSpeakingFrame,
  UserStartedSpeakingFrame,
  VADUserStartedSpeakingFrame,
} from '../../frames/speaking.ts';
import { InterimTranscriptionFrame, TranscriptionFrame } from '../../frames/text.ts';
import { checkCount } from '../../lib/options.ts';
import { UserTurnStartStrategy } from './user-turn-strategy.ts';

/** Options of start strategies. */
export interface UserTurnStartOptions {
  /** Whether the start of a turn interrupts the bot. Default true. */
  readonly interrupts?: boolean | undefined;
}

/** A turn starts with voice activity. */
export class VADUserTurnStartStrategy extends UserTurnStartStrategy {
  process(frame: Frame): boolean {
    if (!(frame instanceof VADUserStartedSpeakingFrame)) return false;
    this.triggerUserTurnStarted();
    return true;
  }
}

/** Options of strategies that look at words. */
export interface TranscriptionUserTurnStartOptions extends UserTurnStartOptions {
  /** Whether interim transcriptions count. Default true. */
  readonly useInterim?: boolean | undefined;
}

/** A turn starts with a transcription: for what voice activity detection has missed. */
export class TranscriptionUserTurnStartStrategy extends UserTurnStartStrategy {
  readonly #useInterim: boolean;

  constructor(options: TranscriptionUserTurnStartOptions = {}) {
    super(options);
    this.#useInterim = options.useInterim ?? true;
  }

  process(frame: Frame): boolean {
    if (!isWords(frame, this.#useInterim)) return false;
    this.triggerUserTurnStarted();
    return true;
  }
}

/** Options of a {@link MinWordsUserTurnStartStrategy}. */
export interface MinWordsUserTurnStartOptions extends TranscriptionUserTurnStartOptions {
  /** How many words of one transcription interrupt the bot. */
  readonly minWords: number;
}

/**
 * A turn starts with so many words while the bot speaks, and with any word otherwise. Fewer words are forgotten.
 *
 * @throws {InvalidOptionError} `minWords` is no whole number from 1 on.
 */
export class MinWordsUserTurnStartStrategy extends UserTurnStartStrategy {
  readonly #minWords: number;
  readonly #useInterim: boolean;
  #isBotSpeaking = false;

  constructor(options: MinWordsUserTurnStartOptions) {
    super(options);
    checkCount('minWords', options.minWords);
    this.#minWords = options.minWords;
    this.#useInterim = options.useInterim ?? true;
  }

  override turnStarted(): void {
    this.#isBotSpeaking = false;
  }

  process(frame: Frame): boolean {
    if (frame instanceof BotStartedSpeakingFrame) this.#isBotSpeaking = true;
    else if (frame instanceof BotStoppedSpeakingFrame) this.#isBotSpeaking = false;
    else if (isWords(frame, this.#useInterim)) return this.#count(frame.text);
    return false;
  }

  #count(text: string): boolean {
    const words = text.split(/\s+/u).filter((word) => word !== '').length;
    const isEnough = words >= (this.#isBotSpeaking ? this.#minWords : 1);
    if (isEnough) this.triggerUserTurnStarted();
    else this.turn.resetAggregation();
    return isEnough;
  }
}

/** A turn starts as a service proposes, or as others have announced it. */
export class ExternalUserTurnStartStrategy extends UserTurnStartStrategy {
  override get resolvesProposals(): boolean {
    return true;
  }

  process(frame: Frame): boolean {
    if (frame instanceof ProposedUserStartedSpeakingFrame) this.triggerUserTurnStarted();
    else if (frame instanceof UserStartedSpeakingFrame) {
      this.triggerUserTurnStarted({ interrupts: false, announces: false });
    } else return false;
    return true;
  }
}

function isWords(frame: Frame, useInterim: boolean): frame is TranscriptionFrame | InterimTranscriptionFrame {
  return frame instanceof TranscriptionFrame || (useInterim && frame instanceof InterimTranscriptionFrame);
}
