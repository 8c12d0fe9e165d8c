/** Deletes one orphan: a last probe before each attempt, then the deletion with its retries. */

import { LiveKitRESTError } from '../lib/errors.ts';
import { silentLogger } from '../lib/logger.ts';
import { toLiveKitRESTError } from '../rooms/rest/rest-error.ts';
import type { ListedRoom, RestCallOptions } from '../rooms/rest/room-rest.ts';
import { RoomDeleter } from '../rooms/room-deleter.ts';
import type { Orphan, ReapContext } from './engine/engine.ts';
import type { Observation } from './observation.ts';
import { ownershipOf } from './orphan-policy.ts';
import { probe } from './probe.ts';
import type { OrphanReport } from './sweeper-events.ts';
import type { ResolvedSweeperOptions, SweeperRest } from './sweeper-options.ts';

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
