/** Announces when users speak, by voice activity detection. */

import { InputAudioRawFrame } from '../frames/audio.ts';
import { type Frame, type FrameDirection, roleOf } from '../frames/frame.ts';
import { isTerminalFrame } from '../frames/lifecycle.ts';
import { ParticipantLeftFrame } from '../frames/participants.ts';
import {
  UserSpeakingFrame,
  UserStartedSpeakingFrame,
  UserStoppedSpeakingFrame,
  VADUserStartedSpeakingFrame,
  VADUserStoppedSpeakingFrame,
} from '../frames/speaking.ts';
import { errorMessage, PipelineError } from '../lib/errors.ts';
import { checkBoolean, checkOneOf } from '../lib/options.ts';
import { FrameProcessor, type FrameProcessorOptions } from '../processors/frame-processor.ts';
import type { FrameProcessorSetup } from '../processors/frame-processor-setup.ts';
import type { SpeakerTrack } from './speakers.ts';
import { strategyStopMs, VoiceActivity, type VoiceActivityOptions } from './voice-activity.ts';

/** Options of a {@link VADProcessor}. */
export interface VADProcessorOptions extends FrameProcessorOptions, VoiceActivityOptions {
  /**
   * When no analyzer can be made at the start, as its library or model is missing: `'fail'`, the default, fails the run;
   * `'continue'` reports an error, and the call continues without voice activity detection.
   */
  readonly onMissingAnalyzer?: 'fail' | 'continue' | undefined;
  /** Whether the start of a turn interrupts the bot. Default true. */
  readonly interrupts?: boolean | undefined;
}

/**
 * Announces when users start and stop speaking; to be placed behind the input transport.
 *
 * Each user is analyzed separately, and so is each of their tracks, by `transportSource`. A turn starts with the first
 * track that speaks and ends with the last.
 *
 * Frames in: {@link InputAudioRawFrame}; everything passes through, ahead of what it causes.
 * Frames out, in both directions: {@link VADUserStartedSpeakingFrame} and {@link VADUserStoppedSpeakingFrame} for
 * each track, with its `transportSource`; {@link UserStartedSpeakingFrame}, an interruption,
 * {@link UserSpeakingFrame} every 200 ms and {@link UserStoppedSpeakingFrame} for each turn. Where a context aggregator
 * decides about turns, only voice activity is announced, after 200 ms of silence by default.
 * An analyzer that fails later is reported once, and its track is not analyzed any more.
 *
 * @example
 * new Pipeline([transport.input(), new VADProcessor({ createAnalyzer: sileroVADAnalyzer }), bot, transport.output()]);
 *
 * @throws {InvalidOptionError} An option is invalid.
 * @see Pipecat `processors/audio/vad_processor.py`, `VADProcessor`; there turns belong to another processor.
 */
export class VADProcessor extends FrameProcessor {
  readonly #interrupts: boolean;
  readonly #onMissingAnalyzer: 'fail' | 'continue';
  readonly #activity: VoiceActivity;
  #claims: ReadonlySet<string> | undefined;

  constructor(options: VADProcessorOptions = {}) {
    super(options);
    const { onMissingAnalyzer = 'fail', interrupts = true } = options;
    checkOneOf('onMissingAnalyzer', onMissingAnalyzer, ['fail', 'continue']);
    checkBoolean('interrupts', interrupts);
    this.#interrupts = interrupts;
    this.#onMissingAnalyzer = onMissingAnalyzer;
    this.#activity = new VoiceActivity(options, {
      started: (track, startMs, isFirst) => this.#started(track, startMs, isFirst),
      stopped: (track, stopMs, isLast) => this.#stopped(track, stopMs, isLast),
      speaks: () => this.broadcast(UserSpeakingFrame),
      defaultStopMs: () => (this.#announcesTurns ? undefined : strategyStopMs),
      failed: (error) => this.pushError({ error }),
    });
  }

  /**
   * Makes the first analyzer, so that a missing model is detected before the call.
   *
   * @throws {PipelineError} No analyzer can be made, with `onMissingAnalyzer: 'continue'`; else the run fails with it.
   */
  override async setup(setup: FrameProcessorSetup): Promise<void> {
    await super.setup(setup);
    this.#claims = setup.claims;
    try {
      await this.#activity.prepare();
    } catch (cause) {
      const error = this.#missingAnalyzer(cause);
      if (this.#onMissingAnalyzer === 'continue') throw error;
      setup.fail(error);
    }
  }

  override async cleanup(): Promise<void> {
    await this.#activity.close();
    await super.cleanup();
  }

  protected override process(frame: Frame, direction: FrameDirection): void | Promise<void> {
    if (roleOf(frame) === 'start' || isTerminalFrame(frame)) this.#activity.reset();
    this.push(frame, direction);
    if (frame instanceof ParticipantLeftFrame) this.#activity.left(frame.identity);
    if (frame instanceof InputAudioRawFrame && direction === 'downstream')
      return this.#activity.process(frame);
  }

  #started(track: SpeakerTrack, startMs: number, isFirst: boolean): void {
    this.#broadcastOf(track, new VADUserStartedSpeakingFrame(startMs, track.userId));
    if (!isFirst) return;
    if (this.#announcesTurns) {
      this.broadcast(UserStartedSpeakingFrame);
      if (this.#interrupts) this.broadcastInterruption();
    }
    this.broadcast(UserSpeakingFrame);
  }

  #stopped(track: SpeakerTrack, stopMs: number, isLast: boolean): void {
    this.#broadcastOf(track, new VADUserStoppedSpeakingFrame(stopMs, track.userId));
    if (isLast && this.#announcesTurns) this.broadcast(UserStoppedSpeakingFrame);
  }

  #broadcastOf({ transportSource }: SpeakerTrack, frame: Frame): void {
    frame.transportSource = transportSource;
    this.broadcastFrame(frame);
  }

  /** Not where another processor of the run decides about turns. */
  get #announcesTurns(): boolean {
    return this.#claims?.has('user turns') !== true;
  }

  #missingAnalyzer(cause: unknown): PipelineError {
    const instead = `With onMissingAnalyzer: 'continue' the call goes on without voice activity detection`;
    return new PipelineError(`${this.name} has no analyzer: ${errorMessage(cause)} ${instead}`, { cause });
  }
}
