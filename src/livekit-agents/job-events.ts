/** The events that start and end a job, as Observables: EndFrame for orderly ends, CancelFrame for others. */

import {
  concat,
  concatMap,
  defer,
  EMPTY,
  filter,
  from,
  fromEventPattern,
  map,
  merge,
  mergeMap,
  type Observable,
  of,
  race,
  startWith,
  switchMap,
  take,
  timer,
} from 'rxjs';
import { CancelFrame, EndFrame, StartFrame } from '../frames/lifecycle.ts';
import type { LifecycleEvent } from '../processors/frame-processor-setup.ts';
import {
  type AgentSessionEvents,
  connectedState,
  connectionStates,
  duplicateIdentityReason,
  isPerson,
  type JobParticipant,
  type JobRoom,
  roomDeletedReason,
  roomEvent,
  type SessionCloseEvent,
} from './job-context.ts';

/** The frame that ends a job. */
export type JobEndFrame = EndFrame | CancelFrame;

/** One reason for a job to end. */
export interface JobEnd {
  /** The frame that ends the job. */
  readonly frame: JobEndFrame;
  /**
   * Set when the bot is out of its room: `room-deleted` by the server, `duplicate-identity` when another participant
   * has joined with the bot's identity, `left` otherwise.
   */
  readonly left?: 'room-deleted' | 'duplicate-identity' | 'left';
}

/** Emits when the bot is in the room: at once where it is already. */
export function roomConnected(room: JobRoom): Observable<unknown> {
  const inside$ = defer(() => (room.name ? of(connectedState) : EMPTY));
  return merge(inside$, connectionStates(room)).pipe(filter((state) => state === connectedState));
}

/** Emits when a session has started: its agent's state changes for the first time. */
export function sessionStarts(session: AgentSessionEvents): Observable<unknown> {
  return fromSession(session, 'agent_state_changed');
}

/** Emits when a session closes. Some versions emit no `close` for a session that never started. */
export function sessionEnds(session: AgentSessionEvents): Observable<JobEnd> {
  return fromSession(session, 'close').pipe(map((event) => ({ frame: closeFrame(event) })));
}

/** The session's error travels in the frame's metadata. */
function closeFrame({ reason, error }: SessionCloseEvent): JobEndFrame {
  const frame = reason === 'error' ? new CancelFrame(reason) : new EndFrame(reason);
  if (error !== undefined && error !== null) frame.metadata.error = error;
  return frame;
}

/** Emits when the bot has left the room for good, and when its participant is absent where `absent` is given. */
export function roomEnds(room: JobRoom, absent: ParticipantAbsentOptions | undefined): Observable<JobEnd> {
  const left$ = roomEvent<number>(room, 'disconnected').pipe(
    map((reason): JobEnd => {
      if (reason === roomDeletedReason) return { frame: new EndFrame('room deleted'), left: 'room-deleted' };
      const left = reason === duplicateIdentityReason ? 'duplicate-identity' : 'left';
      return { frame: new EndFrame('disconnected'), left };
    }),
  );
  if (absent === undefined) return left$;
  const absent$ = participantAbsent(room, absent);
  return merge(left$, absent$.pipe(map(() => ({ frame: new EndFrame('participant absent') }))));
}

/** Part of Node's `process`. */
export interface JobProcess {
  /** Adds a listener. */
  on(event: 'disconnect' | 'uncaughtException', listener: (error: unknown) => void): unknown;
  /** Removes a listener. */
  off(event: 'disconnect' | 'uncaughtException', listener: (error: unknown) => void): unknown;
  /** The number of listeners. */
  listenerCount(event: 'uncaughtException'): number;
  /** Ends the process with this exit code. */
  exit(code: number): void;
}

/** Emits when the worker is gone: the job's process then exits silently after 15 s. */
export function workerEnds(jobProcess: JobProcess): Observable<JobEnd> {
  return fromProcess(jobProcess, 'disconnect').pipe(
    map(() => ({ frame: new CancelFrame('the worker is gone') })),
  );
}

/** Emits for an uncaught exception, which is in the frame's metadata. */
export function uncaughtExceptions(jobProcess: JobProcess): Observable<CancelFrame> {
  return fromProcess(jobProcess, 'uncaughtException').pipe(
    map((error) => {
      const frame = new CancelFrame('uncaught exception');
      frame.metadata.error = error;
      return frame;
    }),
  );
}

/** Input of {@link jobLifecycle}. */
export interface JobLifecycleOptions {
  /** The first frame ends the job. */
  readonly end$: Observable<JobEndFrame>;
  /** Whether the bot is out of the room; emits the current state on subscription. */
  readonly left$: Observable<boolean>;
  /** How long the bot may take to leave, in milliseconds. */
  readonly leaveTimeoutMs: number;
}

/**
 * A job as the lifecycle of a pipeline: the StartFrame, then the frame that ends the job, which completes when the bot
 * has left the room or the timeout has passed.
 */
export function jobLifecycle({
  end$,
  left$,
  leaveTimeoutMs,
}: JobLifecycleOptions): Observable<LifecycleEvent> {
  const gone$ = race(left$.pipe(filter(Boolean)), timer(leaveTimeoutMs)).pipe(take(1));
  const event = (phase: LifecycleEvent['phase'], frame: LifecycleEvent['frame']): LifecycleEvent => ({
    phase,
    frame,
  });
  const start = new StartFrame();
  return concat(
    of(event('entered', start), event('completed', start)),
    end$.pipe(
      take(1),
      concatMap((frame) =>
        concat(of(event('entered', frame)), gone$.pipe(map(() => event('completed', frame)))),
      ),
    ),
  );
}

function fromSession(session: AgentSessionEvents, event: string): Observable<SessionCloseEvent> {
  return fromEventPattern(
    (listener) => session.on(event, listener),
    (listener) => session.off(event, listener),
  );
}

function fromProcess(jobProcess: JobProcess, event: 'disconnect' | 'uncaughtException'): Observable<unknown> {
  return fromEventPattern(
    (listener) => jobProcess.on(event, listener),
    (listener) => jobProcess.off(event, listener),
  );
}

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
