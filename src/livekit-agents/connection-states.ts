import { fromEventPattern, type Observable } from 'rxjs';
import type { JobRoom } from './job-context.ts';

/** The states that the bot's connection to the room takes, as rtc-node numbers them. */
export function connectionStates(room: JobRoom): Observable<number> {
  return fromEventPattern<number>(
    (listener) => room.on('connectionStateChanged', listener),
    (listener) => room.off('connectionStateChanged', listener),
  );
}
