/** One deletion of one room, from the order to the outcome. */

import {
  type BehaviorSubject,
  catchError,
  concatMap,
  defaultIfEmpty,
  defer,
  filter,
  finalize,
  firstValueFrom,
  map,
  merge,
  type Observable,
  of,
  race,
  retry,
  type SchedulerLike,
  take,
  takeUntil,
  throwError,
  timeout,
  timer,
} from 'rxjs';
import { LiveKitRESTError, type LiveKitRESTErrorKind } from '../lib/errors.ts';
import type { Logger } from '../lib/logger.ts';
import { attemptDeletion, findRoom } from './delete-attempt.ts';
import {
  type DeleteWhen,
  type DeletionTrigger,
  isDeletable,
  type OwnParticipant,
  othersInside,
} from './delete-when.ts';
import { asRestError } from './foreign-error.ts';
import { answerWasLost, nodeMayBeLost, retryDelayMs } from './retry-policy.ts';
import type { RoomIdentity } from './room-identity.ts';
import type { ListedParticipant, RoomRest } from './room-rest.ts';

/** How a room came to its end, or not. */
export interface RoomDeletionOutcome {
  /**
   * `handed-over`: the deadline passed and a guardian goes on trying. After `failed` the room may remain.
   */
  readonly status: 'deleted' | 'already-gone' | 'kept' | 'handed-over' | 'failed';
  readonly roomName: string;
  readonly trigger: DeletionTrigger;
  /** How many there were; each sends what the room's state needs. */
  readonly attempts: number;
  readonly elapsedMs: number;
  /** Why it failed: what the last attempt met. */
  readonly error?: LiveKitRESTError;
}

/** Whether the room may still be there, as far as this process will know. */
export function mayRemain({ status }: Pick<RoomDeletionOutcome, 'status'>): boolean {
  return status === 'failed' || status === 'handed-over';
}

/** What to delete, how, and within which bounds; already checked. */
export interface DeletionPlan extends OwnParticipant {
  readonly roomName: string;
  readonly rest: RoomRest;
  /** What is known of the room; changes when more is. */
  readonly room: RoomIdentity;
  readonly deleteWhen: DeleteWhen;
  readonly deadlineMs: number;
  readonly logger: Logger;
  readonly scheduler: SchedulerLike;
  readonly random: () => number;
  /** Set where the bot was never in its room; see `RoomDeleter.neverJoined()`. */
  readonly neverJoined?: NeverJoined | undefined;
}

/** A bot that was never in its room. */
export interface NeverJoined {
  /** Whether the room's name was made up for this bot, and nobody else can have come before it. */
  readonly nameIsNew: boolean;
}

/** What can happen to a deletion from outside. */
export interface DeletionEvents {
  /** Why there is nothing to delete (any more): the server says that the room is gone, or it is to be kept. */
  readonly needless: BehaviorSubject<'gone' | 'kept' | undefined>;
  /** Emits when somebody stops waiting for the deletion. */
  readonly aborted$: Observable<unknown>;
  /** Whether somebody else goes on trying when the deadline has passed. */
  readonly canHandOver: () => boolean;
}

/** A look whether there is a room gets at most this long, and at most half of the deadline. */
const longestLookMs = 3_000;
/** Nobody can be in a new room of a LiveKit that cannot be reached, or that refuses the key. */
const nobodyIsThere: ReadonlySet<LiveKitRESTErrorKind> = new Set(['network', 'auth', 'clock']);

/** A decision gets at most this long, and at most half of the deadline: the deletion needs the rest. */
const longestDecisionMs = 2_000;

/**
 * Decides, deletes with retries, and emits exactly one outcome within the deadline; never errors.
 *
 * A request under way is not cut short when it has become needless: LiveKit may still be tidying up, and stops
 * doing so when the caller hangs up. No further attempt follows then.
 */
export function runDeletion(
  plan: DeletionPlan,
  trigger: DeletionTrigger,
  { needless, aborted$, canHandOver }: DeletionEvents,
): Observable<RoomDeletionOutcome> {
  const { roomName, rest, room, deadlineMs, logger, scheduler, random } = plan;
  const startedAt = scheduler.now();
  const controller = new AbortController();
  const needless$ = needless.pipe(filter(Boolean));
  let attempts = 0;
  let answerLost = false;
  let isLost = false;
  let lastError: LiveKitRESTError | undefined;

  const outcome = (status: RoomDeletionOutcome['status']): RoomDeletionOutcome => {
    const elapsedMs = scheduler.now() - startedAt;
    const error = status === 'failed' || status === 'handed-over' ? lastError : undefined;
    return Object.freeze({ status, roomName, trigger, attempts, elapsedMs, ...(error && { error }) });
  };
  const isGone = (): RoomDeletionOutcome => outcome(answerLost ? 'deleted' : 'already-gone');
  const wasNeedless = (): RoomDeletionOutcome => (needless.value === 'kept' ? outcome('kept') : isGone());
  const hasFailed = (error: unknown): RoomDeletionOutcome => {
    lastError = asRestError(roomName, error);
    return outcome(lastError.retryable && canHandOver() ? 'handed-over' : 'failed');
  };

  const attempt$ = defer(async () => {
    attempts += 1;
    const attempt = { rest, roomName, room, nodeMayBeLost: isLost, signal: controller.signal };
    return (await attemptDeletion(attempt)) === 'deleted' ? outcome('deleted') : isGone();
  });
  const nextAttempt = (thrown: unknown): Observable<unknown> => {
    const error = asRestError(roomName, thrown);
    lastError = error;
    answerLost ||= answerWasLost(error);
    isLost ||= nodeMayBeLost(error);
    if (needless.value) return of(true);
    const remainingMs = deadlineMs - (scheduler.now() - startedAt);
    const waitMs = retryDelayMs({ error, attempts, remainingMs, random: random() });
    if (waitMs === undefined) return throwError(() => error);
    logger.info({ roomName, attempts, waitMs, error }, 'deleting the room failed; trying again');
    return race(timer(waitMs, scheduler), needless$);
  };
  const delete$ = defer(() => (needless.value ? of(wasNeedless()) : attempt$)).pipe(
    retry({ delay: nextAttempt }),
    catchError((error) => of(lastError?.kind === 'not_found' ? isGone() : hasFailed(error))),
  );

  const work$ = decide(plan, trigger).pipe(
    concatMap((yes) => (yes ? isOwed(plan) : of(undefined))),
    takeUntil(needless$),
    defaultIfEmpty(true),
    concatMap((owed) => {
      if (owed === undefined) return of(outcome('kept'));
      return owed ? delete$ : of(outcome('already-gone'));
    }),
  );
  const cutOff$ = merge(
    aborted$.pipe(map(() => 'stopped by the caller')),
    timer(deadlineMs, scheduler).pipe(map(() => `not done within ${deadlineMs} ms`)),
  ).pipe(
    map((body) =>
      hasFailed(lastError ?? new LiveKitRESTError(roomName, { kind: 'timeout', retryable: true, body })),
    ),
  );
  return merge(cutOff$, work$).pipe(
    take(1),
    finalize(() => controller.abort()),
  );
}

/** Whether there may be a room to delete: one value. A bot that was never inside looks first. */
function isOwed({ neverJoined, rest, roomName, deadlineMs, scheduler }: DeletionPlan): Observable<boolean> {
  if (neverJoined === undefined) return of(true);
  const { nameIsNew } = neverJoined;
  if (rest.listRooms === undefined) return of(!nameIsNew);
  const controller = new AbortController();
  return defer(() => findRoom(rest, roomName, { signal: controller.signal })).pipe(
    map((listed) => listed !== 'absent'),
    catchError((error) => of(!nameIsNew || !nobodyIsThere.has(asRestError(roomName, error).kind))),
    timeout({ first: Math.min(longestLookMs, deadlineMs / 2), scheduler, with: () => of(true) }),
    finalize(() => controller.abort()),
  );
}

/** Whether to delete: one value, at once where nobody has to be asked; what cannot be decided is deleted. */
function decide(plan: DeletionPlan, trigger: DeletionTrigger): Observable<boolean> {
  const { roomName, deleteWhen, deadlineMs, logger, scheduler } = plan;
  if (deleteWhen === 'always' || deleteWhen === 'never') return of(deleteWhen === 'always');
  const limitMs = Math.min(longestDecisionMs, deadlineMs / 2);
  const controller = new AbortController();
  const { signal } = controller;
  const others$ = listOthers(plan, limitMs, signal);
  const listParticipants = () => firstValueFrom(others$);
  return defer(() => isDeletable(deleteWhen, { roomName, trigger, signal, listParticipants })).pipe(
    timeout({ first: limitMs, scheduler }),
    catchError((error) => {
      logger.warn({ roomName, error }, 'deleteWhen could not be evaluated; the room is deleted');
      return of(true);
    }),
    finalize(() => controller.abort()),
  );
}

/** Who else is inside, asked again like a deletion when the answer is one that may get better. */
function listOthers(
  { roomName, rest, ownIdentity, ownSid, scheduler, random }: DeletionPlan,
  limitMs: number,
  signal: AbortSignal,
): Observable<readonly ListedParticipant[]> {
  const startedAt = scheduler.now();
  return defer(async () => {
    if (rest.listParticipants === undefined) throw new TypeError('rest has no listParticipants()');
    return rest.listParticipants(roomName, { signal });
  }).pipe(
    retry({
      delay: (thrown, attempts) => {
        const error = asRestError(roomName, thrown);
        const remainingMs = signal.aborted ? 0 : limitMs - (scheduler.now() - startedAt);
        const waitMs = retryDelayMs({ error, attempts, remainingMs, random: random() });
        return waitMs === undefined ? throwError(() => error) : timer(waitMs, scheduler);
      },
    }),
    // nobody is in a room that does not exist
    catchError((error) => (error.kind === 'not_found' ? of([]) : throwError(() => error))),
    map((participants) => othersInside(participants, { ownIdentity, ownSid })),
  );
}
