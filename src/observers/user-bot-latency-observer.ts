/** Measures the bot's response time, and what it consists of. */

import type { Frame } from '../frames/frame.ts';
import {
  FunctionCallCancelFrame,
  FunctionCallInProgressFrame,
  FunctionCallResultFrame,
} from '../frames/function-calls.ts';
import { MetricsFrame } from '../frames/metrics.ts';
import { ClientConnectedFrame } from '../frames/participants.ts';
import {
  BotStartedSpeakingFrame,
  UserStartedSpeakingFrame,
  UserStoppedSpeakingFrame,
  VADUserStartedSpeakingFrame,
  VADUserStoppedSpeakingFrame,
} from '../frames/speaking.ts';
import { SafeEventEmitter } from '../lib/emitter.ts';
import type { FramePushed, Observer } from './observer.ts';
import { SeenFrames } from './seen-frames.ts';

/** An interval. */
export interface Stretch {
  /** Milliseconds of `performance.now()`. */
  readonly startMs: number;
  /** The duration, in milliseconds. */
  readonly durationMs: number;
}

/** A service's time to its first byte. */
export interface TTFBStretch extends Stretch {
  /** The processor's name. */
  readonly processor: string;
  /** The model. Default none. */
  readonly model?: string | undefined;
}

/** How long a function ran. */
export interface FunctionCallStretch extends Stretch {
  /** The name of the function. */
  readonly functionName: string;
}

/** The parts that were reported. */
export interface LatencyBreakdown {
  /** From the user's silence until the end of the turn was detected. */
  readonly userTurn?: Stretch | undefined;
  /** In the order of their reports. */
  readonly ttfb: readonly TTFBStretch[];
  /** In the order of their answers. */
  readonly functionCalls: readonly FunctionCallStretch[];
}

/** One line per part, in order of their beginning: `OpenAILLM#0: TTFB 250 ms`. */
export function chronologicalEvents({ userTurn, ttfb, functionCalls }: LatencyBreakdown): readonly string[] {
  const events: [Stretch, string][] = [
    ...ttfb.map((one): [Stretch, string] => [one, `${one.processor}: TTFB`]),
    ...functionCalls.map((one): [Stretch, string] => [one, `${one.functionName}:`]),
  ];
  if (userTurn !== undefined) events.unshift([userTurn, 'User turn:']);
  return events
    .sort(([one], [other]) => one.startMs - other.startMs)
    .map(([{ durationMs }, text]) => `${text} ${Math.round(durationMs)} ms`);
}

/** Events of a latency observer. */
export interface UserBotLatencyObserverEvents {
  /** From the user's last word to the bot's first, in milliseconds. */
  latencyMeasured: (latencyMs: number) => void;
  /** The parts of that time; follows either of the other events. */
  latencyBrokenDown: (breakdown: LatencyBreakdown) => void;
  /** From the first participant's arrival to the bot's greeting, in milliseconds; at most once. */
  firstBotSpeechMeasured: (latencyMs: number) => void;
}

/**
 * Measures how long the user waits for the bot.
 *
 * The wait begins when the user fell silent, which is before voice activity detection could report it; without voice
 * activity detection it begins with the end of the user's turn. Only downstream frames count. What services reported
 * before an interruption does not count. There is no first speech to be measured when the user speaks first.
 *
 * @see Pipecat `observers/user_bot_latency_observer.py`, `UserBotLatencyObserver`; in milliseconds, and without
 * the time of text aggregation, which is not reported here.
 */
export class UserBotLatencyObserver
  extends SafeEventEmitter<UserBotLatencyObserverEvents>
  implements Observer
{
  readonly #seen = new SeenFrames();
  #clientConnectedMs: number | undefined;
  #firstSpeechIsDue = true;
  /** When the user fell silent. */
  #silenceMs: number | undefined;
  /** Whether voice activity detection has heard the user since the bot spoke last: it is more precise than turns. */
  #hasVoiceActivity = false;
  #userTurn: Stretch | undefined;
  #ttfb: TTFBStretch[] = [];
  #functionCalls: FunctionCallStretch[] = [];
  /** By the model's id of the call: when it began. */
  readonly #runningCalls = new Map<string, number>();

  onPushFrame({ frame, direction, timestampMs }: FramePushed): void {
    if (direction !== 'downstream' || !isOfInterest(frame) || !this.#seen.isNew(frame)) return;
    if (frame instanceof ClientConnectedFrame) this.#clientConnectedMs ??= timestampMs;
    else if (frame instanceof VADUserStartedSpeakingFrame) this.#userSpeaks(true);
    else if (frame instanceof VADUserStoppedSpeakingFrame) this.#voiceStopped(timestampMs - frame.stopMs);
    else if (frame instanceof UserStartedSpeakingFrame) this.#turnStarted();
    else if (frame instanceof UserStoppedSpeakingFrame) this.#turnEnded(timestampMs);
    else if (frame instanceof BotStartedSpeakingFrame) this.#botSpeaks(timestampMs);
    else if (frame.frameRole === 'interruption') this.#forgetServices();
    else if (this.#isMeasuring) this.#noteService(frame, timestampMs);
  }

  get #isMeasuring(): boolean {
    return this.#silenceMs !== undefined || (this.#firstSpeechIsDue && this.#clientConnectedMs !== undefined);
  }

  #userSpeaks(hasVoiceActivity: boolean): void {
    this.#firstSpeechIsDue = false;
    this.#forget();
    this.#hasVoiceActivity = hasVoiceActivity;
  }

  #voiceStopped(silenceMs: number): void {
    this.#silenceMs = silenceMs;
    this.#hasVoiceActivity = true;
  }

  #turnStarted(): void {
    if (!this.#hasVoiceActivity) this.#userSpeaks(false);
  }

  #turnEnded(endedMs: number): void {
    const startMs = this.#silenceMs;
    if (!this.#hasVoiceActivity) this.#silenceMs = endedMs;
    else if (startMs !== undefined) this.#userTurn = { startMs, durationMs: endedMs - startMs };
  }

  #botSpeaks(spokeMs: number): void {
    if (!this.#isMeasuring) return;
    if (this.#firstSpeechIsDue && this.#clientConnectedMs !== undefined) {
      this.#firstSpeechIsDue = false;
      this.emit('firstBotSpeechMeasured', spokeMs - this.#clientConnectedMs);
    }
    if (this.#silenceMs !== undefined) this.emit('latencyMeasured', spokeMs - this.#silenceMs);
    const breakdown = { userTurn: this.#userTurn, ttfb: this.#ttfb, functionCalls: this.#functionCalls };
    this.#forget();
    this.emit('latencyBrokenDown', breakdown);
  }

  #noteService(frame: Frame, timestampMs: number): void {
    if (frame instanceof MetricsFrame) {
      for (const figure of frame.data) {
        if (figure.kind !== 'ttfb') continue;
        const { processor, model, valueMs: durationMs } = figure;
        this.#ttfb.push({ processor, model, startMs: timestampMs - durationMs, durationMs });
      }
    } else if (frame instanceof FunctionCallInProgressFrame) {
      this.#runningCalls.set(frame.toolCallId, timestampMs);
    } else if (frame instanceof FunctionCallCancelFrame) {
      this.#runningCalls.delete(frame.toolCallId);
    } else if (frame instanceof FunctionCallResultFrame) {
      const startMs = this.#runningCalls.get(frame.toolCallId);
      if (startMs === undefined) return;
      this.#runningCalls.delete(frame.toolCallId);
      const { functionName } = frame;
      this.#functionCalls.push({ functionName, startMs, durationMs: timestampMs - startMs });
    }
  }

  #forget(): void {
    this.#silenceMs = undefined;
    this.#hasVoiceActivity = false;
    this.#userTurn = undefined;
    this.#forgetServices();
  }

  #forgetServices(): void {
    this.#ttfb = [];
    this.#functionCalls = [];
    this.#runningCalls.clear();
  }
}

function isOfInterest(frame: Frame): boolean {
  return (
    frame instanceof MetricsFrame ||
    frame instanceof ClientConnectedFrame ||
    frame instanceof VADUserStartedSpeakingFrame ||
    frame instanceof VADUserStoppedSpeakingFrame ||
    frame instanceof UserStartedSpeakingFrame ||
    frame instanceof UserStoppedSpeakingFrame ||
    frame instanceof BotStartedSpeakingFrame ||
    frame instanceof FunctionCallInProgressFrame ||
    frame instanceof FunctionCallCancelFrame ||
    frame instanceof FunctionCallResultFrame ||
    frame.frameRole === 'interruption'
  );
}
