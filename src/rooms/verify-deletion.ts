/** Looks at a room after its deletion: clients, frozen nodes and lost databases bring rooms back. No rxjs. */

import type { LiveKitRESTError } from '../lib/errors.ts';
import { attemptDeletion, findRoom } from './delete-attempt.ts';
import { asRestError } from './foreign-error.ts';
import { hasLivingBot } from './living-bot.ts';
import {
  afterLook,
  beforeFirstLook,
  type LookResult,
  nextLookDelayMs,
  nodeMayBeLost,
} from './retry-policy.ts';
import { type RoomIdentity, whichRoom } from './room-identity.ts';
import type { RoomRest } from './room-rest.ts';

/** A deleted room was there again. */
export interface RoomReappearance {
  readonly roomName: string;
  readonly sid: string;
  /** After the first deletion, in milliseconds, without the time that requests took. */
  readonly afterMs: number;
  /** `remains` when it could not be deleted yet; the next look tries again. */
  readonly status: 'deleted-again' | 'remains';
}

export interface Verification {
  readonly rest: RoomRest;
  readonly roomName: string;
  readonly room: RoomIdentity;
  readonly wait: (ms: number) => Promise<unknown>;
  readonly signal: AbortSignal;
  readonly onReappeared: (reappearance: RoomReappearance) => void;
  /** A room of the same name that is not known to be ours, or has a living bot in it; it is left alone. */
  readonly onAnother: () => void;
}

/**
 * Looks at about 1, 6 and 20 s, and deletes again what came back; from then on it looks anew.
 *
 * A room in which a bot beats its lease is left alone, whoever named it: a bot that was killed and started again
 * has its own name again, in a new room.
 *
 * @returns Resolves when nothing is left to look for; never rejects.
 */
export async function verifyDeletion(verification: Verification): Promise<void> {
  if (verification.rest.listRooms === undefined) return;
  let progress = beforeFirstLook;
  while (!verification.signal.aborted) {
    const waitMs = nextLookDelayMs(progress);
    if (waitMs === undefined) return;
    await verification.wait(waitMs);
    let watchedMs = 0;
    const wait = (ms: number): Promise<unknown> => {
      watchedMs += ms;
      return verification.wait(ms);
    };
    const afterMs = progress.waitedMs + waitMs;
    const result = await look({ ...verification, wait }, afterMs).catch(() => 'unanswered' as const);
    progress = afterLook(progress, waitMs + watchedMs, result);
  }
}

/** Rejects when nobody answers whether the room is there. */
async function look(verification: Verification, afterMs: number): Promise<LookResult> {
  const { rest, roomName, room, signal, onReappeared, onAnother } = verification;
  const listed = await findRoom(rest, roomName, { signal });
  if (listed === undefined || listed === 'absent') return 'clear';
  if (whichRoom(room, listed) !== 'ours' || (await hasLivingBot(verification))) {
    onAnother();
    return 'clear';
  }
  onReappeared({ roomName, sid: listed.sid, afterMs, status: await deleteAgain(verification) });
  return 'reappeared';
}

async function deleteAgain(verification: Verification): Promise<RoomReappearance['status']> {
  const attempt = (lost: boolean): Promise<unknown> =>
    attemptDeletion({ ...verification, nodeMayBeLost: lost });
  const toError = (thrown: unknown): LiveKitRESTError => asRestError(verification.roomName, thrown);
  try {
    await attempt(false).catch((thrown) => {
      if (!nodeMayBeLost(toError(thrown))) throw thrown;
      return attempt(true);
    });
  } catch (thrown) {
    if (toError(thrown).kind !== 'not_found') return 'remains';
  }
  return 'deleted-again';
}
