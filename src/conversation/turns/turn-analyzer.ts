/** The interface of turn analyzers. */

import type { AudioChunk } from '../../frames/audio.ts';

/** What an analyzer says about a turn. */
export interface TurnVerdict {
  /** Whether the user has finished. */
  readonly isComplete: boolean;
  /** The analyzer's confidence that the turn is complete, 0 to 1. */
  readonly probability: number;
}

/**
 * Judges by the sound whether a user has finished their turn.
 *
 * @see Pipecat `audio/turn/base_turn_analyzer.py`, `BaseTurnAnalyzer`; there it also ends turns after 3 s of silence, and
 * resets itself after each complete verdict.
 */
export interface TurnAnalyzer {
  /**
   * Adds the sound that follows. Returns at once.
   *
   * @param chunk The analyzer copies what it keeps.
   * @param isSpeech Whether the VAD counts it as speech.
   */
  appendAudio(chunk: AudioChunk, isSpeech: boolean): void;
  /**
   * Judges the sound so far; to be called when the user is silent. More sound may follow meanwhile, and afterwards.
   *
   * @param signal Aborts it: it rejects with the signal's reason.
   * @throws {EndframeError} It cannot judge, see {@link prepare}.
   */
  analyze(signal: AbortSignal): Promise<TurnVerdict>;
  /** The turn is over: what was added counts no more. */
  reset(): void;
  /**
   * Loads what it needs, so that what is missing is known before the call, and the first verdict takes no longer than
   * the others. Without it this happens with the first verdict.
   *
   * @throws {EndframeError} Something is missing or unusable.
   */
  prepare?(): Promise<void>;
  /** Releases resources; pending verdicts are rejected. Idempotent. */
  close?(): void | Promise<void>;
}
