import { InputAudioRawFrame, UserAudioRawFrame } from '../frames/audio.ts';
import { type Frame, type FrameDirection, roleOf } from '../frames/frame.ts';
import {
  UserSpeakingFrame,
  UserStartedSpeakingFrame,
  UserStoppedSpeakingFrame,
  VADUserStartedSpeakingFrame,
  VADUserStoppedSpeakingFrame,
} from '../frames/interruption.ts';
import { isTerminalFrame } from '../frames/lifecycle.ts';
import { ParticipantLeftFrame } from '../frames/participants.ts';
import { errorMessage, PipelineError } from '../lib/errors.ts';
import { checkBoolean, checkDurationMs, checkFunction, checkOneOf } from '../lib/options.ts';
import { FrameProcessor, type FrameProcessorOptions } from '../processors/frame-processor.ts';
import type { FrameProcessorSetup } from '../processors/frame-processor-setup.ts';
import { EnergyVADAnalyzer } from './energy-vad-analyzer.ts';
import type { HeardVoice } from './heard-voice.ts';
import { SpeechDetector, type VADParams } from './speech-detector.ts';
import type { CreateVADAnalyzer } from './vad-analyzer.ts';
import { Voices } from './voices.ts';

export interface VADProcessorOptions extends FrameProcessorOptions, VADParams {
  /** Called once before the run, and for each voice after the first. Default: an {@link EnergyVADAnalyzer}. */
  readonly createAnalyzer?: CreateVADAnalyzer | undefined;
  /**
   * What happens when no analyzer can be made at the start, as its library or model is missing. `'fail'`, the default:
   * the run fails. `'continue'`: that is reported, and the call goes on without voice activity detection.
   */
  readonly onMissingAnalyzer?: 'fail' | 'continue' | undefined;
  /** Whether a turn that begins interrupts the bot. Default true. */
  readonly interrupts?: boolean | undefined;
  /** A speaker of whom no sound comes for so long, in milliseconds, does not speak any more. Default 1 000. */
  readonly audioIdleMs?: number | undefined;
}

const speakingPeriodMs = 200;

/**
 * Tells the pipeline when its users begin to speak and when they stop; stands behind the input transport.
 *
 * Each user is listened to separately, and so is each of their tracks, by `transportSource`. A turn begins with the
 * first voice and ends with the last.
 *
 * Frames in: {@link InputAudioRawFrame}; everything passes through, before anything is said about it.
 * Frames out, in both directions: {@link VADUserStartedSpeakingFrame} and {@link VADUserStoppedSpeakingFrame} for
 * each voice, with its `transportSource`; {@link UserStartedSpeakingFrame}, an interruption, {@link UserSpeakingFrame} every 200 ms and
 * {@link UserStoppedSpeakingFrame} for each turn.
 * An analyzer that fails later is reported once, and its voice is not listened to any more.
 *
 * @throws {InvalidOptionError} An option can never work.
 * @see Pipecat `processors/audio/vad_processor.py`, `VADProcessor`; there turns are another processor's.
 */
export class VADProcessor extends FrameProcessor {
  readonly #options: VADProcessorOptions;
  readonly #interrupts: boolean;
  readonly #onMissingAnalyzer: 'fail' | 'continue';
  readonly #audioIdleMs: number;
  readonly #voices: Voices;
  /** Who speaks now, in the order in which they began, each with a timer for when their sound stays away. */
  readonly #speakers = new Map<HeardVoice, ReturnType<typeof setTimeout>>();
  #sinceToldMs = 0;

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
    this.#voices = new Voices(createAnalyzer, {
      createDetector: () => new SpeechDetector(this.#options),
      failed: (error) => this.pushError({ error }),
    });
  }

  /**
   * A missing model is found here, before the call.
   *
   * @throws {PipelineError} No analyzer can be made, with `onMissingAnalyzer: 'continue'`; else the run fails with it.
   */
  override async setup(setup: FrameProcessorSetup): Promise<void> {
    await super.setup(setup);
    try {
      await this.#voices.prepare();
    } catch (cause) {
      const error = this.#missingAnalyzer(cause);
      if (this.#onMissingAnalyzer === 'continue') throw error;
      setup.fail(error);
    }
  }

  override async cleanup(): Promise<void> {
    this.#forget();
    await this.#voices.close();
    await super.cleanup();
  }

  protected override process(frame: Frame, direction: FrameDirection): void | Promise<void> {
    if (roleOf(frame) === 'start' || isTerminalFrame(frame)) this.#forget();
    this.push(frame, direction);
    if (frame instanceof ParticipantLeftFrame) this.#left(frame.identity);
    if (frame instanceof InputAudioRawFrame && direction === 'downstream') return this.#listen(frame);
  }

  #listen(frame: InputAudioRawFrame): void | Promise<void> {
    const userId = frame instanceof UserAudioRawFrame ? frame.userId : undefined;
    const voice = this.#voices.of({ userId, transportSource: frame.transportSource });
    if (voice === undefined) return;
    this.#speakers.get(voice)?.refresh();
    return this.#hear(voice, voice.cut(frame));
  }

  #hear(voice: HeardVoice, pieces: readonly Int16Array[]): void | Promise<void> {
    try {
      for (const [index, piece] of pieces.entries()) {
        const confidence = voice.analyze(piece);
        if (typeof confidence !== 'number') return this.#hearLater(voice, pieces.slice(index), confidence);
        this.#decide(voice, voice.hear(piece, confidence));
      }
    } catch (error) {
      this.#deafen(voice, error);
    }
  }

  async #hearLater(
    voice: HeardVoice,
    [piece, ...rest]: readonly Int16Array[],
    pending: Promise<number>,
  ): Promise<void> {
    try {
      const confidence = await pending;
      if (piece !== undefined) this.#decide(voice, voice.hear(piece, confidence));
    } catch (error) {
      this.#deafen(voice, error);
      return;
    }
    await this.#hear(voice, rest);
  }

  #decide(voice: HeardVoice, change: 'started' | 'stopped' | undefined): void {
    if (change === 'started') this.#started(voice);
    else if (change === 'stopped') this.#stopped(voice);
    else if (this.#isFirst(voice)) this.#speaks(voice.pieceMs);
  }

  #started(voice: HeardVoice): void {
    const isTurn = this.#speakers.size === 0;
    const goesSilent = (): void => {
      voice.reset();
      this.#stopped(voice);
    };
    this.#speakers.set(voice, setTimeout(goesSilent, this.#audioIdleMs));
    this.#broadcastOf(voice, new VADUserStartedSpeakingFrame(voice.detector.startMs, voice.userId));
    if (!isTurn) return;
    this.broadcast(UserStartedSpeakingFrame);
    if (this.#interrupts) this.broadcastInterruption();
    this.broadcast(UserSpeakingFrame);
    this.#sinceToldMs = 0;
  }

  #stopped(voice: HeardVoice): void {
    clearTimeout(this.#speakers.get(voice));
    if (!this.#speakers.delete(voice)) return;
    this.#broadcastOf(voice, new VADUserStoppedSpeakingFrame(voice.detector.stopMs, voice.userId));
    if (this.#speakers.size === 0) this.broadcast(UserStoppedSpeakingFrame);
  }

  #broadcastOf({ transportSource }: HeardVoice, frame: Frame): void {
    frame.transportSource = transportSource;
    this.broadcastFrame(frame);
  }

  /** One of those who speak keeps the time: that of the sound. */
  #isFirst(voice: HeardVoice): boolean {
    const [first] = this.#speakers.keys();
    return first === voice;
  }

  #speaks(durationMs: number): void {
    this.#sinceToldMs += durationMs;
    if (this.#sinceToldMs < speakingPeriodMs) return;
    this.#sinceToldMs = 0;
    this.broadcast(UserSpeakingFrame);
  }

  #left(userId: string): void {
    for (const voice of this.#voices.remove(userId)) this.#stopped(voice);
  }

  #deafen(voice: HeardVoice, error: unknown): void {
    this.#voices.deafen(voice);
    this.pushError({ error });
    this.#stopped(voice);
  }

  #missingAnalyzer(cause: unknown): PipelineError {
    const instead = `With onMissingAnalyzer: 'continue' the call goes on without voice activity detection`;
    return new PipelineError(`${this.name} has no analyzer: ${errorMessage(cause)} ${instead}`, { cause });
  }

  /** Another run, or none, follows: whoever speaks has not begun yet. */
  #forget(): void {
    for (const timer of this.#speakers.values()) clearTimeout(timer);
    this.#speakers.clear();
    this.#voices.reset();
  }
}
