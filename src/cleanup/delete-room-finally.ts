/** An operator that deletes a room at the end of any stream. */

import {
  catchError,
  EMPTY,
  type MonoTypeOperatorFunction,
  Observable,
  type ObservableInput,
  Subject,
  takeUntil,
  tap,
} from 'rxjs';
import { checkMethods } from '../lib/options.ts';
import { reportRoomMayRemain } from '../lib/process-exit.ts';
import type { DeletionTrigger } from '../rooms/delete-when.ts';
import { endTrigger } from './end-trigger.ts';
import { runOnce } from './run-once.ts';

/** A `RoomDeleter`, or anything else that deletes its room once. */
export interface DeletesRoomOnce {
  /** Starts the deletion; called once. Completion or error of the returned value ends the wait. */
  deleteRoom(trigger: DeletionTrigger): ObservableInput<unknown>;
}

/**
 * Deletes a room at the end of a stream, and delays that end until it is deleted.
 *
 * Values pass unchanged. The deletion begins behind the first EndFrame (`'end'`) or CancelFrame (`'cancel'`) that has
 * passed, of any installed copy of the package, and otherwise when the source completes or fails, or when the subscriber
 * leaves (`'exit'`). Completion, or the source's error, is passed on once the deletion has its outcome; a deletion that
 * fails does not change it.
 *
 * Each subscription subscribes to the source once; the deleter deletes once for all of them.
 *
 * @example
 * ```ts
 * await lastValueFrom(frames$.pipe(deleteRoomFinally(deleter))); // the room is gone here
 * ```
 * @throws {InvalidOptionError} `deleter` has no `deleteRoom`.
 */
export function deleteRoomFinally<T>(deleter: DeletesRoomOnce): MonoTypeOperatorFunction<T> {
  checkMethods('deleter', deleter, ['deleteRoom']);
  return (source$) =>
    new Observable((subscriber) => {
      const orders = new Subject<DeletionTrigger>();
      const deletion$ = runOnce(orders, (trigger) => deleter.deleteRoom(trigger)).pipe(
        tap({ error: reportRoomMayRemain }),
        catchError(() => EMPTY),
      );
      deletion$.subscribe();
      const finish = (end: () => void): void => {
        orders.next('exit');
        deletion$.subscribe({ complete: end });
      };
      // without it a source that emits in a loop would not notice that its subscriber has left
      const left$ = new Observable<void>((leaving) => subscriber.add(() => leaving.next()));
      source$.pipe(takeUntil(left$)).subscribe({
        next: (value) => {
          subscriber.next(value);
          const trigger = endTrigger(value);
          if (trigger !== undefined) orders.next(trigger);
        },
        error: (error) => finish(() => subscriber.error(error)),
        complete: () => finish(() => subscriber.complete()),
      });
    });
}
