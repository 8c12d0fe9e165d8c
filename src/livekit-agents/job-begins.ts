/** When a job has loaded what it needs, and its event loop has to stay free. */

import { defer, EMPTY, filter, fromEventPattern, merge, type Observable, of } from 'rxjs';
import { connectionStates } from './connection-states.ts';
import { type AgentSessionEvents, connectedState, type JobRoom } from './job-context.ts';

/** The bot is in the room; emits at once where it is already. */
export function roomConnected(room: JobRoom): Observable<unknown> {
  const inside$ = defer(() => (room.name ? of(connectedState) : EMPTY));
  return merge(inside$, connectionStates(room)).pipe(filter((state) => state === connectedState));
}

/** The agent of a session has changed its state, for the first time when the session has started. */
export function sessionBegins(session: AgentSessionEvents): Observable<unknown> {
  return fromEventPattern(
    (listener) => session.on('agent_state_changed', listener),
    (listener) => session.off('agent_state_changed', listener),
  );
}
