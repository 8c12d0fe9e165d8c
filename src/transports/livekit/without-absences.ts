import { type MonoTypeOperatorFunction, Observable, Subscription, timer } from 'rxjs';
import type { LiveKitRoomEvent } from './transport-events.ts';

/** The SDK may take leave of everybody up to 100 ms before it says that the connection is away. */
const noticeMs = 200;
/** How long somebody may take to be back after the bot is. */
const graceMs = 5_000;

/**
 * Says of nobody that they have left who is only out of sight while the bot's connection is away.
 *
 * The SDK then takes leave of everybody, and welcomes those it finds again. Who is not back some seconds after the
 * bot has left. When the connection is not away, it takes 200 ms to be sure.
 */
export function withoutAbsences(): MonoTypeOperatorFunction<LiveKitRoomEvent> {
  return (events$) =>
    new Observable((subscriber) => {
      const missing = new Map<string, LiveKitRoomEvent>();
      const subscription = new Subscription();
      let isAway = false;
      let grace = new Subscription();
      const tell = (identity: string): void => {
        const left = missing.get(identity);
        if (isAway || left === undefined) return;
        missing.delete(identity);
        subscriber.next(left);
      };
      const isBack = (): void => {
        isAway = false;
        for (const identity of [...missing.keys()]) tell(identity);
      };
      const watch = (event: LiveKitRoomEvent): void => {
        if (event.type === 'participantLeft') {
          const { identity } = event;
          missing.set(identity, event);
          const notice = timer(noticeMs).subscribe(() => tell(identity));
          subscription.add(notice);
        } else if (event.type !== 'participantJoined' || !missing.delete(event.identity)) {
          subscriber.next(event);
        }
        if (event.type === 'reconnecting') isAway = true;
        if (event.type === 'reconnecting' || event.type === 'disconnected') grace.unsubscribe();
        if (event.type === 'reconnected') grace = timer(graceMs).subscribe(isBack);
      };
      const done = (): void => subscriber.complete();
      subscription.add(events$.subscribe({ next: watch, complete: done }));
      subscription.add(() => grace.unsubscribe());
      return subscription;
    });
}
