import { catchError, defaultIfEmpty, EMPTY, filter, map, type Observable, type ObservableInput } from 'rxjs';
import { type Frame, roleOf } from '../frames/frame.ts';
import type { CancelFrame, EndFrame } from '../frames/lifecycle.ts';
import type { DeletionTrigger } from '../rooms/delete-when.ts';
import type { RoomDeletionOutcome } from '../rooms/room-deletion.ts';
import { runOnce } from '../rooms/run-once.ts';

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
 * package count.
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
    map((frame): Order => ({ trigger: roleOf(frame) === 'end' ? 'end' : 'cancel', frame })),
    catchError(() => EMPTY),
    defaultIfEmpty<Order, Order>({ trigger: 'exit' }),
  );
  return runOnce(order$, ({ trigger, frame }) => deleteRoom(trigger, frame));
}

function endsConversation(frame: Frame): frame is EndFrame | CancelFrame {
  const role = roleOf(frame);
  return role === 'end' || role === 'cancel';
}
