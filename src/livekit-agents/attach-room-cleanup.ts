import { checkMethods } from '../lib/options.ts';
import type { AttachedRoomCleanup, AttachRoomCleanupOptions } from './attach-options.ts';
import type { AgentJobContext, AgentSessionEvents } from './job-context.ts';
import { JobRoomCleanup } from './job-room-cleanup.ts';

/**
 * Deletes the room of a LiveKit Agents job when the job is over, whatever its end: two lines in an entry
 * function, to be called first in it.
 *
 *     const session = new voice.AgentSession({ … });
 *     attachRoomCleanup(ctx, session);
 *
 * The session closes: the job is asked to end, and the room is deleted once the bot has left it; at once for a
 * session that failed. `ctx.shutdown()`, an entry function that throws, a session that never started: deleted
 * by a shutdown callback that never rejects. An uncaught exception, a worker that is gone: at once. A room that
 * the server has deleted, or a call that found none, is a success: `deleteRoomOnClose` and the end-call tool
 * may stay on. Console mode: nothing is deleted.
 *
 * @param ctx The job's context; `undefined` for a session without a job, with everything in `options`.
 * @param session Its close event ends the job. Later: `watchSession()`.
 * @throws {InvalidOptionError} Room, URL, key or secret are unknown, or an option can never work.
 */
export function attachRoomCleanup(
  ctx: AgentJobContext | undefined,
  session?: AgentSessionEvents,
  options: AttachRoomCleanupOptions = {},
): AttachedRoomCleanup {
  if (session !== undefined) checkMethods('session', session, ['on', 'off']);
  const cleanup = new JobRoomCleanup(ctx, options);
  if (session !== undefined) cleanup.watchSession(session);
  return cleanup;
}
