import { describe, it } from 'vitest';
import { marbles } from '../../../src/testing/marbles.ts';
import type { LiveKitRoomEvent } from '../../../src/transports/livekit/transport-events.ts';
import { withoutAbsences } from '../../../src/transports/livekit/without-absences.ts';

const events: Record<string, LiveKitRoomEvent> = {
  r: { type: 'reconnecting' },
  b: { type: 'reconnected' },
  l: { type: 'participantLeft', identity: 'ada', kind: 'standard' },
  j: { type: 'participantJoined', identity: 'ada', kind: 'standard' },
  J: { type: 'participantJoined', identity: 'bob', kind: 'standard' },
  d: { type: 'disconnected', reason: 'ROOM_DELETED' },
};

function expectTold(happened: string, told: string): void {
  marbles(({ hot, expectObservable }) => {
    expectObservable(hot(happened, events).pipe(withoutAbsences())).toBe(told, events);
  });
}

describe('withoutAbsences', () => {
  it('tells at once who joins, and of who leaves when it is sure', () =>
    expectTold('--j 1s l 1s J', '--j 1s 200ms l 800ms J'));

  it('says nothing of those who are back, before or after the bot is', () => {
    expectTold('r-l-j-b 10s |', 'r-----b 10s |');
    expectTold('r-l-b-j 10s |', 'r---b-- 10s |');
  });

  it('says nothing of those who were missed before the connection was', () =>
    expectTold('l 99ms r-b-j 10s |', '100ms r-b-- 10s |'));

  it('tells five seconds after the bot is back who is not', () => {
    expectTold('r-l-b 10s J', 'r---b 4999ms l 5s J');
  });

  it('waits anew when the connection is away once more', () => {
    expectTold('r-l-b 4s r 2s b 10s J', 'r---b 4s r 2s b 4999ms l 5s J');
  });

  it('tells of newcomers in the meantime', () => expectTold('r-J-b', 'r-J-b'));

  it('says nothing of the missing when the room is gone', () => {
    expectTold('r-l-b-d 10s |', 'r---b-d 10s |');
  });

  it('leaves no timer behind', () =>
    marbles(({ hot, expectObservable }) => {
      const told$ = hot('r-l-b', events).pipe(withoutAbsences());
      expectObservable(told$, '^----- 1s !').toBe('r---b', events);
    }));
});
