/** The guardian's deletion: like a `RoomDeleter`'s, but with more patience and without rxjs. */

import type { LiveKitRESTError } from '../lib/errors.ts';
import { withAbort } from '../lib/timeout.ts';
import { attemptDeletion, isWorthWaiting } from './delete-attempt.ts';
import { type DeleteWhen, isDeletable, type OwnParticipant, othersInside } from './delete-when.ts';
import { asRestError } from './foreign-error.ts';
import { hasLivingBot } from './living-bot.ts';
import { answerWasLost, mayGetBetter, nodeMayBeLost, retryDelayMs } from './retry-policy.ts';
import type { RoomIdentity } from './room-identity.ts';
import type { ListedParticipant, RoomRest } from './room-rest.ts';

export interface SureDeletion extends OwnParticipant {
  readonly rest: RoomRest;
  readonly roomName: string;
  readonly room: RoomIdentity;
  readonly deleteWhen: DeleteWhen;
  /** When to give up, in milliseconds. */
  readonly giveUpMs: number;
  readonly wait: (ms: number) => Promise<unknown>;
  /** Milliseconds of a clock that only goes forward. */
  readonly now: () => number;
  readonly random: () => number;
  /** Whether there is no reason any more: asked before each attempt and each wait. */
  readonly isCalledOff: () => boolean;
}

export type SureResult = 'deleted' | 'already-gone' | 'kept' | 'failed' | 'called-off';

const decisionMs = 2_000;
/** LiveKit lists somebody who was killed for 20 s. */
const presenceMs = 25_000;
/** Everybody else whose bot has lost its server asks too. */
const longestBackoffMs = 5_000;

/** Decides and deletes, trying again until the time is up; never rejects. */
export async function makeSure(deletion: SureDeletion): Promise<SureResult> {
  const { rest, roomName, room, giveUpMs, ownIdentity, ownSid, wait, now, random, isCalledOff } = deletion;
  const { signal } = new AbortController();
  const startedMs = now();
  const startedAtMs = Date.now();
  let answerLost = false;
  let lost = false;
  let keptSinceMs: number | undefined;
  const attempt = async (): Promise<'deleted' | 'already-gone' | LiveKitRESTError> => {
    try {
      const result = await attemptDeletion({ rest, roomName, room, signal, nodeMayBeLost: lost });
      return result === 'deleted' || answerLost ? 'deleted' : 'already-gone';
    } catch (thrown) {
      const error = asRestError(roomName, thrown);
      if (error.kind === 'not_found') return answerLost ? 'deleted' : 'already-gone';
      answerLost ||= answerWasLost(error);
      lost ||= nodeMayBeLost(error);
      return error;
    }
  };
  for (let attempts = 1; !isCalledOff(); attempts += 1) {
    const decision = await (attempts === 1 ? decide : decideAgain)(deletion, now() - startedMs, startedAtMs);
    if (isCalledOff()) break;
    if (decision === 'in-use') return 'kept';
    if (decision === 'keep') {
      // it may be the bot itself that is still listed, when nobody knows who it is
      keptSinceMs ??= now();
      const listedMs = now() - keptSinceMs;
      if ((ownSid ?? ownIdentity) !== undefined || listedMs >= presenceMs) return 'kept';
      await wait(presenceMs - listedMs);
      continue;
    }
    const result = decision === 'delete' ? await attempt() : decision;
    if (typeof result === 'string') return result;
    const remainingMs = giveUpMs - (now() - startedMs);
    const error = { retryable: mayGetBetter(result), retryAfterMs: result.retryAfterMs };
    const waitMs = retryDelayMs({ error, attempts, remainingMs, random: random(), longestBackoffMs });
    if (waitMs === undefined) return 'failed';
    if (isCalledOff()) break;
    await wait(waitMs);
  }
  return 'called-off';
}

/**
 * Whether to delete; an error while LiveKit is away, which would not delete either, for half of the time.
 *
 * What cannot be decided otherwise is deleted.
 */
async function decide(
  { deleteWhen, roomName, ownIdentity, ownSid, rest, giveUpMs }: SureDeletion,
  elapsedMs: number,
): Promise<'delete' | 'keep' | LiveKitRESTError> {
  const onTimeout = (): Error => new Error(`not decided within ${decisionMs} ms`);
  try {
    const yes = await withAbort({ limitMs: decisionMs, signal: undefined, onTimeout }, (signal) => {
      const listParticipants = async () =>
        othersInside((await rest.listParticipants?.(roomName, { signal })) ?? [], { ownIdentity, ownSid });
      return isDeletable(deleteWhen, { roomName, trigger: 'exit', signal, listParticipants });
    });
    return yes ? 'delete' : 'keep';
  } catch (thrown) {
    const error = asRestError(roomName, thrown);
    return isWorthWaiting(error) && elapsedMs < giveUpMs / 2 ? error : 'delete';
  }
}

/**
 * The same for a retry. By then a bot may have been started anew and have come back into the room, when LiveKit did:
 * it must not lose its call to the retries for its predecessor.
 */
async function decideAgain(
  deletion: SureDeletion,
  elapsedMs: number,
  startedAtMs: number,
): Promise<'delete' | 'keep' | 'in-use' | LiveKitRESTError> {
  const { rest, roomName, wait, giveUpMs } = deletion;
  const decision = await decide(deletion, elapsedMs);
  if (decision !== 'delete') return decision;
  // older servers tell whole seconds
  const counts = ({ joinedAtMs = 0 }: ListedParticipant): boolean => joinedAtMs > startedAtMs - 1_000;
  const { signal } = new AbortController();
  try {
    return (await hasLivingBot({ rest, roomName, wait, signal, counts })) ? 'in-use' : 'delete';
  } catch (thrown) {
    return elapsedMs < giveUpMs / 2 ? asRestError(roomName, thrown) : 'delete';
  }
}
