import { InvalidOptionError } from '../errors.ts';
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
import { FrameProcessor, type FrameProcessorOptions } from '../processors/frame-processor.ts';
import type { FrameProcessorSetup } from '../processors/frame-processor-setup.ts';
import { EnergyVADAnalyzer } from './energy-vad-analyzer.ts';
import type { HeardVoice } from './heard-voice.ts';
import { SpeechDetector, type VADParams } from './speech-detector.ts';
import type { CreateVADAnalyzer } from './vad-analyzer.ts';
import { Voices } from './voices.ts';

export interface VADProcessorOptions extends FrameProcessorOptions, VADParams {
  /** Called once before the run, and for each speaker after the first. Default: an {@link EnergyVADAnalyzer}. */
  readonly createAnalyzer?: CreateVADAnalyzer | undefined;
  /** Whether a turn that begins interrupts the bot. Default true. */
  readonly interrupts?: boolean | undefined;
  /** A speaker of whom no sound comes for so long, in milliseconds, does not speak any more. Default 1 000. */
  readonly audioIdleMs?: number | undefined;
}

const speakingPeriodMs = 200;

/**
 * Tells the pipeline when its users begin to speak and when they stop; stands behind the input transport.
 *
 * Each user is listened to separately. A turn begins with the first who speaks and ends with the last.
 *
 * Frames in: {@link InputAudioRawFrame}; everything passes through, before anything is said about it.
 * Frames out, in both directions: {@link VADUserStartedSpeakingFrame} and {@link VADUserStoppedSpeakingFrame} for
 * each user; {@link UserStartedSpeakingFrame}, an interruption, {@link UserSpeakingFrame} every 200 ms and
 * {@link UserStoppedSpeakingFrame} for each turn.
 * An analyzer that fails is reported once, and its user is not listened to any more.
 *
 * @throws {InvalidOptionError} An option can never work.
 * @see Pipecat `processors/audio/vad_processor.py`, `VADProcessor`; there turns are another processor's.
 */
export class VADProcessor extends FrameProcessor {
  readonly #options: VADProcessorOptions;
  readonly #interrupts: boolean;
  readonly #audioIdleMs: number;
  readonly #voices: Voices;
  /** Who speaks now, in the order in which they began, each with a timer for when their sound stays away. */
  readonly #speakers = new Map<HeardVoice, ReturnType<typeof setTimeout>>();
  #sinceToldMs = 0;

  constructor(options: VADProcessorOptions = {}) {
    super(options);
    const {
      createAnalyzer = () => new EnergyVADAnalyzer(),
      interrupts = true,
      audioIdleMs = 1_000,
    } = options;
    if (!(audioIdleMs > 0 && Number.isFinite(audioIdleMs))) {
      throw new InvalidOptionError('audioIdleMs', 'a positive, finite number of milliseconds', audioIdleMs);
    }
    new SpeechDetector(options);
    this.#options = options;
    this.#interrupts = interrupts;
    this.#audioIdleMs = audioIdleMs;
    this.#voices = new Voices(createAnalyzer, {
      createDetector: () => new SpeechDetector(this.#options),
      failed: (error) => this.pushError({ error }),
    });
  }

  /** @throws What `createAnalyzer` throws: a missing model is found before the call. */
  override async setup(setup: FrameProcessorSetup): Promise<void> {
    await super.setup(setup);
    await this.#voices.prepare();
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
    const voice = this.#voices.of(frame instanceof UserAudioRawFrame ? frame.userId : undefined);
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
    this.broadcast(VADUserStartedSpeakingFrame, voice.detector.startMs, voice.userId);
    if (!isTurn) return;
    this.broadcast(UserStartedSpeakingFrame);
    if (this.#interrupts) this.broadcastInterruption();
    this.broadcast(UserSpeakingFrame);
    this.#sinceToldMs = 0;
  }

  #stopped(voice: HeardVoice): void {
    clearTimeout(this.#speakers.get(voice));
    if (!this.#speakers.delete(voice)) return;
    this.broadcast(VADUserStoppedSpeakingFrame, voice.detector.stopMs, voice.userId);
    if (this.#speakers.size === 0) this.broadcast(UserStoppedSpeakingFrame);
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
    const voice = this.#voices.remove(userId);
    if (voice !== undefined) this.#stopped(voice);
  }

  #deafen(voice: HeardVoice, error: unknown): void {
    this.#voices.deafen(voice);
    this.pushError({ error });
    this.#stopped(voice);
  }

  /** Another run, or none, follows: whoever speaks has not begun yet. */
  #forget(): void {
    for (const timer of this.#speakers.values()) clearTimeout(timer);
    this.#speakers.clear();
    this.#voices.reset();
  }
}
