/** How a job can be over, as frames: EndFrame for an orderly end, CancelFrame for the others. */

import { fromEventPattern, map, merge, type Observable } from 'rxjs';
import { CancelFrame, EndFrame } from '../frames/lifecycle.ts';
import type { AgentSessionEvents, JobRoom, SessionCloseEvent } from './job-context.ts';
import { duplicateIdentityReason, roomDeletedReason } from './job-context.ts';

export type JobEndFrame = EndFrame | CancelFrame;

/** What the session's close event means; its error travels in the frame's metadata. */
export function closeFrame({ reason, error }: SessionCloseEvent): JobEndFrame {
  const frame = reason === 'error' ? new CancelFrame(reason) : new EndFrame(reason);
  if (error !== undefined && error !== null) frame.metadata.error = error;
  return frame;
}

/** The closing of a session. One that had not started closes without a word in some versions. */
export function sessionEnds(session: AgentSessionEvents): Observable<JobEndFrame> {
  return fromEventPattern<SessionCloseEvent>(
    (listener) => session.on('close', listener),
    (listener) => session.off('close', listener),
  ).pipe(map(closeFrame));
}

/** How the bot has come out of its room, for good. */
export interface RoomLeft {
  /** The server has deleted the room. */
  readonly deleted: boolean;
  /** Another participant has joined with the bot's identity. */
  readonly succeeded: boolean;
}

export function roomLeft(room: JobRoom): Observable<RoomLeft> {
  return fromEventPattern<number>(
    (listener) => room.on('disconnected', listener),
    (listener) => room.off('disconnected', listener),
  ).pipe(
    map((reason) => ({
      deleted: reason === roomDeletedReason,
      succeeded: reason === duplicateIdentityReason,
    })),
  );
}

/** Part of Node's `process`. */
export interface JobProcess {
  on(event: 'disconnect' | 'uncaughtException', listener: (error: unknown) => void): unknown;
  off(event: 'disconnect' | 'uncaughtException', listener: (error: unknown) => void): unknown;
  listenerCount(event: 'uncaughtException'): number;
  exit(code: number): void;
}

/**
 * What ends a job from below: its worker is gone (a job process lives on for 15 s then and exits without
 * a word), or something threw where nobody catches.
 */
export function processEnds(
  jobProcess: JobProcess,
): Observable<{ readonly frame: CancelFrame; readonly uncaught: boolean }> {
  const workerGone$ = fromProcess(jobProcess, 'disconnect').pipe(
    map(() => ({ frame: new CancelFrame('the worker is gone'), uncaught: false })),
  );
  const uncaught$ = fromProcess(jobProcess, 'uncaughtException').pipe(
    map((error) => {
      const frame = new CancelFrame('uncaught exception');
      frame.metadata.error = error;
      return { frame, uncaught: true };
    }),
  );
  return merge(workerGone$, uncaught$);
}

function fromProcess(jobProcess: JobProcess, event: 'disconnect' | 'uncaughtException'): Observable<unknown> {
  return fromEventPattern(
    (listener) => jobProcess.on(event, listener),
    (listener) => jobProcess.off(event, listener),
  );
}
