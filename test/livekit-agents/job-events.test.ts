import { timer } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { participantAbsent } from '../../src/livekit-agents/job-events.ts';
import { marbles } from '../../src/testing/marbles.ts';
import { FakeJobRoom } from './fake-job.ts';

const [standard, egress, sip, agent] = [0, 2, 3, 4];

type Story = Record<number, (room: FakeJobRoom) => void>;

/** Lets the story happen at its milliseconds, and expects which absence is emitted when. */
function expectAbsence(story: Story, diagram: string, expected = 'ada', participantIdentity?: string): void {
  marbles(({ expectObservable }) => {
    const room = new FakeJobRoom();
    const absent$ = participantAbsent(room, { participantIdentity, graceMs: 5 });
    for (const [ms, happens] of Object.entries(story)) timer(Number(ms)).subscribe(() => happens(room));
    expectObservable(absent$).toBe(diagram, { x: expected });
  });
}

describe('participantAbsent', () => {
  it('emits when the first person has been away for the grace time', () =>
    expectAbsence(
      {
        1: (room) => room.joins('ada', standard),
        2: (room) => room.joins('bob', standard),
        3: (room) => room.leaves('ada'),
      },
      '--------(x|)',
    ));

  it('emits nothing for a participant that is back in time', () =>
    expectAbsence(
      {
        1: (room) => room.joins('ada', sip),
        2: (room) => room.leaves('ada'),
        6: (room) => room.joins('ada', sip),
      },
      '-',
    ));

  it('starts over after a return', () =>
    expectAbsence(
      {
        1: (room) => room.joins('ada'),
        2: (room) => room.leaves('ada'),
        6: (room) => room.joins('ada'),
        8: (room) => room.leaves('ada'),
      },
      '-------------(x|)',
    ));

  it('ignores machines and other participants', () =>
    expectAbsence(
      {
        1: (room) => room.joins('recorder', egress),
        2: (room) => room.joins('helper', agent),
        3: (room) => room.joins('ada'),
        4: (room) => room.joins('bob'),
        5: (room) => {
          for (const identity of ['recorder', 'helper', 'bob']) room.leaves(identity);
        },
      },
      '-',
    ));

  it('includes participants that were there before the bot connected', () =>
    expectAbsence(
      {
        1: (room) => {
          room.remoteParticipants.set('ada', { identity: 'ada', info: { kind: standard } });
          room.connects('room');
        },
        2: (room) => room.leaves('ada'),
      },
      '-------(x|)',
    ));

  it('is about the participant that was named', () =>
    expectAbsence(
      {
        1: (room) => room.joins('ada'),
        2: (room) => room.joins('bob'),
        3: (room) => room.leaves('ada'),
        4: (room) => room.leaves('bob'),
      },
      '---------(x|)',
      'bob',
      'bob',
    ));

  it('leaves no listeners behind', () => {
    const room = new FakeJobRoom();
    const watch = participantAbsent(room, { participantIdentity: undefined, graceMs: 5 });
    const subscription = watch.subscribe();
    room.joins('ada');
    expect(room.eventNames()).not.toEqual([]);
    subscription.unsubscribe();
    expect(room.eventNames()).toEqual([]);
  });
});
