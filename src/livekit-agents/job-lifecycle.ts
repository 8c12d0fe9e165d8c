import {
  concat,
  concatMap,
  filter,
  map,
  type Observable,
  of,
  race,
  type SchedulerLike,
  take,
  timer,
} from 'rxjs';
import { StartFrame } from '../frames/lifecycle.ts';
import type { LifecycleEvent } from '../processors/frame-processor-setup.ts';
import type { JobEndFrame } from './job-ends.ts';

export interface JobLifecycleOptions {
  /** The first frame ends the job. */
  readonly end$: Observable<JobEndFrame>;
  /** Whether the bot is out of the room; begins with the present. */
  readonly left$: Observable<boolean>;
  readonly leaveTimeoutMs: number;
  readonly scheduler: SchedulerLike;
}

/**
 * A job's life in the words of a pipeline's: the StartFrame, then the frame that ends the job, which has
 * completed when the bot has left the room, or has had its time to.
 */
export function jobLifecycle(options: JobLifecycleOptions): Observable<LifecycleEvent> {
  const { end$, left$, leaveTimeoutMs, scheduler } = options;
  const gone$ = race(left$.pipe(filter(Boolean)), timer(leaveTimeoutMs, scheduler)).pipe(take(1));
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
