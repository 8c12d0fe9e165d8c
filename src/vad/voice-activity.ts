/** Detects who speaks, in the audio of all participants. */

import { type InputAudioRawFrame, UserAudioRawFrame } from '../frames/audio.ts';
import { checkDurationMs, checkFunction } from '../lib/options.ts';
import { type SpeakerAudio, Speakers, type SpeakerTrack } from './speakers.ts';
import { SpeechDetector, type VADParams } from './speech-detector.ts';
import { type CreateVADAnalyzer, EnergyVADAnalyzer } from './vad-analyzer.ts';

/** Options of voice activity detection. */
export interface VoiceActivityOptions extends VADParams {
  /** Called once before the run, and for each track after the first. Default: an {@link EnergyVADAnalyzer}. */
  readonly createAnalyzer?: CreateVADAnalyzer | undefined;
  /** Without audio for this long, in milliseconds, a track counts as silent. Default 1,000. */
  readonly audioIdleMs?: number | undefined;
}

/** What happens when somebody speaks. */
export interface VoiceActivityActions {
  /** A track speaks. `startMs`: how long it had spoken when that was detected. `isFirst`: nobody spoke before. */
  started(track: SpeakerTrack, startMs: number, isFirst: boolean): void;
  /** A track is silent. `stopMs`: how long it had been silent. `isLast`: nobody speaks any more. */
  stopped(track: SpeakerTrack, stopMs: number, isLast: boolean): void;
  /** Called every 200 ms while somebody speaks. */
  speaks(): void;
  /** Used where the options have no `stopMs`; asked at the first audio of a track. `undefined`: the detector's own. */
  defaultStopMs(): number | undefined;
  /** An analyzer has failed; its track is not analyzed any more. */
  failed(error: unknown): void;
}

const speakingPeriodMs = 200;

/** Silence after which voice activity ends where a strategy behind it decides about the turn, in milliseconds. */
export const strategyStopMs = 200;

/**
 * Analyzes each track of each participant separately.
 *
 * @throws {InvalidOptionError} An option is invalid.
 */
export class VoiceActivity {
  readonly #actions: VoiceActivityActions;
  readonly #audioIdleMs: number;
  readonly #speakers: Speakers;
  /** The tracks that speak now, in the order in which they started, each with the timer of `audioIdleMs`. */
  readonly #speaking = new Map<SpeakerAudio, ReturnType<typeof setTimeout>>();
  #sinceSpeakingMs = 0;

  constructor(options: VoiceActivityOptions, actions: VoiceActivityActions) {
    const { createAnalyzer = () => new EnergyVADAnalyzer(), audioIdleMs = 1_000 } = options;
    checkDurationMs('audioIdleMs', audioIdleMs);
    checkFunction('createAnalyzer', createAnalyzer);
    new SpeechDetector(options);
    this.#actions = actions;
    this.#audioIdleMs = audioIdleMs;
    this.#speakers = new Speakers(createAnalyzer, {
      createDetector: () => {
        const stopMs = options.stopMs ?? actions.defaultStopMs();
        return new SpeechDetector(stopMs === undefined ? options : { ...options, stopMs });
      },
      failed: (error) => actions.failed(error),
    });
  }

  /** Makes the first analyzer. @returns Rejects with what making it throws. */
  prepare(): Promise<void> {
    return this.#speakers.prepare();
  }

  /** Closes the analyzers. */
  async close(): Promise<void> {
    this.reset();
    await this.#speakers.close();
  }

  /** Analyzes audio; returns a promise only where an analyzer does. */
  process(frame: InputAudioRawFrame): void | Promise<void> {
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
    const isFirst = this.#speaking.size === 0;
    const onIdle = (): void => {
      speaker.reset();
      this.#stopped(speaker);
    };
    this.#speaking.set(speaker, setTimeout(onIdle, this.#audioIdleMs));
    if (isFirst) this.#sinceSpeakingMs = 0;
    this.#actions.started(speaker, speaker.detector.startMs, isFirst);
  }

  #stopped(speaker: SpeakerAudio): void {
    clearTimeout(this.#speaking.get(speaker));
    if (!this.#speaking.delete(speaker)) return;
    this.#actions.stopped(speaker, speaker.detector.stopMs, this.#speaking.size === 0);
  }

  /** The first track that speaks is the clock of `speaks()`. */
  #isFirst(speaker: SpeakerAudio): boolean {
    const [first] = this.#speaking.keys();
    return first === speaker;
  }

  #speaks(durationMs: number): void {
    this.#sinceSpeakingMs += durationMs;
    if (this.#sinceSpeakingMs < speakingPeriodMs) return;
    this.#sinceSpeakingMs = 0;
    this.#actions.speaks();
  }

  /** A participant has left. */
  left(userId: string): void {
    for (const speaker of this.#speakers.remove(userId)) this.#stopped(speaker);
  }

  #disable(speaker: SpeakerAudio, error: unknown): void {
    this.#speakers.disable(speaker);
    this.#actions.failed(error);
    this.#stopped(speaker);
  }

  /** Resets to silence, without calls. */
  reset(): void {
    for (const timer of this.#speaking.values()) clearTimeout(timer);
    this.#speaking.clear();
    this.#speakers.reset();
  }
}
