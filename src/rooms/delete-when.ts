/** Whether a room is to be deleted: the policies, and the deleter's decision. */

import { LiveKitRESTError, type LiveKitRESTErrorKind } from '../lib/errors.ts';
import type { Logger } from '../lib/logger.ts';
import { sleep, withAbort } from '../lib/timeout.ts';
import { toLiveKitRESTError } from './rest/rest-error.ts';
import type { ListedParticipant, RoomRest } from './rest/room-rest.ts';
import { retryDelayMs } from './retry-policy.ts';
import { findRoom } from './room-identity.ts';

/** Why the deletion was ordered. */
export type DeletionTrigger = 'end' | 'cancel' | 'exit' | 'signal' | 'manual';

/** The input of a custom {@link DeleteWhen}. */
export interface DeleteWhenContext {
  /** The room's name. */
  readonly roomName: string;
  /** What ordered the deletion. */
  readonly trigger: DeletionTrigger;
  /** Aborts when the decision is no longer needed. */
  readonly signal: AbortSignal;
  /** The participants in the room now, by `ListParticipants`; without those that have left and the bot itself. */
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

/** The bot's own participant; by its identity only as long as its sid is not known. */
export interface OwnParticipant {
  /** The identity of the bot's participant; `undefined` where unknown. */
  readonly ownIdentity?: string | undefined;
  /** Unlike the identity it is never that of a successor, which has removed the bot. */
  readonly ownSid?: string | undefined;
}

/** The participants that are inside, without the bot. */
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

/** The decision; rejects when it needs the participants and cannot have them. */
export async function isDeletable(deleteWhen: DeleteWhen, context: DeleteWhenContext): Promise<boolean> {
  if (deleteWhen === 'always') return true;
  if (deleteWhen === 'never') return false;
  if (typeof deleteWhen === 'function') return (await deleteWhen(context)) !== false;
  const inside = await context.listParticipants();
  return !inside.some(deleteWhen === 'no-humans-left' ? isHuman : ({ isAgent }) => isAgent);
}

/** A bot that was never in its room. */
export interface NeverJoined {
  /** Whether the room's name was generated for this bot, so that the room cannot have existed before it. */
  readonly nameIsNew: boolean;
}

/** A deletion that is to be decided on. */
export interface DecisionQuery extends OwnParticipant {
  /** The REST client of LiveKit. */
  readonly rest: RoomRest;
  /** The room's name. */
  readonly roomName: string;
  /** When the room is deleted. */
  readonly deleteWhen: DeleteWhen;
  /** What ordered the deletion. */
  readonly trigger: DeletionTrigger;
  /** Of the whole deletion, in milliseconds; the decision gets 2 s of it, and at most half. */
  readonly deadlineMs: number;
  /** Set where the bot was never in its room. */
  readonly neverJoined: NeverJoined | undefined;
  /** The logger. */
  readonly logger: Logger;
  /** Aborts when the decision is not needed any more. */
  readonly signal: AbortSignal;
}

const maxDecisionMs = 2_000;
/** For listing the room of a bot that never joined; at most half of the deadline. */
const maxListMs = 3_000;
/** A LiveKit that cannot be reached, or refuses the key, has no room under a new name. */
const nobodyIsThere: ReadonlySet<LiveKitRESTErrorKind> = new Set(['network', 'auth', 'clock']);

/**
 * The deleter's decision, immediate where LiveKit is not needed for it.
 *
 * Without a decision in time the room is deleted. `gone`: the bot never joined, and there is no room.
 */
export function decideOnce(query: DecisionQuery): 'delete' | 'keep' | Promise<'delete' | 'keep' | 'gone'> {
  const { deleteWhen, neverJoined } = query;
  if (deleteWhen === 'never') return 'keep';
  return deleteWhen === 'always' && neverJoined === undefined ? 'delete' : decide(query);
}

async function decide(query: DecisionQuery): Promise<'delete' | 'keep' | 'gone'> {
  const { roomName, logger } = query;
  const isWanted = await evaluate(query).catch((error: unknown) => {
    logger.warn({ roomName, error }, 'deleteWhen could not be evaluated; the room is deleted');
    return true;
  });
  if (!isWanted) return 'keep';
  return (await mayExist(query)) ? 'delete' : 'gone';
}

async function evaluate(query: DecisionQuery): Promise<boolean> {
  const { roomName, deleteWhen, trigger, deadlineMs, signal } = query;
  if (deleteWhen === 'always') return true;
  const limitMs = Math.min(maxDecisionMs, deadlineMs / 2);
  const onTimeout = (): Error => new Error(`not decided within ${limitMs} ms`);
  return withAbort({ limitMs, signal, onTimeout }, (signal) => {
    const listParticipants = () => listOthers(query, limitMs, signal);
    return isDeletable(deleteWhen, { roomName, trigger, signal, listParticipants });
  });
}

/** The other participants, with the retries of a deletion. */
async function listOthers(
  { rest, roomName, ...own }: DecisionQuery,
  limitMs: number,
  signal: AbortSignal,
): Promise<readonly ListedParticipant[]> {
  if (rest.listParticipants === undefined) throw new TypeError('rest has no listParticipants()');
  const startedMs = performance.now();
  for (let attempts = 1; ; attempts += 1) {
    try {
      return othersInside(await rest.listParticipants(roomName, { signal }), own);
    } catch (thrown) {
      const error = toLiveKitRESTError(roomName, thrown);
      if (error.kind === 'not_found') return [];
      const remainingMs = signal.aborted ? 0 : limitMs - (performance.now() - startedMs);
      const waitMs = retryDelayMs({ error, attempts, remainingMs, random: Math.random() });
      if (waitMs === undefined) throw error;
      await sleep(waitMs, { signal });
    }
  }
}

/** Whether there may be a room; false only for a bot that never joined. */
async function mayExist({
  rest,
  roomName,
  deadlineMs,
  neverJoined,
  signal,
}: DecisionQuery): Promise<boolean> {
  if (neverJoined === undefined) return true;
  const { nameIsNew } = neverJoined;
  if (rest.listRooms === undefined) return !nameIsNew;
  const limitMs = Math.min(maxListMs, deadlineMs / 2);
  const onTimeout = (): Error => new LiveKitRESTError(roomName, { kind: 'timeout', retryable: true });
  try {
    const limit = { limitMs, signal, onTimeout };
    return (await withAbort(limit, (signal) => findRoom(rest, roomName, { signal }))) !== 'absent';
  } catch (thrown) {
    return !nameIsNew || !nobodyIsThere.has(toLiveKitRESTError(roomName, thrown).kind);
  }
}
