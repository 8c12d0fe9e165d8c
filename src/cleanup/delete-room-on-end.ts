import {
  catchError,
  defaultIfEmpty,
  EMPTY,
  filter,
  from,
  map,
  type Observable,
  type ObservableInput,
  tap,
} from 'rxjs';
import type { Frame } from '../frames/frame.ts';
import type { CancelFrame, EndFrame } from '../frames/lifecycle.ts';
import { reportRoomMayRemain } from '../lib/process-exit.ts';
import type { DeletionTrigger } from '../rooms/delete-when.ts';
import { mayRemain, type RoomDeletionOutcome } from '../rooms/room-deletion.ts';
import { runOnce } from '../rooms/run-once.ts';
import { endsConversation, endTrigger } from './end-trigger.ts';

/** Why a room is to be deleted, with the frame that says so. */
interface Order {
  readonly trigger: DeletionTrigger;
  readonly frame?: EndFrame | CancelFrame;
}

/**
 * Deletes a room when a stream of frames says that the conversation is over: at the first EndFrame or
 * CancelFrame, or when the stream completes or fails without one.
 *
 * Watching begins with the first subscriber and goes on whatever subscribers do. `deleteRoom` is called at most
 * once; its outcome, or its error, is told to everybody, however late. Frames of any installed copy of the
 * package count. Where the stream is subscribed to elsewhere as well, `deleteRoomFinally` needs no second
 * subscription, with which a cold stream would run twice. When the room may remain, the exit code of the process
 * becomes 3 where it would be 0.
 *
 * @param frames$ Any stream of frames. An error of it is swallowed: it ends the conversation.
 * @param deleteRoom Mostly `(trigger) => deleter.deleteRoom(trigger)`.
 */
export function deleteRoomOnEnd(
  frames$: Observable<Frame>,
  deleteRoom: (
    trigger: DeletionTrigger,
    frame?: EndFrame | CancelFrame,
  ) => ObservableInput<RoomDeletionOutcome>,
): Observable<RoomDeletionOutcome> {
  const order$ = frames$.pipe(
    filter(endsConversation),
    map((frame): Order => ({ trigger: endTrigger(frame) ?? 'exit', frame })),
    catchError(() => EMPTY),
    defaultIfEmpty<Order, Order>({ trigger: 'exit' }),
  );
  return runOnce(order$, ({ trigger, frame }) =>
    from(deleteRoom(trigger, frame)).pipe(
      tap({
        next: (outcome) => {
          if (mayRemain(outcome)) reportRoomMayRemain();
        },
        error: reportRoomMayRemain,
      }),
    ),
  );
}
