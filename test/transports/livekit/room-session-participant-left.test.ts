import { describe, it } from 'vitest';
import { marbles } from '../../../src/testing/marbles.ts';
import type { LiveKitRoomEvent } from '../../../src/transports/livekit/room-events.ts';
import { debounceParticipantLeft } from '../../../src/transports/livekit/room-session.ts';

const events: Record<string, LiveKitRoomEvent> = {
  r: { type: 'reconnecting' },
  b: { type: 'reconnected' },
  l: { type: 'participantLeft', identity: 'ada', kind: 'standard' },
  j: { type: 'participantJoined', identity: 'ada', kind: 'standard' },
  J: { type: 'participantJoined', identity: 'bob', kind: 'standard' },
  d: { type: 'disconnected', reason: 'ROOM_DELETED' },
};

function expectEmitted(happened: string, emitted: string): void {
  marbles(({ hot, expectObservable }) => {
    expectObservable(hot(happened, events).pipe(debounceParticipantLeft())).toBe(emitted, events);
  });
}

describe('debounceParticipantLeft', () => {
  it('emits joins at once, and delays leaves', () =>
    expectEmitted('--j 1s l 1s J', '--j 1s 200ms l 800ms J'));

  it('suppresses leave and join of participants that are back, before or after the bot is', () => {
    expectEmitted('r-l-j-b 10s |', 'r-----b 10s |');
    expectEmitted('r-l-b-j 10s |', 'r---b-- 10s |');
  });

  it('suppresses leaves up to 200 ms ahead of the interruption', () =>
    expectEmitted('l 99ms r-b-j 10s |', '100ms r-b-- 10s |'));

  it('emits participants that are still missing after five seconds', () => {
    expectEmitted('r-l-b 10s J', 'r---b 4999ms l 5s J');
  });

  it('restarts the grace time with the next interruption', () => {
    expectEmitted('r-l-b 4s r 2s b 10s J', 'r---b 4s r 2s b 4999ms l 5s J');
  });

  it('emits new participants meanwhile', () => expectEmitted('r-J-b', 'r-J-b'));

  it('suppresses leaves when the room is gone', () => {
    expectEmitted('r-l-b-d 10s |', 'r---b-d 10s |');
  });

  it('leaves no timer behind', () =>
    marbles(({ hot, expectObservable }) => {
      const emitted$ = hot('r-l-b', events).pipe(debounceParticipantLeft());
      expectObservable(emitted$, '^----- 1s !').toBe('r---b', events);
    }));
});
