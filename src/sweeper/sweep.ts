/** One sweep: what a sweeper gives its engine to do, with logs, events and reports; the last probe and the deletion. */

import type { SafeEventEmitter } from '../lib/emitter.ts';
import { EndframeError, errorMessage, LiveKitRESTError } from '../lib/errors.ts';
import { silentLogger } from '../lib/logger.ts';
import { redact, toLiveKitRESTError } from '../rooms/rest/rest-error.ts';
import type { ListedRoom, RestCallOptions } from '../rooms/rest/room-rest.ts';
import { RoomDeleter } from '../rooms/room-deleter.ts';
import type {
  Orphan,
  ProbeContext,
  ProbeResult,
  ReapContext,
  ReapStatus,
  SweepPass,
  SweepWork,
} from './engine/engine.ts';
import type { Observation } from './observation.ts';
import { ownershipOf } from './orphan-policy.ts';
import { probe } from './probe.ts';
import type { OrphanReport, SweeperEvents, SweepReport } from './sweeper-events.ts';
import type { ResolvedSweeperOptions, SweeperRest } from './sweeper-options.ts';

/**
 * What is known of a room, where it is worth knowing: rooms with a living bot have no state.
 *
 * `undecided`: not probed yet, or silent for not long enough. `would-delete`: reported in a dry run, and found again by
 * each pass. `deleted`: since the newest list. `unmarked`: has the prefix and no marker.
 */
type RoomState = 'undecided' | 'would-delete' | 'deleted' | 'unmarked';

/** The work of one sweeper. */
export class Sweep implements SweepWork {
  readonly #options: ResolvedSweeperOptions;
  readonly #events: SafeEventEmitter<SweeperEvents>;
  readonly #onReport: (report: SweepReport) => void;
  /** By room name. */
  #states = new Map<string, RoomState>();
  #orphans: OrphanReport[] = [];
  #failedProbes = 0;
  /** The alarm of this pass was raised. */
  #isCapped = false;
  #owned = 0;

  constructor(
    options: ResolvedSweeperOptions,
    events: SafeEventEmitter<SweeperEvents>,
    onReport: (report: SweepReport) => void,
  ) {
    this.#options = options;
    this.#events = events;
    this.#onReport = onReport;
  }

  get pollMs(): number {
    return this.#options.pollMs;
  }

  get longestSpacingMs(): number {
    return this.#options.leaseTtlMs / 2;
  }

  get concurrency(): number {
    return this.#options.concurrency;
  }

  deletionCap(owned: number): number {
    return Math.max(this.#options.minDeletionCap, Math.floor(owned * this.#options.maxDeletionShare));
  }

  async list(names: readonly string[] = []): Promise<readonly ListedRoom[]> {
    const all = await this.#options.rest.listRooms(names).catch((error: unknown) => {
      throw toLiveKitRESTError(names.join(', '), error);
    });
    const owned = all.filter((room) => ownershipOf(room, this.#options) === 'ours');
    if (names.length === 0) this.#noteList(all, owned);
    return owned;
  }

  async probe(room: ListedRoom, context: ProbeContext): Promise<ProbeResult> {
    const { name } = room;
    // before the answer: a room with a hanging first probe is undecided
    if (context.before === undefined) this.#noteUndecided(name);
    try {
      const verdict = await probe(room, context, this.#options);
      const reason = verdict.decision?.reason;
      if (reason !== undefined && reason !== 'bot-alive') this.#noteUndecided(name);
      else if (this.#states.get(name) !== 'deleted') this.#states.delete(name);
      return verdict;
    } catch (error) {
      if (context.signal.aborted) throw error;
      this.#failedProbes += 1;
      this.#states.set(name, 'undecided');
      const fields = { roomName: name, error: toLiveKitRESTError(name, error) };
      this.#options.logger.warn(fields, 'participants could not be listed; this time does not count');
      throw error;
    }
  }

  async reap(orphan: Orphan, context: ReapContext): Promise<ReapStatus> {
    const { name: roomName, sid, creationTimeMs } = orphan.room;
    this.#events.emit('orphanFound', orphan);
    const reaping = await reapRoom(orphan, context, this.#options).catch(
      (error: unknown): Reaping => ({ status: 'failed', error: toLiveKitRESTError(roomName, error) }),
    );
    const silentMs = Math.round(orphan.silentMs);
    const report = { roomName, sid, creationTimeMs, reason: orphan.reason, silentMs, ...reaping };
    this.#orphans.push(Object.freeze(report));
    this.#noteReaping(report);
    return report.status;
  }

  passed({ owned, looked, durationMs }: SweepPass): void {
    const names = (state: RoomState): string[] =>
      [...this.#states].filter(([, one]) => one === state).map(([name]) => name);
    const report: SweepReport = {
      owned: Math.max(0, owned - names('deleted').length),
      undecided: names('undecided').length,
      looked,
      failedLooks: this.#failedProbes,
      durationMs,
      orphans: this.#orphans,
      unmarked: names('unmarked'),
    };
    this.#orphans = [];
    this.#failedProbes = 0;
    this.#isCapped = false;
    this.#onReport(Object.freeze(report));
  }

  failed(thrown: unknown): void {
    // an error of the engine may carry anything, such as a command with a password: only its text is kept
    const error = thrown instanceof EndframeError ? thrown : new Error(redact(errorMessage(thrown)));
    this.#options.logger.error({ error }, 'the pass failed; this time does not count');
    this.#events.emit('sweepFailed', error);
  }

  #noteUndecided(name: string): void {
    if (this.#states.get(name) !== 'would-delete') this.#states.set(name, 'undecided');
  }

  /** Keeps the states that are still true: deleted rooms are not listed any more, or have been re-created. */
  #noteList(all: readonly ListedRoom[], owned: readonly ListedRoom[]): void {
    const states = new Map<string, RoomState>();
    for (const { name } of owned) {
      const state = this.#states.get(name);
      if (state === 'undecided' || state === 'would-delete') states.set(name, state);
    }
    for (const room of all) {
      if (ownershipOf(room, this.#options) !== 'unmarked') continue;
      states.set(room.name, 'unmarked');
      if (this.#states.get(room.name) === 'unmarked') continue;
      const fields = { roomName: room.name, metadataKey: this.#options.metadataKey };
      this.#options.logger.warn(fields, 'a room has the prefix and no marker; it is never deleted');
      this.#events.emit('unmarkedRoomFound', room);
    }
    this.#states = states;
    this.#owned = owned.length;
  }

  #noteReaping(report: OrphanReport): void {
    const { logger } = this.#options;
    const { roomName, status } = report;
    switch (status) {
      case 'deleted':
      case 'already-gone':
        this.#states.set(roomName, 'deleted');
        logger.info(report, 'a room without a living bot is gone');
        this.#events.emit('roomReaped', report);
        break;
      case 'spared':
        logger.info(report, 'a room was spared by the last probe before its deletion');
        this.#events.emit('roomSpared', report);
        break;
      case 'failed':
        this.#states.delete(roomName);
        logger.error(report, 'a room without a living bot could not be deleted and remains');
        this.#events.emit('roomReapFailed', report);
        break;
      case 'capped': {
        if (this.#isCapped) break;
        this.#isCapped = true;
        const alarm = { roomName, owned: this.#owned, cap: this.deletionCap(this.#owned) };
        logger.error(
          alarm,
          'more orphans than one pass may delete: check whether these bots are really dead',
        );
        this.#events.emit('deletionsCapped', alarm);
        break;
      }
      case 'would-delete':
        this.#states.set(roomName, 'would-delete');
        logger.info(report, 'a room without a living bot would be deleted');
    }
  }
}

/** How a deletion ended. */
export type Reaping = Pick<OrphanReport, 'status' | 'sparedBecause' | 'error'>;

/**
 * Deletes a room that is still what a probe found it to be.
 *
 * Each attempt lists and probes the room first: LiveKit has no conditional deletion, so the time between probe and
 * deletion is one request. `RoomDeleter` does the retries.
 */
export async function reapRoom(
  orphan: Orphan,
  context: ReapContext,
  options: ResolvedSweeperOptions,
): Promise<Reaping> {
  if (options.dryRun) return { status: 'would-delete' };
  if (!(await context.takeDeletion())) return { status: 'capped' };
  let sparedBecause: Reaping['sparedBecause'];
  let wasSent = false;
  let before = orphan.observation;
  const rest: SweeperRest = {
    ...options.rest,
    deleteRoomByName: async (roomName, callOptions) => {
      const last = await probeLast(orphan.room, before, context, options, callOptions).catch(
        (error: unknown) => {
          throw asProbeError(roomName, error);
        },
      );
      sparedBecause = last.sparedBecause;
      if (sparedBecause !== undefined) {
        throw new LiveKitRESTError(roomName, { kind: 'rejected', retryable: false, body: sparedBecause });
      }
      wasSent = true;
      try {
        return await options.rest.deleteRoomByName(roomName, callOptions);
      } finally {
        // the time of this request is no gap between two probes
        before = { ...last.observation, dueMs: context.nowMs() };
      }
    },
  };
  const { status, error } = await new RoomDeleter({
    roomName: orphan.room.name,
    // without an expected sid: the probe before each attempt compares it
    rest,
    deadlineMs: options.deletionDeadlineMs,
    // the next pass verifies
    verify: false,
    guardian: false,
    logger: silentLogger,
  }).deleteRoom('manual');
  // the answer to the deletion was lost, and the room was re-created
  if (sparedBecause === 'replaced' && wasSent) return { status: 'deleted' };
  if (sparedBecause !== undefined) return { status: 'spared', sparedBecause };
  if (status === 'deleted' || status === 'already-gone') return { status };
  return { status: 'failed', ...(error && { error }) };
}

/** The last probe before a deletion. */
interface LastProbe {
  readonly observation: Observation;
  /** Why the room must not be deleted now; `undefined` when it must. */
  readonly sparedBecause: Reaping['sparedBecause'];
}

/** Rejects like a deletion: with `not_found` when the room is gone. */
async function probeLast(
  room: ListedRoom,
  before: Observation,
  { lastGapMs, nowMs }: ReapContext,
  options: ResolvedSweeperOptions,
  { signal = new AbortController().signal }: RestCallOptions = {},
): Promise<LastProbe> {
  const { name, sid, creationTimeMs } = room;
  const askedMs = nowMs();
  const [listed, verdict] = await Promise.all([
    options.rest.listRooms([name], { signal }),
    probe(room, { before, lastGapMs, nowMs, signal }, options),
  ]);
  const { decision, observation } = verdict;
  const current = listed.find((one) => one.name === name);
  if (current === undefined || decision === undefined || observation === undefined) {
    const body = 'it is not listed any more';
    throw new LiveKitRESTError(name, { kind: 'not_found', retryable: false, code: 'not_found', body });
  }
  if (nowMs() - askedMs > options.pollMs) {
    // this process or LiveKit was frozen: the answer may be outdated
    const body = 'the last probe took too long';
    throw new LiveKitRESTError(name, { kind: 'unavailable', retryable: true, body });
  }
  if (current.sid !== sid || current.creationTimeMs !== creationTimeMs) {
    return { observation, sparedBecause: 'replaced' };
  }
  if (ownershipOf(current, options) !== 'ours') return { observation, sparedBecause: 'marker-missing' };
  return { observation, sparedBecause: decision.action === 'keep' ? decision.reason : undefined };
}

/** Retryable as `unavailable`: a timeout or 404 of a probe must not be taken for one of a deletion, none was sent. */
function asProbeError(roomName: string, thrown: unknown): LiveKitRESTError {
  const error = toLiveKitRESTError(roomName, thrown);
  if (error.kind === 'not_found' || !error.retryable) return error;
  const { status, retryAfterMs, message: body } = error;
  return new LiveKitRESTError(roomName, { kind: 'unavailable', retryable: true, status, retryAfterMs, body });
}
