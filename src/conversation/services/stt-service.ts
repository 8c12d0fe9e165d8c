/** The base class of streaming speech recognition. */

import { type AudioChunk, InputAudioRawFrame, UserAudioRawFrame } from '../../frames/audio.ts';
import type { Frame, FrameDirection } from '../../frames/frame.ts';
import { MetricsFrame } from '../../frames/metrics.ts';
import { ParticipantLeftFrame } from '../../frames/participants.ts';
import { isFor, STTMetadataFrame, STTUpdateSettingsFrame } from '../../frames/services.ts';
import {
  STTMuteFrame,
  VADUserStartedSpeakingFrame,
  VADUserStoppedSpeakingFrame,
} from '../../frames/speaking.ts';
import { InterimTranscriptionFrame, TranscriptionFrame } from '../../frames/text.ts';
import { checkDurationMs } from '../../lib/options.ts';
import { withTimeout } from '../../lib/timeout.ts';
import { FrameProcessor, type FrameProcessorOptions } from '../../processors/frame-processor.ts';
import { categoryOf } from './service-call.ts';
import { type STTPart, type VoiceRecognition, VoiceStream } from './voice-stream.ts';

/** Whose voice it is. */
export interface Voice {
  /** The participant's identity; empty where unknown. */
  readonly userId: string;
  /** The source of their track; `undefined` where unknown. */
  readonly source: string | undefined;
}

/** Options of speech recognition. */
export interface STTServiceOptions extends Omit<FrameProcessorOptions, 'directMode'> {
  /** From the end of speech to its final transcription, in milliseconds: the 99th percentile; turns wait for it. */
  readonly ttfsP99Ms?: number | undefined;
  /** Audio that the service has not taken is dropped when it is older than this, in milliseconds. Default 10,000. */
  readonly maxBacklogMs?: number | undefined;
  /** How long an EndFrame waits for the last transcriptions, in milliseconds. Default 2,000. */
  readonly endTimeoutMs?: number | undefined;
}

/**
 * Recognizes speech, with a stream for each voice: each participant, and each of their tracks. A subclass turns audio into
 * text; frames, order, errors, reconnects and metrics are done here.
 *
 * Frames in: {@link InputAudioRawFrame}, which passes on at once; {@link STTMuteFrame}; voice activity, for metrics.
 * Frames out: {@link TranscriptionFrame}, {@link InterimTranscriptionFrame}; {@link STTMetadataFrame} at the start.
 *
 * A stream that fails is reported and opened again, after 0.5 s and up to 10 s, with the audio that has come meanwhile;
 * not after an error that makes the service unusable.
 *
 * @throws {InvalidOptionError} An option is invalid.
 * @see Pipecat `services/stt_service.py`, `STTService`
 */
export abstract class STTService extends FrameProcessor {
  readonly #options: STTServiceOptions;
  readonly #maxBacklogMs: number;
  readonly #endTimeoutMs: number;
  readonly #voices = new Map<string, VoiceRecognition>();
  /** When each voice has stopped speaking, in milliseconds since the epoch. */
  readonly #stoppedAtMs = new Map<string, number>();
  #isMuted = false;

  constructor(options: STTServiceOptions = {}) {
    super(options);
    const { ttfsP99Ms, maxBacklogMs = 10_000, endTimeoutMs = 2_000 } = options;
    if (ttfsP99Ms !== undefined) checkDurationMs('ttfsP99Ms', ttfsP99Ms, { zero: true });
    checkDurationMs('maxBacklogMs', maxBacklogMs);
    checkDurationMs('endTimeoutMs', endTimeoutMs);
    this.#options = options;
    this.#maxBacklogMs = maxBacklogMs;
    this.#endTimeoutMs = endTimeoutMs;
  }

  /**
   * Recognizes the audio of one voice, from its first piece until the call ends or the participant leaves.
   *
   * @param audio 16-bit PCM as it comes; ends with the call.
   * @param options.signal Aborts at a cancel, and when the participant leaves; the connection is to be closed by it.
   * @returns The parts. What it throws becomes an ErrorFrame, by its HTTP status as `statusCode` or `status`.
   */
  protected abstract transcribe(
    audio: AsyncIterable<AudioChunk>,
    options: Voice & { readonly signal: AbortSignal },
  ): AsyncIterable<STTPart>;

  /** Changes settings during the run, such as the language. Default: ignores them. */
  protected updateSettings(_settings: Readonly<Record<string, unknown>>): void {}

  override async cleanup(): Promise<void> {
    this.#abort();
    this.#isMuted = false;
    await super.cleanup();
  }

  protected override process(frame: Frame, direction: FrameDirection): void | Promise<void> {
    if (frame.frameRole === 'end' || frame.frameRole === 'stop') return this.#end(frame);
    if (frame.frameRole === 'cancel') this.#abort();
    if (frame instanceof STTUpdateSettingsFrame && isFor(frame, this)) {
      this.updateSettings(frame.settings);
      return;
    }
    this.push(frame, direction);
    if (frame.frameRole === 'start') this.#announce();
    else if (frame instanceof InputAudioRawFrame && direction === 'downstream') this.#listen(frame);
    else if (frame instanceof STTMuteFrame) this.#isMuted = frame.mute;
    else if (frame instanceof VADUserStartedSpeakingFrame) this.#speechStarted(frame);
    else if (frame instanceof VADUserStoppedSpeakingFrame) this.#speechStopped(frame);
    else if (frame instanceof ParticipantLeftFrame) this.#left(frame.identity);
  }

  #speechStarted({ userId = '', transportSource: source }: VADUserStartedSpeakingFrame): void {
    const key = keyOf({ userId, source });
    this.#stoppedAtMs.delete(key);
    this.#voices.get(key)?.speaks(true);
  }

  #speechStopped(frame: VADUserStoppedSpeakingFrame): void {
    const { userId = '', transportSource: source, timestampMs, stopMs } = frame;
    const key = keyOf({ userId, source });
    this.#stoppedAtMs.set(key, timestampMs - stopMs);
    this.#voices.get(key)?.speaks(false);
  }

  #announce(): void {
    const { ttfsP99Ms } = this.#options;
    if (ttfsP99Ms !== undefined) this.push(new STTMetadataFrame({ ttfsP99Ms }));
  }

  #listen(frame: InputAudioRawFrame): void {
    if (this.#isMuted || !this.usable) return;
    const voice = {
      userId: frame instanceof UserAudioRawFrame ? frame.userId : '',
      source: frame.transportSource,
    };
    this.#recognitionOf(voice).push(frame);
  }

  #recognitionOf(voice: Voice): VoiceRecognition {
    const key = keyOf(voice);
    const recognition = this.#voices.get(key) ?? this.openVoice(voice);
    this.#voices.set(key, recognition);
    return recognition;
  }

  /** Internal: makes the recognition of one voice. */
  protected openVoice(voice: Voice): VoiceRecognition {
    return new VoiceStream({
      maxBacklogMs: this.#maxBacklogMs,
      transcribe: (audio, signal) => this.transcribe(audio, { ...voice, signal }),
      take: (part, audioMs) => this.pushTranscription(part, voice, audioMs),
      failed: (error) => this.reportFailure(error),
      dropped: () =>
        this.logger.warn(
          { processor: this.name, ...voice },
          'audio is dropped: the recognition does not keep up',
        ),
    });
  }

  /** Internal: reports an error of the service. @returns Whether to go on. */
  protected reportFailure(error: unknown): boolean {
    this.pushError({ error, category: categoryOf(error) });
    return this.usable;
  }

  /** Internal: pushes what was recognized. @param audioMs The audio since the last final part, in milliseconds. */
  protected pushTranscription(part: STTPart, voice: Voice, audioMs: number): void {
    if (part.type === 'final') this.#report(voice, audioMs);
    if (part.text.trim() === '') return;
    const frame =
      part.type === 'interim'
        ? new InterimTranscriptionFrame(part.text, voice.userId)
        : new TranscriptionFrame(part.text, voice.userId, new Date().toISOString(), part.language, {
            finalized: part.finalized,
          });
    frame.transportSource = voice.source;
    this.push(frame);
  }

  #report(voice: Voice, audioMs: number): void {
    const processor = this.name;
    const stoppedAtMs = this.#stoppedAtMs.get(keyOf(voice));
    this.#stoppedAtMs.delete(keyOf(voice));
    const usage = { kind: 'stt-usage', processor, audioMs } as const;
    const ttfb = { kind: 'ttfb', processor, valueMs: Date.now() - (stoppedAtMs ?? 0) } as const;
    this.push(new MetricsFrame(stoppedAtMs === undefined ? [usage] : [usage, ttfb]));
  }

  #left(identity: string): void {
    for (const [key, recognition] of this.#voices) {
      if (!key.startsWith(`${identity}\n`)) continue;
      recognition.abort();
      this.#voices.delete(key);
    }
  }

  async #end(frame: Frame): Promise<void> {
    const voices = [...this.#voices.values()];
    for (const recognition of voices) recognition.end();
    await withTimeout(Promise.all(voices.map(({ done }) => done)), this.#endTimeoutMs);
    this.#abort();
    this.push(frame);
  }

  #abort(): void {
    for (const recognition of this.#voices.values()) recognition.abort();
    this.#voices.clear();
    this.#stoppedAtMs.clear();
  }
}

function keyOf({ userId, source = '' }: Voice): string {
  return `${userId}\n${source}`;
}
