/** When a user's turn stops by the verdict of an analyzer. */

import { InputAudioRawFrame } from '../../frames/audio.ts';
import type { Frame } from '../../frames/frame.ts';
import { MetricsFrame } from '../../frames/metrics.ts';
import { STTMetadataFrame } from '../../frames/services.ts';
import { VADUserStartedSpeakingFrame, VADUserStoppedSpeakingFrame } from '../../frames/speaking.ts';
import { InterimTranscriptionFrame, TranscriptionFrame } from '../../frames/text.ts';
import { checkDurationMs, checkMethods } from '../../lib/options.ts';
import type { TurnAnalyzer } from './turn-analyzer.ts';
import { Wait } from './user-turn-stop-strategies.ts';
import { UserTurnStopStrategy } from './user-turn-strategy.ts';

/** Options of a {@link TurnAnalyzerUserTurnStopStrategy}. */
export interface TurnAnalyzerUserTurnStopOptions {
  /** Judges whether a turn is complete; closed at the end of the run. */
  readonly analyzer: TurnAnalyzer;
  /** Whether a turn stops only when there are words. Default true. */
  readonly waitForTranscript?: boolean | undefined;
  /** Silence after which a turn is complete whatever the analyzer says, in milliseconds. Default 3,000. */
  readonly silenceMs?: number | undefined;
}

/**
 * A turn stops when an analyzer takes it for complete and its words are there: at once with a final transcription,
 * otherwise when the recognition has had its time.
 *
 * @throws {InvalidOptionError} An option is invalid.
 * @see Pipecat `turns/user_stop/turn_analyzer_user_turn_stop_strategy.py`
 */
export class TurnAnalyzerUserTurnStopStrategy extends UserTurnStopStrategy {
  readonly #analyzer: TurnAnalyzer;
  readonly #waitForTranscript: boolean;
  readonly #silenceMs: number;
  readonly #recognition = new Wait();
  readonly #silence = new Wait();
  #ttfsP99Ms = 0;
  #stopMs = 0;
  #hasText = false;
  #isSpeaking = false;
  #hasStopped = false;
  #isFinalized = false;
  #isComplete = false;
  #analysis: AbortController | undefined;

  constructor({ analyzer, waitForTranscript = true, silenceMs = 3_000 }: TurnAnalyzerUserTurnStopOptions) {
    super();
    checkMethods('analyzer', analyzer, ['appendAudio', 'analyze', 'reset']);
    checkDurationMs('silenceMs', silenceMs);
    this.#analyzer = analyzer;
    this.#waitForTranscript = waitForTranscript;
    this.#silenceMs = silenceMs;
  }

  override async prepare(): Promise<void> {
    await this.#analyzer.prepare?.();
  }

  process(frame: Frame): void {
    if (frame instanceof InputAudioRawFrame) this.#analyzer.appendAudio(frame, this.#isSpeaking);
    else if (frame instanceof STTMetadataFrame) this.#ttfsP99Ms = frame.ttfsP99Ms;
    else if (frame instanceof VADUserStartedSpeakingFrame) {
      this.#isSpeaking = true;
      this.#discard();
    } else if (frame instanceof VADUserStoppedSpeakingFrame) void this.#onSilence(frame);
    else if (frame instanceof TranscriptionFrame) this.#onText(frame);
    // more is on its way: an earlier final transcription was not the last one
    else if (frame instanceof InterimTranscriptionFrame) this.#isFinalized = false;
  }

  override turnStarted(): void {
    this.#hasText = false;
    this.#discard();
  }

  override turnStopped(): void {
    this.turnStarted();
    this.#analyzer.reset();
  }

  override async close(): Promise<void> {
    this.turnStopped();
    await this.#analyzer.close?.();
  }

  #discard(): void {
    this.#analysis?.abort();
    this.#analysis = undefined;
    this.#isComplete = false;
    this.#isFinalized = false;
    this.#hasStopped = false;
    this.#recognition.reset();
    this.#silence.reset();
  }

  async #onSilence({ stopMs, timestampMs }: VADUserStoppedSpeakingFrame): Promise<void> {
    this.#isSpeaking = false;
    this.#hasStopped = true;
    this.#stopMs = stopMs;
    const startedMs = performance.now();
    const analysis = new AbortController();
    this.#analysis = analysis;
    this.#silence.start(this.#silenceMs, () => this.#complete(undefined));
    try {
      const verdict = await this.#analyzer.analyze(analysis.signal);
      if (analysis.signal.aborted) return;
      const valueMs = performance.now() - startedMs;
      this.turn.push(new MetricsFrame([{ kind: 'turn', processor: 'turn analyzer', ...verdict, valueMs }]));
      const waitMs = timestampMs - stopMs + this.#ttfsP99Ms - Date.now();
      this.#recognition.start(Math.max(0, waitMs), () => this.#check());
      if (verdict.isComplete) this.#complete(verdict);
    } catch (error) {
      if (analysis.signal.aborted) return;
      this.turn.failed(error);
      this.#recognition.end();
      this.#complete(undefined);
    }
  }

  /** @param verdict `undefined` where silence, not the analyzer, decides. */
  #complete(verdict: object | undefined): void {
    this.#isComplete = true;
    if (verdict === undefined) this.#recognition.end();
    this.#check();
  }

  #onText({ text, finalized }: TranscriptionFrame): void {
    this.#hasText ||= text !== '';
    if (finalized) this.#isFinalized = true;
    // without voice activity there is nothing to judge: silence counts from the last words on
    if (!this.#isSpeaking && !this.#hasStopped) {
      this.#isComplete = true;
      this.#recognition.start(Math.max(0, this.#ttfsP99Ms - this.#stopMs), () => this.#check());
    }
    this.#check();
  }

  #check(): void {
    if (!this.#isComplete || this.#isSpeaking) return;
    const isHeard = this.#hasText && (this.#isFinalized || this.#recognition.isOver);
    if (!this.#waitForTranscript || isHeard) this.triggerUserTurnStopped();
  }
}
