/** One probe of a room: reads its participants and decides. */

import { toLiveKitRESTError } from '../rooms/rest/rest-error.ts';
import type { ListedRoom } from '../rooms/rest/room-rest.ts';
import type { ProbeContext, ProbeResult } from './engine/engine.ts';
import { observe } from './observation.ts';
import { decideOrphan, type OrphanDecision } from './orphan-policy.ts';
import type { ResolvedSweeperOptions } from './sweeper-options.ts';

/** The result of a probe with its decision. */
export interface ProbeVerdict extends ProbeResult {
  /** `undefined`: the room is gone. */
  readonly decision: OrphanDecision | undefined;
}

/**
 * Lists the participants of a room, and decides whether it is an orphan.
 *
 * @throws {LiveKitRESTError} LiveKit did not answer.
 */
export async function probe(
  room: ListedRoom,
  { before, lastGapMs, nowMs, signal }: ProbeContext,
  options: ResolvedSweeperOptions,
): Promise<ProbeVerdict> {
  const { rest, isBot, pollMs, leaseTtlMs, graceMs } = options;
  const askedMs = nowMs();
  const participants = await rest.listParticipants(room.name, { signal }).catch((error: unknown) => {
    const known = toLiveKitRESTError(room.name, error);
    if (known.kind === 'not_found') return undefined;
    throw known;
  });
  if (participants === undefined) return { decision: undefined, observation: undefined, orphan: undefined };
  const answer = { room, participants, askedMs, answeredMs: nowMs() };
  const carryOverMs = Math.min(leaseTtlMs, graceMs) / 2;
  const observation = observe(before, answer, { isBot, pollMs, lastGapMs, carryOverMs });
  const serverTimeMs = rest.serverTimeMs();
  const decision = decideOrphan(room, participants, observation, askedMs, { ...options, serverTimeMs });
  if (decision.action === 'keep') return { decision, observation, orphan: undefined };
  const silentMs = Math.max(0, askedMs - (observation.silentSinceMs ?? askedMs));
  return { decision, observation, orphan: { room, reason: decision.reason, silentMs, observation } };
}
