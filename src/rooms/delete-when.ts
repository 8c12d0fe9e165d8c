/** Whether a room is to be deleted when its bot has finished. */

import type { ListedParticipant } from './room-rest.ts';

/** Who ordered the deletion. */
export type DeletionTrigger = 'end' | 'cancel' | 'exit' | 'signal' | 'manual';

export interface DeleteWhenContext {
  readonly roomName: string;
  readonly trigger: DeletionTrigger;
  /** Aborts when the decision is no longer waited for. */
  readonly signal: AbortSignal;
  /** Who is in the room now, by `ListParticipants`; without those who have left and without the bot itself. */
  readonly listParticipants: () => Promise<readonly ListedParticipant[]>;
}

/**
 * `'no-humans-left'` deletes unless a person (a browser, a phone caller) is in the room; `'no-agents-left'`
 * unless another agent is. A function keeps the room by returning false, and by nothing else: one that throws,
 * or does not decide in time, deletes.
 */
export type DeleteWhen =
  | 'always'
  | 'no-humans-left'
  | 'no-agents-left'
  | 'never'
  | ((context: DeleteWhenContext) => boolean | Promise<boolean>);

/** Which participant the bot itself is; by its identity only as long as its sid is not known. */
export interface OwnParticipant {
  readonly ownIdentity?: string | undefined;
  /** Unlike the identity it is never that of a successor, who has put the bot out. */
  readonly ownSid?: string | undefined;
}

/** Those who count as inside: neither gone already nor the bot that asks. */
export function othersInside(
  participants: readonly ListedParticipant[],
  { ownIdentity, ownSid }: OwnParticipant,
): readonly ListedParticipant[] {
  const isBot = ({ sid, identity }: ListedParticipant): boolean =>
    ownSid === undefined ? identity === ownIdentity : sid === ownSid;
  return participants.filter((one) => one.state !== 'DISCONNECTED' && !isBot(one));
}

/** A person, by browser, app or phone; recorders, ingress and egress are machines. */
export function isHuman({ kind, isAgent, isRecorder }: ListedParticipant): boolean {
  return !isAgent && !isRecorder && !['AGENT', 'INGRESS', 'EGRESS'].includes(kind);
}

/** The decision; rejects when it needs to know who is inside and cannot. */
export async function isDeletable(deleteWhen: DeleteWhen, context: DeleteWhenContext): Promise<boolean> {
  if (deleteWhen === 'always') return true;
  if (deleteWhen === 'never') return false;
  if (typeof deleteWhen === 'function') return (await deleteWhen(context)) !== false;
  const inside = await context.listParticipants();
  return !inside.some(deleteWhen === 'no-humans-left' ? isHuman : ({ isAgent }) => isAgent);
}
