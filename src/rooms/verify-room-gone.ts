/** Checks a room after its deletion: clients, frozen nodes and lost databases bring rooms back. No rxjs. */

import { attemptDeletion } from './delete-room.ts';
import { hasLivingBot } from './lease.ts';
import { toLiveKitRESTError } from './rest/rest-error.ts';
import type { RoomRest } from './rest/room-rest.ts';
import { nodeMayBeLost } from './retry-policy.ts';
import { findRoom, type RoomIdentity, whichRoom } from './room-identity.ts';

/** A deleted room was there again. */
export interface RoomReappearance {
  /** The room's name. */
  readonly roomName: string;
  /** LiveKit's id of the new room. */
  readonly sid: string;
  /** After the first deletion, in milliseconds, without the time of requests. */
  readonly afterMs: number;
  /** `remains` when it could not be deleted yet; the next check tries again. */
  readonly status: 'deleted-again' | 'remains';
}

/** The deleted room, and what to call about it. */
export interface Verification {
  /** The REST client of LiveKit. */
  readonly rest: RoomRest;
  /** The room's name. */
  readonly roomName: string;
  /** What is known about the room's identity. */
  readonly room: RoomIdentity;
  /** Resolves after so many milliseconds. */
  readonly sleep: (ms: number) => Promise<unknown>;
  /** The room exists again after its deletion. */
  readonly onReappeared: (reappearance: RoomReappearance) => void;
  /** A room of the same name is not known to be this one, or has a living bot in it; it is left alone. */
  readonly onAnother: () => void;
}

/**
 * Checks at about 1, 6 and 20 s, and deletes again what came back; the checks then start anew.
 *
 * A room with a bot that renews its lease is left alone, also under an owned name: a bot that was killed and
 * started again has the same name, in a new room.
 *
 * @returns Resolves after the last check; never rejects.
 */
export async function verifyRoomGone(verification: Verification): Promise<void> {
  if (verification.rest.listRooms === undefined) return;
  let progress = beforeFirstCheck;
  for (;;) {
    const waitMs = nextCheckDelayMs(progress);
    if (waitMs === undefined) return;
    await verification.sleep(waitMs);
    let watchedMs = 0;
    const sleep = (ms: number): Promise<unknown> => {
      watchedMs += ms;
      return verification.sleep(ms);
    };
    const afterMs = progress.waitedMs + waitMs;
    const result = await check({ ...verification, sleep }, afterMs).catch(() => 'unanswered' as const);
    progress = afterCheck(progress, waitMs + watchedMs, result);
  }
}

/** Rejects when LiveKit does not answer. */
async function check(verification: Verification, afterMs: number): Promise<CheckResult> {
  const { rest, roomName, room, onReappeared, onAnother } = verification;
  const listed = await findRoom(rest, roomName);
  if (listed === undefined || listed === 'absent') return 'clear';
  if (whichRoom(room, listed) !== 'ours' || (await hasLivingBot(verification))) {
    onAnother();
    return 'clear';
  }
  onReappeared({ roomName, sid: listed.sid, afterMs, status: await deleteAgain(verification) });
  return 'reappeared';
}

async function deleteAgain(verification: Verification): Promise<RoomReappearance['status']> {
  try {
    await attemptDeletion({ ...verification, nodeMayBeLost: false }).catch((thrown) => {
      if (!nodeMayBeLost(toLiveKitRESTError(verification.roomName, thrown))) throw thrown;
      return attemptDeletion({ ...verification, nodeMayBeLost: true });
    });
  } catch (thrown) {
    if (toLiveKitRESTError(verification.roomName, thrown).kind !== 'not_found') return 'remains';
  }
  return 'deleted-again';
}

/** The checks so far. */
export interface CheckProgress {
  /** Checks that found nothing, since the room was last deleted. */
  readonly clear: number;
  /** Checks in a row without an answer. */
  readonly unanswered: number;
  /** Waited since the first deletion, in milliseconds. */
  readonly waitedMs: number;
}

/** The result of one check. */
export type CheckResult = 'clear' | 'reappeared' | 'unanswered';

/** The progress before the first check. */
export const beforeFirstCheck: CheckProgress = { clear: 0, unanswered: 0, waitedMs: 0 };

/** Before the checks at about 1, 6 and 20 s; a join under way creates the room again after 15 s. */
const checkWaitsMs = [1_000, 5_000, 14_000];
/** Longest wait between checks without an answer. */
const maxCheckWaitMs = 14_000;
/** A room that comes back for longer, or an unanswered check after it, is left to a sweeper. */
const lastCheckMs = 120_000;

/** How long to wait before the next check, in milliseconds; `undefined` when there is none. */
export function nextCheckDelayMs({ clear, unanswered, waitedMs }: CheckProgress): number | undefined {
  const nextMs = checkWaitsMs[clear];
  if (nextMs === undefined) return undefined;
  const waitMs = Math.min(maxCheckWaitMs, nextMs * 2 ** unanswered);
  return waitedMs + waitMs > lastCheckMs ? undefined : waitMs;
}

/** The progress after a check; a room that has come back starts the checks anew. */
export function afterCheck(progress: CheckProgress, waitMs: number, result: CheckResult): CheckProgress {
  return {
    clear: result === 'reappeared' ? 0 : progress.clear + (result === 'clear' ? 1 : 0),
    unanswered: result === 'unanswered' ? progress.unanswered + 1 : 0,
    waitedMs: progress.waitedMs + waitMs,
  };
}
