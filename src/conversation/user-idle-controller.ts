/** Waits for a user who does not speak. */

import type { Frame } from '../frames/frame.ts';
import {
  FunctionCallCancelFrame,
  FunctionCallResultFrame,
  FunctionCallsStartedFrame,
} from '../frames/function-calls.ts';
import {
  BotStartedSpeakingFrame,
  BotStoppedSpeakingFrame,
  UserIdleTimeoutUpdateFrame,
} from '../frames/speaking.ts';
import { longestTimerMs } from '../lib/options.ts';

/**
 * Fires once when the user is silent for the timeout after the bot has spoken, unless a turn is open or a function runs.
 *
 * @see Pipecat `turns/user_idle_controller.py`, `UserIdleController`
 */
export class UserIdleController {
  readonly #onIdle: () => void;
  #timeoutMs: number;
  #isWaiting = false;
  #isBotSpeaking = false;
  #hasBotSpoken = false;
  #isTurnOpen = false;
  readonly #calls = new Set<string>();
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** @param timeoutMs In milliseconds; 0 for never. */
  constructor(timeoutMs: number, onIdle: () => void) {
    this.#timeoutMs = timeoutMs;
    this.#onIdle = onIdle;
  }

  /** Whether the bot has spoken and waits for the user: not while it answers, speaks or runs a function. */
  get isWaiting(): boolean {
    return this.#isWaiting;
  }

  /** Whether a function runs. */
  get isCalling(): boolean {
    return this.#calls.size > 0;
  }

  process(frame: Frame): void {
    if (frame instanceof UserIdleTimeoutUpdateFrame) this.#update(frame.timeoutMs);
    else if (frame instanceof BotStoppedSpeakingFrame) {
      this.#isBotSpeaking = false;
      this.waitForUser();
    } else if (frame instanceof BotStartedSpeakingFrame) {
      this.#isBotSpeaking = true;
      this.#hasBotSpoken = true;
      this.stop();
    } else if (frame instanceof FunctionCallsStartedFrame) {
      for (const { toolCallId } of frame.functionCalls) this.#calls.add(toolCallId);
      this.stop();
    } else if (frame instanceof FunctionCallCancelFrame) this.#calls.delete(frame.toolCallId);
    else if (frame instanceof FunctionCallResultFrame && frame.isFinal) this.#calls.delete(frame.toolCallId);
  }

  /** The user's turn has started. */
  turnStarted(): void {
    this.#isTurnOpen = true;
    this.stop();
  }

  /** The user's turn has ended. */
  turnStopped(): void {
    this.#isTurnOpen = false;
  }

  /** Waits for the user from now on, unless somebody speaks or a function runs, or the bot has never spoken. */
  waitForUser(): void {
    if (this.#isBotSpeaking || this.#isTurnOpen || this.isCalling || !this.#hasBotSpoken) return;
    this.#isWaiting = true;
    this.#start();
  }

  /** Stops waiting. */
  stop(): void {
    this.#isWaiting = false;
    clearTimeout(this.#timer);
  }

  /** Forgets everything, between two runs. */
  reset(): void {
    this.stop();
    this.#isBotSpeaking = false;
    this.#hasBotSpoken = false;
    this.#isTurnOpen = false;
    this.#calls.clear();
  }

  #update(timeoutMs: number): void {
    // longer than timers can wait is never
    this.#timeoutMs = timeoutMs <= longestTimerMs ? timeoutMs : 0;
    clearTimeout(this.#timer);
    if (this.#isWaiting) this.#start();
  }

  #start(): void {
    clearTimeout(this.#timer);
    if (this.#timeoutMs > 0) this.#timer = setTimeout(this.#onIdle, this.#timeoutMs);
  }
}
