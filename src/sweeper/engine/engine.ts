/** The interfaces between a sweeper, its engine, and the engine's store and probe queue. */

import type { ListedRoom } from '../../rooms/rest/room-rest.ts';
import type { Observation } from '../observation.ts';
import type { DeleteReason } from '../orphan-policy.ts';

/**
 * Schedules probes of rooms and remembers their results. It decides nothing: its timers start probes, never
 * deletions.
 *
 * Every engine has to pass `test/contracts/sweeper-engine.contract.ts`.
 */
export interface SweeperEngine {
  /** Starts with a first pass at once and goes on until `stop()`. Called once; never throws. */
  start(work: SweepWork): void;
  /**
   * Probes these rooms now instead of at their scheduled time. Returns at once and never throws. Has no effect on
   * rooms probed within the last second, nor after `stop()`.
   */
  lookSooner(roomNames: readonly string[]): void;
  /** Starts no new work and waits, within bounds, for work in progress. Never rejects. */
  stop(): Promise<void>;
}

/** What a `Sweeper` gives its engine to do. */
export interface SweepWork {
  /** The usual time from pass to pass, in milliseconds. */
  readonly pollMs: number;
  /** The longest time between two probes of a room with a living bot, in milliseconds. */
  readonly longestSpacingMs: number;
  /** Concurrent probes of one process. */
  readonly concurrency: number;
  /** The owned rooms: all, or those of these names. Rejects when LiveKit does not answer. */
  list(names?: readonly string[]): Promise<readonly ListedRoom[]>;
  /** One probe of one room; takes `pollMs` at most. Rejects when LiveKit does not answer. */
  probe(room: ListedRoom, context: ProbeContext): Promise<ProbeResult>;
  /** Deletes an orphan, unless it is none any more. Never rejects. */
  reap(orphan: Orphan, context: ReapContext): Promise<ReapStatus>;
  /** How many rooms one pass may delete, for this number of owned rooms. */
  deletionCap(owned: number): number;
  /** Called after each pass. */
  passed(pass: SweepPass): void;
  /** Called with errors outside of probes and deletions. */
  failed(error: unknown): void;
}

/** The input of a probe, from the engine. */
export interface ProbeContext {
  /** The result of the previous probe. */
  readonly before: Observation | undefined;
  /** When the list of all rooms last failed or stalled, on the observer's clock. */
  readonly lastGapMs: number | undefined;
  /** The clock of all observations, in milliseconds. */
  readonly nowMs: () => number;
  /** Aborts with `stop()`. */
  readonly signal: AbortSignal;
}

/** The result of a probe. */
export interface ProbeResult {
  /** `undefined`: the room is gone. */
  readonly observation: Observation | undefined;
  /** Set when the room has no living bot. */
  readonly orphan: Orphan | undefined;
}

/** A room without a living bot. */
export interface Orphan {
  /** What is known about the room's identity. */
  readonly room: ListedRoom;
  /** Why the room counts as abandoned. */
  readonly reason: DeleteReason;
  /** How long no bot had shown a sign of life, in milliseconds of observed time. */
  readonly silentMs: number;
  /** The observation that the decision was based on. */
  readonly observation: Observation;
}

/** The input of a deletion, from the engine. */
export interface ReapContext {
  /** See {@link ProbeContext.lastGapMs}. */
  readonly lastGapMs: number | undefined;
  /** See {@link ProbeContext.nowMs}. */
  readonly nowMs: () => number;
  /** Counts a deletion; false when the cap of the current pass is reached. */
  readonly takeDeletion: () => Promise<boolean>;
}

/** `spared`: no orphan any more. `capped`: the pass has reached its cap. `would-delete`: a dry run. */
export type ReapStatus = 'deleted' | 'already-gone' | 'spared' | 'capped' | 'would-delete' | 'failed';

/** The figures of one pass. */
export interface SweepPass {
  /** Owned rooms of the newest list. */
  readonly owned: number;
  /** Rooms probed since the previous pass. */
  readonly looked: number;
  /** Duration of the pass, in milliseconds. */
  readonly durationMs: number;
}

/**
 * What an engine remembers between probes: in this process, or shared by several.
 *
 * Losing its content at any moment is safe: deletions come later, never wrongly. Every store has to pass
 * `test/contracts/sweep-store.contract.ts`.
 */
export interface SweepStore {
  /** Reads the clock of all observations, as a function that needs no further request. Milliseconds. */
  clock(): Promise<() => number>;
  /** True for one caller within this time. */
  acquireTurn(forMs: number): Promise<boolean>;
  /** Lets the next caller of `acquireTurn` have it. */
  releaseTurn(): Promise<void>;
  /** Stores the number of owned rooms and starts counting deletions from 0. */
  beginPass(owned: number): Promise<void>;
  /** Owned rooms of the newest list; 0 before the first. */
  owned(): Promise<number>;
  /** Deletions counted in the current pass, this one included. */
  takeDeletion(): Promise<number>;
  /** All observations, by room name. */
  observations(): Promise<ReadonlyMap<string, Observation>>;
  /** The observations of these rooms, in this order. */
  recall(roomNames: readonly string[]): Promise<readonly (Observation | undefined)[]>;
  /** Stores an observation. */
  remember(roomName: string, observation: Observation): Promise<void>;
  /** Deletes observations. */
  forget(roomNames: readonly string[]): Promise<void>;
  /** Records that rooms could not be observed until now. */
  recordGap(): Promise<void>;
  /** When `recordGap()` was called last. */
  lastGapMs(): Promise<number | undefined>;
  /** Records that LiveKit answered a probe. */
  recordSuccess(nowMs: number): Promise<void>;
  /** Whether LiveKit answered a probe of a process on this store within this time; false where there is but one. */
  othersSucceed(withinMs: number): Promise<boolean>;
}

/** Where probes wait for their turn: in this process, or in a queue that several share. */
export interface ProbeQueue {
  /** Adds probes in this order, one a room at a time. Resolves when the next pass may be scheduled. */
  add(probes: readonly QueuedProbe[]): Promise<void>;
  /** Waits, within bounds, for probes and deletions in progress. Never rejects. */
  close(): Promise<void>;
}

/** A probe to be made. */
export interface QueuedProbe {
  /** What is known about the room's identity. */
  readonly room: ListedRoom;
  /** The previous probe failed: this one may hang, and must not delay those of other rooms. */
  readonly failing: boolean;
}

/** What a probe queue runs. */
export interface ProbeRunner {
  /** Probes a room and remembers the result. Rejects only when the store does. */
  probe(room: ListedRoom): Promise<ProbeOutcome>;
  /** Deletes an orphan and remembers the result. Rejects only when the store does. */
  reap(orphan: Orphan): Promise<void>;
}

/** How a probe ended. */
export interface ProbeOutcome {
  /** Set where the room is abandoned. */
  readonly orphan?: Orphan | undefined;
  /** Set when LiveKit did not answer. */
  readonly error?: unknown;
}
