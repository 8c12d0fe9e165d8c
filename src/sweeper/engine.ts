/** Where looks are planned and remembered: one interface, an engine in this process and one on a queue. */

import type { ListedRoom } from '../rooms/room-rest.ts';
import type { Observation } from './observation.ts';
import type { DeleteReason } from './orphan-policy.ts';

/**
 * Plans looks at rooms and remembers what they saw. It never decides: a timer of an engine starts a look, not a
 * deletion.
 *
 * Every engine has to pass `test/contracts/sweeper-engine.contract.ts`.
 */
export interface SweeperEngine {
  /** Begins at once with a first pass, and goes on until `stop()`. Called once; never throws. */
  start(work: SweepWork): void;
  /**
   * Makes the next look at these rooms happen now. Returns at once and never throws; may have no effect, and has
   * none on rooms that were looked at within the last second, nor after `stop()`.
   */
  lookSooner(roomNames: readonly string[]): void;
  /** Begins no new work and waits, within bounds, for what is being done. Never rejects. */
  stop(): Promise<void>;
}

/** What a `Sweeper` gives its engine to do. */
export interface SweepWork {
  /** The usual time from pass to pass, in milliseconds. */
  readonly pollMs: number;
  /** How seldom a room whose bot is alive may be looked at, in milliseconds. */
  readonly longestSpacingMs: number;
  /** Looks at the same time, in one process. */
  readonly concurrency: number;
  /** The rooms that are ours: all, or those of these names. Rejects when LiveKit does not answer. */
  list(names?: readonly string[]): Promise<readonly ListedRoom[]>;
  /**
   * One look at one room; takes `pollMs` at most. Rejects when LiveKit does not answer: the engine remembers what it
   * knew and when that was, by `observeFailure`.
   */
  look(room: ListedRoom, context: LookContext): Promise<LookResult>;
  /** Deletes a room that a look found to be an orphan, unless it is none any more. Never rejects. */
  reap(orphan: Orphan, context: ReapContext): Promise<ReapStatus>;
  /** How many rooms a pass may delete, when so many are ours. */
  deletionCap(owned: number): number;
  /** Told after each pass. */
  passed(pass: SweepPass): void;
  /** Told what went wrong outside of looks and deletions. */
  failed(error: unknown): void;
}

export interface LookContext {
  /** What the look before has left. */
  readonly before: Observation | undefined;
  /** When the list of all rooms failed last, or took far too long, on the observer's clock. */
  readonly blindMs: number | undefined;
  /** The clock that observations are kept in. */
  readonly nowMs: () => number;
  readonly signal: AbortSignal;
}

export interface LookResult {
  /** `undefined`: the room is gone. */
  readonly observation: Observation | undefined;
  readonly orphan: Orphan | undefined;
}

/** A room that a look found without a living bot. */
export interface Orphan {
  readonly room: ListedRoom;
  readonly reason: DeleteReason;
  /** How long no bot had shown a sign of life, in milliseconds of observed time. */
  readonly silentMs: number;
  /** What the decision was made of. */
  readonly observation: Observation;
}

export interface ReapContext {
  readonly blindMs: number | undefined;
  readonly nowMs: () => number;
  /** False when enough rooms have been deleted since the last list. */
  readonly takeDeletion: () => Promise<boolean>;
}

/** `spared`: it was no orphan any more. `capped`: not now. `would-delete`: a dry run. */
export type ReapStatus = 'deleted' | 'already-gone' | 'spared' | 'capped' | 'would-delete' | 'failed';

/** What a pass cost, for reports. */
export interface SweepPass {
  readonly owned: number;
  /** How many rooms were looked at since the pass before. */
  readonly looked: number;
  readonly durationMs: number;
}
