/** What a sweeper tells: values that can be printed, stored and compared. */

import type { LiveKitRESTError } from '../errors.ts';
import type { Orphan, ReapStatus } from './engine.ts';
import type { DeleteReason } from './orphan-policy.ts';
import type { Reaping } from './reap.ts';

/** An orphan and what became of it. */
export interface OrphanReport {
  readonly roomName: string;
  readonly sid: string;
  /** Milliseconds since 1970, by LiveKit's clock. */
  readonly creationTimeMs: number;
  readonly reason: DeleteReason;
  /** How long no bot had shown a sign of life, as far as it was observed. */
  readonly silentMs: number;
  readonly status: ReapStatus;
  /** Why it was spared: a bot came back, or another room has the name now. */
  readonly sparedBecause?: NonNullable<Reaping['sparedBecause']>;
  readonly error?: LiveKitRESTError;
}

/** One pass: what there was, what it cost, and what was done since the pass before. */
export interface SweepReport {
  /** Rooms that are ours and still there, as far as is known. */
  readonly owned: number;
  /** How many of them this process has not made up its mind about: silent, but not for long enough. */
  readonly undecided: number;
  /** Looks that LiveKit answered, and those it did not. */
  readonly looked: number;
  readonly failedLooks: number;
  readonly durationMs: number;
  readonly orphans: readonly OrphanReport[];
  /** Rooms with our prefix and without a marker: left alone. */
  readonly unmarked: readonly string[];
}

export function orphanReport({ room, reason, silentMs }: Orphan, reaping: Reaping): OrphanReport {
  const { name: roomName, sid, creationTimeMs } = room;
  return Object.freeze({ roomName, sid, creationTimeMs, reason, silentMs: Math.round(silentMs), ...reaping });
}
