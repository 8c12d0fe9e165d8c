/** The guardian's deletion: like a `RoomDeleter`'s, but with more patience and without rxjs. */

import { attemptDeletion } from './delete-attempt.ts';
import { type DeleteWhen, isDeletable, othersInside } from './delete-when.ts';
import { asRestError } from './foreign-error.ts';
import { answerWasLost, nodeMayBeLost, retryDelayMs } from './retry-policy.ts';
import type { RoomIdentity } from './room-identity.ts';
import type { RoomRest } from './room-rest.ts';
import { withTimeLimit } from './time-limit.ts';

export interface SureDeletion {
  readonly rest: RoomRest;
  readonly roomName: string;
  readonly room: RoomIdentity;
  readonly deleteWhen: DeleteWhen;
  readonly ownIdentity: string | undefined;
  /** When to give up, in milliseconds. */
  readonly giveUpMs: number;
  readonly wait: (ms: number) => Promise<unknown>;
  /** Milliseconds of a clock that only goes forward. */
  readonly now: () => number;
  readonly random: () => number;
}

const decisionMs = 2_000;
/** Everybody else whose bot has lost its server asks too. */
const longestBackoffMs = 5_000;

/** Decides and deletes, trying again until the time is up; never rejects. */
export async function makeSure(
  deletion: SureDeletion,
): Promise<'deleted' | 'already-gone' | 'kept' | 'failed'> {
  const { rest, roomName, room, giveUpMs, wait, now, random } = deletion;
  if (!(await decide(deletion))) return 'kept';
  const { signal } = new AbortController();
  const startedMs = now();
  let answerLost = false;
  let lost = false;
  for (let attempts = 1; ; attempts += 1) {
    try {
      const attempt = { rest, roomName, room, signal, nodeMayBeLost: lost, mayBeAnother: attempts > 1 };
      const result = await attemptDeletion(attempt);
      return result === 'deleted' || answerLost ? 'deleted' : 'already-gone';
    } catch (thrown) {
      const error = asRestError(roomName, thrown);
      if (error.kind === 'not_found') return answerLost ? 'deleted' : 'already-gone';
      answerLost ||= answerWasLost(error);
      lost ||= nodeMayBeLost(error);
      const remainingMs = giveUpMs - (now() - startedMs);
      const waitMs = retryDelayMs({ error, attempts, remainingMs, random: random(), longestBackoffMs });
      if (waitMs === undefined) return 'failed';
      await wait(waitMs);
    }
  }
}

/** What cannot be decided is deleted. */
async function decide({ deleteWhen, roomName, ownIdentity, rest }: SureDeletion): Promise<boolean> {
  const onTimeout = (): Error => new Error(`not decided within ${decisionMs} ms`);
  try {
    return await withTimeLimit({ limitMs: decisionMs, signal: undefined, onTimeout }, (signal) => {
      const listParticipants = async () =>
        othersInside((await rest.listParticipants?.(roomName, { signal })) ?? [], ownIdentity);
      return isDeletable(deleteWhen, { roomName, trigger: 'exit', signal, listParticipants });
    });
  } catch {
    return true;
  }
}
