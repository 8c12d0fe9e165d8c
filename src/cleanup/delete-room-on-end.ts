/** Deletes a room when a stream of frames ends the conversation. */

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
import { mayRemain, type RoomDeletionOutcome } from '../rooms/delete-room.ts';
import type { DeletionTrigger } from '../rooms/delete-when.ts';
import { endsConversation, endTrigger } from './end-trigger.ts';
import { runOnce } from './run-once.ts';

/** The trigger of a deletion, with its frame. */
interface Order {
  readonly trigger: DeletionTrigger;
  readonly frame?: EndFrame | CancelFrame;
}

/**
 * Deletes a room at the first EndFrame or CancelFrame of a stream, or when the stream completes or fails without one.
 *
 * Watching begins with the first subscriber and does not depend on later subscriptions. `deleteRoom` is called at most
 * once; its outcome, or its error, is replayed to every subscriber. Frames of any installed copy of the
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
