/** Deletes a run's room at the end of the run. */

import {
  concat,
  defer,
  EMPTY,
  filter,
  map,
  NEVER,
  Observable,
  type Subscription,
  take,
  takeUntil,
  tap,
} from 'rxjs';
import type { Frame } from '../frames/frame.ts';
import type {
  FrameProcessorSetup,
  LifecycleEvent,
  PipelineResult,
} from '../processors/frame-processor-setup.ts';
import { closeOnProcessExit } from '../rooms/close-on-process-exit.ts';
import { mayRemain } from '../rooms/delete-room.ts';
import type { DeletionTrigger } from '../rooms/delete-when.ts';
import type { RoomDeleter } from '../rooms/room-deleter.ts';
import { deleteRoomOnEnd } from './delete-room-on-end.ts';

const triggers: Record<Exclude<PipelineResult['reason'], 'stopped'>, DeletionTrigger> = {
  ended: 'end',
  cancelled: 'cancel',
  failed: 'exit',
};

/** The exit hook's limit beyond the deleter's deadline, in milliseconds. */
const hookGraceMs = 1_000;

/**
 * Deletes the room after the EndFrame has come out of the pipeline, as soon as a CancelFrame is sent, or when the
 * run ends without either.
 *
 * After a StopFrame the room stays, for a next run that arms the same deleter; a process that exits without one
 * deletes it. When a room may remain, the run's exit code is 3.
 */
export class RoomCleanup {
  readonly #deleter: RoomDeleter;
  /** After a StopFrame, until the next run or the outcome. */
  #exitWatch: Subscription | undefined;

  constructor(deleter: RoomDeleter) {
    this.#deleter = deleter;
  }

  /** To be called in `setup()`, before anything that may fail. */
  arm({ lifecycle$, onExit, logger }: FrameProcessorSetup): void {
    this.#exitWatch?.unsubscribe();
    const deleter = this.#deleter;
    deleter.watchProcess({ guardian: true });
    lifecycle$
      .pipe(
        filter(({ frame }) => frame.frameRole === 'start'),
        take(1),
      )
      .subscribe(() => void deleter.arm({ guardian: true }));
    deleteRoomOnEnd(endingFrames(lifecycle$), (trigger) => deleter.deleteRoom(trigger)).subscribe();
    onExit(
      `delete room ${deleter.roomName}`,
      async ({ result: { reason }, signal }) => {
        if (reason === 'stopped') {
          const exitWatch$ = new Observable<never>(() => closeOnProcessExit(deleter, { logger }));
          this.#exitWatch = exitWatch$.pipe(takeUntil(deleter.outcome$)).subscribe();
          return;
        }
        const outcome = await deleter.deleteRoom(triggers[reason], { signal });
        return { exitCode: mayRemain(outcome) ? 3 : 0 };
      },
      { timeoutMs: deleter.deadlineMs + hookGraceMs },
    );
  }
}

/** The frames of a run at the moment at which its room is to go; does not complete after a StopFrame. */
function endingFrames(lifecycle$: Observable<LifecycleEvent>): Observable<Frame> {
  return defer(() => {
    let stopped = false;
    return concat(
      lifecycle$.pipe(
        tap(({ phase, frame }) => {
          stopped = phase === 'completed' && frame.frameRole === 'stop';
        }),
        filter(({ phase, frame }) => phase === (frame.frameRole === 'cancel' ? 'entered' : 'completed')),
        map(({ frame }) => frame),
      ),
      defer(() => (stopped ? NEVER : EMPTY)),
    );
  });
}
