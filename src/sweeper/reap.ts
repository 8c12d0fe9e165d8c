import { LiveKitRESTError } from '../errors.ts';
import { silentLogger } from '../logger.ts';
import { asRestError } from '../rooms/foreign-error.ts';
import { RoomDeleter } from '../rooms/room-deleter.ts';
import type { ListedRoom, RestCallOptions } from '../rooms/room-rest.ts';
import type { Orphan, ReapContext, ReapStatus } from './engine.ts';
import { lookAt } from './look.ts';
import type { Observation } from './observation.ts';
import type { KeepReason } from './orphan-policy.ts';
import { ownershipOf } from './ownership.ts';
import type { SweeperPlan, SweeperRest } from './sweeper-options.ts';

/** How an orphan ended. */
export interface Reaping {
  readonly status: ReapStatus;
  /** Why it was spared: a sign of life, or another room of the same name. */
  readonly sparedBecause?: KeepReason | 'replaced';
  readonly error?: LiveKitRESTError;
}

/**
 * Deletes a room that is still what a look found it to be.
 *
 * Every attempt lists the room and looks into it again first: LiveKit has no conditional deletion, so the time
 * between look and deletion is made as short as one request. Retries and what a lost node needs are
 * `RoomDeleter`'s.
 */
export async function reapRoom(orphan: Orphan, context: ReapContext, plan: SweeperPlan): Promise<Reaping> {
  if (plan.dryRun) return { status: 'would-delete' };
  if (!(await context.takeDeletion())) return { status: 'capped' };
  let sparedBecause: Reaping['sparedBecause'];
  let wasSent = false;
  let before = orphan.observation;
  const rest: SweeperRest = {
    ...plan.rest,
    deleteRoomByName: async (roomName, options) => {
      const last = await confirm(orphan.room, before, context, plan, options).catch((error: unknown) => {
        throw asLookError(roomName, error);
      });
      sparedBecause = last.sparedBecause;
      if (sparedBecause !== undefined) {
        throw new LiveKitRESTError(roomName, { kind: 'rejected', retryable: false, body: sparedBecause });
      }
      wasSent = true;
      try {
        return await plan.rest.deleteRoomByName(roomName, options);
      } finally {
        // the time of our own request is no gap between two looks
        before = { ...last.observation, dueMs: context.nowMs() };
      }
    },
  };
  const { status, error } = await new RoomDeleter({
    roomName: orphan.room.name,
    // which room it is, is checked by the look that comes before each attempt
    rest,
    deadlineMs: plan.deletionDeadlineMs,
    // the next pass looks again
    verify: false,
    guardian: false,
    logger: silentLogger,
  }).deleteRoom('manual');
  // the answer was lost, and the room was created anew
  if (sparedBecause === 'replaced' && wasSent) return { status: 'deleted' };
  if (sparedBecause !== undefined) return { status: 'spared', sparedBecause };
  if (status === 'deleted' || status === 'already-gone') return { status };
  return { status: 'failed', ...(error && { error }) };
}

/** The last look before a deletion. */
interface LastLook {
  readonly observation: Observation;
  /** Why the room must not be deleted now; `undefined` when it must. */
  readonly sparedBecause: Reaping['sparedBecause'];
}

/** Rejects like a deletion would. */
async function confirm(
  room: ListedRoom,
  before: Observation,
  { blindMs, nowMs }: ReapContext,
  plan: SweeperPlan,
  { signal = new AbortController().signal }: RestCallOptions = {},
): Promise<LastLook> {
  const { name, sid, creationTimeMs } = room;
  const context = { before, blindMs, nowMs, signal };
  const askedMs = nowMs();
  const [listed, finding] = await Promise.all([
    plan.rest.listRooms([name], { signal }),
    lookAt(room, context, plan),
  ]);
  const { decision, observation } = finding;
  const current = listed.find((one) => one.name === name);
  if (current === undefined || decision === undefined || observation === undefined) {
    const body = 'it is not listed any more';
    throw new LiveKitRESTError(name, { kind: 'not_found', retryable: false, code: 'not_found', body });
  }
  if (nowMs() - askedMs > plan.pollMs) {
    // this process was frozen, or LiveKit was: what was seen may be long past
    throw new LiveKitRESTError(name, {
      kind: 'unavailable',
      retryable: true,
      body: 'the last look took too long',
    });
  }
  if (current.sid !== sid || current.creationTimeMs !== creationTimeMs) {
    return { observation, sparedBecause: 'replaced' };
  }
  if (ownershipOf(current, plan) !== 'ours') return { observation, sparedBecause: 'marker-missing' };
  return { observation, sparedBecause: decision.action === 'keep' ? decision.reason : undefined };
}

/** Not to be taken for a deletion whose answer was lost, or that a dead node did not carry out: none was sent. */
function asLookError(roomName: string, thrown: unknown): LiveKitRESTError {
  const error = asRestError(roomName, thrown);
  if (error.kind === 'not_found' || !error.retryable) return error;
  const { status, retryAfterMs, message: body } = error;
  return new LiveKitRESTError(roomName, { kind: 'unavailable', retryable: true, status, retryAfterMs, body });
}
