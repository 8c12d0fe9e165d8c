/** Detects that the participant the session talks to is gone. */

import {
  defer,
  EMPTY,
  filter,
  from,
  map,
  merge,
  mergeMap,
  type Observable,
  startWith,
  switchMap,
  take,
  timer,
} from 'rxjs';
import { connectionStates, isPerson, type JobParticipant, type JobRoom, roomEvent } from './job-context.ts';

/** Which participant, and how long. */
export interface ParticipantAbsentOptions {
  /** Default: the first person in the room. */
  readonly participantIdentity: string | undefined;
  /** Milliseconds without the participant. */
  readonly graceMs: number;
}

/**
 * Emits the identity once the participant has been out of the room for the grace time, for any reason.
 *
 * The session itself detects only those that hang up, and never ends when a caller's network fails.
 */
export function participantAbsent(
  room: JobRoom,
  { participantIdentity, graceMs }: ParticipantAbsentOptions,
): Observable<string> {
  const isLinked = ({ identity }: JobParticipant): boolean => identity === participantIdentity;
  return present(room).pipe(
    filter(participantIdentity === undefined ? isPerson : isLinked),
    take(1),
    switchMap(({ identity }) => absentFor(room, identity, graceMs)),
    take(1),
  );
}

function absentFor(room: JobRoom, identity: string, graceMs: number): Observable<string> {
  return merge(
    present(room).pipe(map((participant) => ({ participant, here: true }))),
    roomEvent<JobParticipant>(room, 'participantDisconnected').pipe(
      map((participant) => ({ participant, here: false })),
    ),
  ).pipe(
    filter(({ participant }) => participant.identity === identity),
    switchMap(({ here }) => (here ? EMPTY : timer(graceMs))),
    map(() => identity),
  );
}

/** The participants in the room, then those that join; a (re)connect adds some without an event. */
function present(room: JobRoom): Observable<JobParticipant> {
  const inside$ = defer(() => from([...(room.remoteParticipants?.values() ?? [])]));
  return merge(
    connectionStates(room).pipe(
      startWith(undefined),
      mergeMap(() => inside$),
    ),
    roomEvent<JobParticipant>(room, 'participantConnected'),
  );
}
