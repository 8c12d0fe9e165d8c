/** Decide when what the user says is ignored. */

import { ErrorFrame } from '../frames/error-frame.ts';
import type { Frame } from '../frames/frame.ts';
import {
  FunctionCallCancelFrame,
  FunctionCallResultFrame,
  FunctionCallsStartedFrame,
} from '../frames/function-calls.ts';
import { BotStartedSpeakingFrame, BotStoppedSpeakingFrame } from '../frames/speaking.ts';

/** Decides whether the user is muted. */
export interface UserMuteStrategy {
  /**
   * Called with every frame at the user's aggregator, lifecycle frames excepted.
   *
   * @returns Whether the user is muted from the next frame on.
   */
  process(frame: Frame): boolean;
  /** Called before each run. */
  reset?(): void;
}

/** Mutes the user while the bot speaks. */
export class AlwaysUserMuteStrategy implements UserMuteStrategy {
  #isSpeaking = false;

  reset(): void {
    this.#isSpeaking = false;
  }

  process(frame: Frame): boolean {
    if (frame instanceof BotStartedSpeakingFrame) this.#isSpeaking = true;
    else if (frame instanceof BotStoppedSpeakingFrame) this.#isSpeaking = false;
    return this.#isSpeaking;
  }
}

/** Mutes the user while the bot speaks for the first time. */
export class FirstSpeechUserMuteStrategy implements UserMuteStrategy {
  #state: 'before' | 'speaking' | 'over' = 'before';

  reset(): void {
    this.#state = 'before';
  }

  process(frame: Frame): boolean {
    if (frame instanceof BotStartedSpeakingFrame && this.#state === 'before') this.#state = 'speaking';
    else if (frame instanceof BotStoppedSpeakingFrame) this.#state = 'over';
    return this.#state === 'speaking';
  }
}

/** Mutes the user from the start until the bot has spoken once, or has failed to. */
export class MuteUntilFirstBotCompleteUserMuteStrategy implements UserMuteStrategy {
  #hasStarted = false;
  #isOver = false;

  reset(): void {
    this.#hasStarted = false;
    this.#isOver = false;
  }

  process(frame: Frame): boolean {
    if (frame instanceof BotStartedSpeakingFrame) this.#hasStarted = true;
    else if (frame instanceof BotStoppedSpeakingFrame) this.#isOver = true;
    else if (frame instanceof ErrorFrame && !this.#hasStarted) this.#isOver = true;
    return !this.#isOver;
  }
}

/** Mutes the user while a function runs. */
export class FunctionCallUserMuteStrategy implements UserMuteStrategy {
  readonly #calls = new Set<string>();

  reset(): void {
    this.#calls.clear();
  }

  process(frame: Frame): boolean {
    if (frame instanceof FunctionCallsStartedFrame) {
      for (const { toolCallId } of frame.functionCalls) this.#calls.add(toolCallId);
    } else if (frame instanceof FunctionCallResultFrame) {
      if (frame.isFinal) this.#calls.delete(frame.toolCallId);
    } else if (frame instanceof FunctionCallCancelFrame) this.#calls.delete(frame.toolCallId);
    return this.#calls.size > 0;
  }
}
