import { asRestError } from '../rooms/foreign-error.ts';
import type { ListedParticipant, ListedRoom } from '../rooms/room-rest.ts';
import type { LookContext, LookResult } from './engine.ts';
import { type Observation, observe } from './observation.ts';
import { decideOrphan, type OrphanDecision, type OrphanPolicyOptions } from './orphan-policy.ts';
import type { SweeperPlan } from './sweeper-options.ts';

/** One look with what it means. */
export interface Finding extends LookResult {
  /** `undefined`: the room is gone. */
  readonly decision: OrphanDecision | undefined;
}

/**
 * Reads who is in a room, and decides.
 *
 * @throws {LiveKitRESTError} LiveKit did not say.
 */
export async function lookAt(room: ListedRoom, context: LookContext, plan: SweeperPlan): Promise<Finding> {
  const { before, blindMs, nowMs, signal } = context;
  const askedMs = nowMs();
  const participants = await plan.rest.listParticipants(room.name, { signal }).catch((error: unknown) => {
    const known = asRestError(room.name, error);
    if (known.kind === 'not_found') return undefined;
    throw known;
  });
  if (participants === undefined) return { decision: undefined, observation: undefined, orphan: undefined };
  const answeredMs = nowMs();
  const look = { room, participants, askedMs, answeredMs };
  const { isBot, pollMs } = plan;
  const carriedMs = Math.min(plan.leaseTtlMs, plan.graceMs) / 2;
  const observation = observe(before, look, { isBot, pollMs, blindMs, carriedMs });
  return judge(room, participants, observation, askedMs, plan);
}

function judge(
  room: ListedRoom,
  participants: readonly ListedParticipant[],
  observation: Observation,
  askedMs: number,
  plan: SweeperPlan,
): Finding {
  const decision = decideOrphan(room, participants, observation, askedMs, policyOf(plan));
  if (decision.action === 'keep') return { decision, observation, orphan: undefined };
  const silentMs = Math.max(0, askedMs - (observation.silentSinceMs ?? askedMs));
  return { decision, observation, orphan: { room, reason: decision.reason, silentMs, observation } };
}

function policyOf(plan: SweeperPlan): OrphanPolicyOptions {
  return { ...plan, serverTimeMs: plan.serverClock.nowMs() };
}
