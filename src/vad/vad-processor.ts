/** Announces when users speak, by voice activity detection. */

import { InputAudioRawFrame, UserAudioRawFrame } from '../frames/audio.ts';
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
import { checkBoolean, checkDurationMs, checkFunction, checkOneOf } from '../lib/options.ts';
import { FrameProcessor, type FrameProcessorOptions } from '../processors/frame-processor.ts';
import type { FrameProcessorSetup } from '../processors/frame-processor-setup.ts';
import { type SpeakerAudio, Speakers } from './speakers.ts';
import { SpeechDetector, type VADParams } from './speech-detector.ts';
import { type CreateVADAnalyzer, EnergyVADAnalyzer } from './vad-analyzer.ts';

/** Options of a {@link VADProcessor}. */
export interface VADProcessorOptions extends FrameProcessorOptions, VADParams {
  /** Called once before the run, and for each track after the first. Default: an {@link EnergyVADAnalyzer}. */
  readonly createAnalyzer?: CreateVADAnalyzer | undefined;
  /**
   * When no analyzer can be made at the start, as its library or model is missing: `'fail'`, the default, fails the run;
   * `'continue'` reports an error, and the call continues without voice activity detection.
   */
  readonly onMissingAnalyzer?: 'fail' | 'continue' | undefined;
  /** Whether the start of a turn interrupts the bot. Default true. */
  readonly interrupts?: boolean | undefined;
  /** Without audio for this long, in milliseconds, a track counts as silent. Default 1,000. */
  readonly audioIdleMs?: number | undefined;
}

const speakingPeriodMs = 200;

/**
 * Announces when users start and stop speaking; to be placed behind the input transport.
 *
 * Each user is analyzed separately, and so is each of their tracks, by `transportSource`. A turn starts with the first
 * track that speaks and ends with the last.
 *
 * Frames in: {@link InputAudioRawFrame}; everything passes through, ahead of what it causes.
 * Frames out, in both directions: {@link VADUserStartedSpeakingFrame} and {@link VADUserStoppedSpeakingFrame} for
 * each track, with its `transportSource`; {@link UserStartedSpeakingFrame}, an interruption,
 * {@link UserSpeakingFrame} every 200 ms and {@link UserStoppedSpeakingFrame} for each turn.
 * An analyzer that fails later is reported once, and its track is not analyzed any more.
 *
 * @example
 * new Pipeline([transport.input(), new VADProcessor({ createAnalyzer: sileroVADAnalyzer }), bot, transport.output()]);
 *
 * @throws {InvalidOptionError} An option is invalid.
 * @see Pipecat `processors/audio/vad_processor.py`, `VADProcessor`; there turns belong to another processor.
 */
export class VADProcessor extends FrameProcessor {
  readonly #options: VADProcessorOptions;
  readonly #interrupts: boolean;
  readonly #onMissingAnalyzer: 'fail' | 'continue';
  readonly #audioIdleMs: number;
  readonly #speakers: Speakers;
  /** The tracks that speak now, in the order in which they started, each with the timer of `audioIdleMs`. */
  readonly #speaking = new Map<SpeakerAudio, ReturnType<typeof setTimeout>>();
  #sinceSpeakingFrameMs = 0;

  constructor(options: VADProcessorOptions = {}) {
    super(options);
    const {
      createAnalyzer = () => new EnergyVADAnalyzer(),
      onMissingAnalyzer = 'fail',
      interrupts = true,
      audioIdleMs = 1_000,
    } = options;
    checkDurationMs('audioIdleMs', audioIdleMs);
    checkFunction('createAnalyzer', createAnalyzer);
    checkOneOf('onMissingAnalyzer', onMissingAnalyzer, ['fail', 'continue']);
    checkBoolean('interrupts', interrupts);
    new SpeechDetector(options);
    this.#options = options;
    this.#interrupts = interrupts;
    this.#onMissingAnalyzer = onMissingAnalyzer;
    this.#audioIdleMs = audioIdleMs;
    this.#speakers = new Speakers(createAnalyzer, {
      createDetector: () => new SpeechDetector(this.#options),
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
    try {
      await this.#speakers.prepare();
    } catch (cause) {
      const error = this.#missingAnalyzer(cause);
      if (this.#onMissingAnalyzer === 'continue') throw error;
      setup.fail(error);
    }
  }

  override async cleanup(): Promise<void> {
    this.#reset();
    await this.#speakers.close();
    await super.cleanup();
  }

  protected override process(frame: Frame, direction: FrameDirection): void | Promise<void> {
    if (roleOf(frame) === 'start' || isTerminalFrame(frame)) this.#reset();
    this.push(frame, direction);
    if (frame instanceof ParticipantLeftFrame) this.#left(frame.identity);
    if (frame instanceof InputAudioRawFrame && direction === 'downstream') return this.#push(frame);
  }

  #push(frame: InputAudioRawFrame): void | Promise<void> {
    const userId = frame instanceof UserAudioRawFrame ? frame.userId : undefined;
    const speaker = this.#speakers.of({ userId, transportSource: frame.transportSource });
    if (speaker === undefined) return;
    this.#speaking.get(speaker)?.refresh();
    return this.#analyze(speaker, speaker.push(frame));
  }

  #analyze(speaker: SpeakerAudio, chunks: readonly Int16Array[]): void | Promise<void> {
    try {
      for (const [index, chunk] of chunks.entries()) {
        const confidence = speaker.analyze(chunk);
        if (typeof confidence !== 'number')
          return this.#analyzeLater(speaker, chunks.slice(index), confidence);
        this.#decide(speaker, speaker.detect(chunk, confidence));
      }
    } catch (error) {
      this.#disable(speaker, error);
    }
  }

  async #analyzeLater(
    speaker: SpeakerAudio,
    [chunk, ...rest]: readonly Int16Array[],
    pending: Promise<number>,
  ): Promise<void> {
    try {
      const confidence = await pending;
      if (chunk !== undefined) this.#decide(speaker, speaker.detect(chunk, confidence));
    } catch (error) {
      this.#disable(speaker, error);
      return;
    }
    await this.#analyze(speaker, rest);
  }

  #decide(speaker: SpeakerAudio, change: 'started' | 'stopped' | undefined): void {
    if (change === 'started') this.#started(speaker);
    else if (change === 'stopped') this.#stopped(speaker);
    else if (this.#isFirst(speaker)) this.#speaks(speaker.chunkMs);
  }

  #started(speaker: SpeakerAudio): void {
    const isTurn = this.#speaking.size === 0;
    const onIdle = (): void => {
      speaker.reset();
      this.#stopped(speaker);
    };
    this.#speaking.set(speaker, setTimeout(onIdle, this.#audioIdleMs));
    this.#broadcastOf(speaker, new VADUserStartedSpeakingFrame(speaker.detector.startMs, speaker.userId));
    if (!isTurn) return;
    this.broadcast(UserStartedSpeakingFrame);
    if (this.#interrupts) this.broadcastInterruption();
    this.broadcast(UserSpeakingFrame);
    this.#sinceSpeakingFrameMs = 0;
  }

  #stopped(speaker: SpeakerAudio): void {
    clearTimeout(this.#speaking.get(speaker));
    if (!this.#speaking.delete(speaker)) return;
    this.#broadcastOf(speaker, new VADUserStoppedSpeakingFrame(speaker.detector.stopMs, speaker.userId));
    if (this.#speaking.size === 0) this.broadcast(UserStoppedSpeakingFrame);
  }

  #broadcastOf({ transportSource }: SpeakerAudio, frame: Frame): void {
    frame.transportSource = transportSource;
    this.broadcastFrame(frame);
  }

  /** The first track that speaks is the clock of UserSpeakingFrames. */
  #isFirst(speaker: SpeakerAudio): boolean {
    const [first] = this.#speaking.keys();
    return first === speaker;
  }

  #speaks(durationMs: number): void {
    this.#sinceSpeakingFrameMs += durationMs;
    if (this.#sinceSpeakingFrameMs < speakingPeriodMs) return;
    this.#sinceSpeakingFrameMs = 0;
    this.broadcast(UserSpeakingFrame);
  }

  #left(userId: string): void {
    for (const speaker of this.#speakers.remove(userId)) this.#stopped(speaker);
  }

  #disable(speaker: SpeakerAudio, error: unknown): void {
    this.#speakers.disable(speaker);
    this.pushError({ error });
    this.#stopped(speaker);
  }

  #missingAnalyzer(cause: unknown): PipelineError {
    const instead = `With onMissingAnalyzer: 'continue' the call goes on without voice activity detection`;
    return new PipelineError(`${this.name} has no analyzer: ${errorMessage(cause)} ${instead}`, { cause });
  }

  /** Resets between runs, without frames. */
  #reset(): void {
    for (const timer of this.#speaking.values()) clearTimeout(timer);
    this.#speaking.clear();
    this.#speakers.reset();
  }
}
