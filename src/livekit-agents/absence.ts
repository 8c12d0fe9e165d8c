import {
  defer,
  EMPTY,
  filter,
  from,
  fromEventPattern,
  map,
  merge,
  mergeMap,
  type Observable,
  type SchedulerLike,
  startWith,
  switchMap,
  take,
  timer,
} from 'rxjs';
import { connectionStates } from './connection-states.ts';
import { isPerson, type JobParticipant, type JobRoom } from './job-context.ts';

export interface AbsenceOptions {
  /** Whom the session talks to. Default: the first person in the room. */
  readonly participantIdentity: string | undefined;
  readonly graceMs: number;
  readonly scheduler: SchedulerLike;
}

/**
 * Emits once, when the participant has been away for the whole grace time, whatever took them out of the room.
 *
 * The session itself notices only those who hang up, and waits for ever for one whose network broke.
 */
export function absence(
  room: JobRoom,
  { participantIdentity, graceMs, scheduler }: AbsenceOptions,
): Observable<string> {
  const isLinked = ({ identity }: JobParticipant): boolean => identity === participantIdentity;
  return present(room).pipe(
    filter(participantIdentity === undefined ? isPerson : isLinked),
    take(1),
    switchMap(({ identity }) => awayFor(room, identity, graceMs, scheduler)),
    take(1),
  );
}

function awayFor(
  room: JobRoom,
  identity: string,
  graceMs: number,
  scheduler: SchedulerLike,
): Observable<string> {
  return merge(
    present(room).pipe(map((participant) => ({ participant, here: true }))),
    on(room, 'participantDisconnected').pipe(map((participant) => ({ participant, here: false }))),
  ).pipe(
    filter(({ participant }) => participant.identity === identity),
    switchMap(({ here }) => (here ? EMPTY : timer(graceMs, scheduler))),
    map(() => identity),
  );
}

/** Those who are in the room, and then whoever comes; connecting brings some without an event of their own. */
function present(room: JobRoom): Observable<JobParticipant> {
  const inside$ = defer(() => from([...(room.remoteParticipants?.values() ?? [])]));
  return merge(
    connectionStates(room).pipe(
      startWith(undefined),
      mergeMap(() => inside$),
    ),
    on(room, 'participantConnected'),
  );
}

function on(
  room: JobRoom,
  event: 'participantConnected' | 'participantDisconnected',
): Observable<JobParticipant> {
  return fromEventPattern(
    (listener) => room.on(event, listener),
    (listener) => room.off(event, listener),
  );
}
