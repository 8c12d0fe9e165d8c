/** Debounces `participantLeft` while the bot's connection is interrupted. */

import { type MonoTypeOperatorFunction, Observable, Subscription, timer } from 'rxjs';
import type { LiveKitRoomEvent } from './room-events.ts';

/** The SDK may remove all participants up to 100 ms before it reports that it reconnects. */
const debounceMs = 200;
/** How long a participant may be missing after the bot has reconnected. */
const graceMs = 5_000;

/**
 * Delays `participantLeft` by 200 ms; suppresses it while reconnecting, and emits it if the participant is still
 * missing 5 s after.
 *
 * When the connection is interrupted the SDK removes all participants, and announces those it finds again; their
 * `participantJoined` is suppressed too.
 */
export function debounceParticipantLeft(): MonoTypeOperatorFunction<LiveKitRoomEvent> {
  return (events$) =>
    new Observable((subscriber) => {
      const missing = new Map<string, LiveKitRoomEvent>();
      const subscription = new Subscription();
      let isInterrupted = false;
      let grace = new Subscription();
      const emitLeft = (identity: string): void => {
        const left = missing.get(identity);
        if (isInterrupted || left === undefined) return;
        missing.delete(identity);
        subscriber.next(left);
      };
      const endGrace = (): void => {
        isInterrupted = false;
        for (const identity of [...missing.keys()]) emitLeft(identity);
      };
      const next = (event: LiveKitRoomEvent): void => {
        if (event.type === 'participantLeft') {
          const { identity } = event;
          missing.set(identity, event);
          subscription.add(timer(debounceMs).subscribe(() => emitLeft(identity)));
        } else if (event.type !== 'participantJoined' || !missing.delete(event.identity)) {
          subscriber.next(event);
        }
        if (event.type === 'reconnecting') isInterrupted = true;
        if (event.type === 'reconnecting' || event.type === 'disconnected') grace.unsubscribe();
        if (event.type === 'reconnected') grace = timer(graceMs).subscribe(endGrace);
      };
      const complete = (): void => subscriber.complete();
      subscription.add(events$.subscribe({ next, complete }));
      subscription.add(() => grace.unsubscribe());
      return subscription;
    });
}
