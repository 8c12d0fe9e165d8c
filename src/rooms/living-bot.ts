/** Whether a room is in use: what would be deleted again may be the room of another bot by now. No rxjs. */

import { asRestError } from './foreign-error.ts';
import { leaseAttribute, leaseBeatMs } from './lease.ts';
import type { ListedParticipant, RoomRest } from './room-rest.ts';

export interface LivingBotQuestion {
  readonly rest: RoomRest;
  readonly roomName: string;
  readonly wait: (ms: number) => Promise<unknown>;
  readonly signal: AbortSignal;
  /** Whether a participant counts at all. Default: everybody does. */
  readonly counts?: (participant: ListedParticipant) => boolean;
}

/** As sweepers have it: a lease that stands still for longer is that of a dead bot. */
const leaseTtlMs = 30_000;

/**
 * Whether a bot in the room shows a sign of life: its lease changes while it is watched.
 *
 * One reading shows that somebody is there, which the dead are as well, for 20 s; two of them, a beat apart, show
 * that the bot's event loop turns. Nobody there with a lease is an answer at once; an agent without one has until
 * the next reading to write it, as one that has just joined does. A lease that stands still is watched for 30 s.
 *
 * @returns False as well where the rest cannot say who is inside, or LiveKit refuses to.
 * @throws {LiveKitRESTError} LiveKit does not answer, but may later.
 */
export async function hasLivingBot(question: LivingBotQuestion): Promise<boolean> {
  let before = await leases(question);
  for (let waitedMs = 0; waitedMs < leaseTtlMs && before.size > 0; waitedMs += leaseBeatMs) {
    await question.wait(leaseBeatMs);
    const now = await leases(question);
    if ([...now].some(([sid, lease]) => before.has(sid) && before.get(sid) !== lease)) return true;
    before = new Map([...now].filter(([sid, lease]) => lease !== undefined || !before.has(sid)));
  }
  return false;
}

/** What each bot's lease is, by the participant's sid; `undefined` for an agent that has none. */
async function leases(question: LivingBotQuestion): Promise<ReadonlyMap<string, string | undefined>> {
  const { rest, roomName, signal, counts = () => true } = question;
  const inside = await rest.listParticipants?.(roomName, { signal }).catch((thrown: unknown) => {
    const error = asRestError(roomName, thrown);
    if (error.retryable) throw error;
    return [];
  });
  const bots = (inside ?? []).filter((one) => one.state !== 'DISCONNECTED' && counts(one));
  return new Map(
    bots
      .map((one) => [one.sid, one.attributes[leaseAttribute] || undefined, one.isAgent] as const)
      .filter(([, lease, isAgent]) => lease !== undefined || isAgent)
      .map(([sid, lease]) => [sid, lease]),
  );
}
