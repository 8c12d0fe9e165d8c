import fc from 'fast-check';
import { map, type Observable, of, Subject, type Subscription, timer } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { deleteRoomOnEnd } from '../../src/cleanup/delete-room-on-end.ts';
import type { Frame } from '../../src/frames/frame.ts';
import { CancelFrame, EndFrame, StopFrame } from '../../src/frames/lifecycle.ts';
import { TextFrame } from '../../src/frames/text.ts';
import type { RoomDeletionOutcome } from '../../src/rooms/delete-room.ts';
import { marbles } from '../../src/testing/marbles.ts';

/** What can happen in one millisecond: to the source, or among those who want the outcome. */
const step = fc.constantFrom(
  'text',
  'end',
  'cancel',
  'stop',
  'complete',
  'error',
  'subscribe',
  'unsubscribe',
  'nothing',
);
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

const deletion = fc.record({
  takesMs: fc.integer({ min: 0, max: 5 }),
  fails: fc.boolean(),
  /** What happens in the middle of its call. */
  inside: step,
});

function outcome(trigger: RoomDeletionOutcome['trigger']): RoomDeletionOutcome {
  return { status: 'deleted', roomName: 'room', trigger, attempts: 1, elapsedMs: 0 };
}

/** The trigger of the first step that ends the conversation, among those after the first subscriber. */
function expectedTrigger(steps: readonly Step[]): RoomDeletionOutcome['trigger'] | undefined {
  const triggers: Partial<Record<Step, RoomDeletionOutcome['trigger']>> = {
    end: 'end',
    cancel: 'cancel',
    complete: 'exit',
    error: 'exit',
  };
  const watched = steps.indexOf('subscribe');
  const over = steps.findIndex((name) => name === 'complete' || name === 'error');
  if (watched < 0) return undefined;
  // a source that was over before anybody watched says so at once
  if (over >= 0 && over < watched) return 'exit';
  return steps.slice(watched).flatMap((name) => triggers[name] ?? [])[0];
}

describe('deleteRoomOnEnd, whatever happens in whatever order', () => {
  it('deletes once, for the first reason, and tells everybody the same', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 25 }), deletion, (steps, { takesMs, fails, inside }) => {
        marbles(({ flush }) => {
          const source = new Subject<Frame>();
          const triggers: RoomDeletionOutcome['trigger'][] = [];
          const told: unknown[] = [];
          const subscriptions: Subscription[] = [];
          const outcome$ = deleteRoomOnEnd(source, (trigger): Observable<RoomDeletionOutcome> => {
            triggers.push(trigger);
            act[inside]();
            const told$ = takesMs === 0 ? of(0) : timer(takesMs);
            return told$.pipe(
              map(() => {
                if (fails) throw new Error('the deletion failed');
                return outcome(trigger);
              }),
            );
          });
          const listen = () => {
            const answers: unknown[] = [];
            told.push(answers);
            return outcome$.subscribe({
              next: (value) => answers.push(value),
              error: (error) => answers.push(error),
            });
          };
          const act: Record<Step, () => void> = {
            text: () => source.next(new TextFrame('word')),
            end: () => source.next(new EndFrame()),
            cancel: () => source.next(new CancelFrame()),
            stop: () => source.next(new StopFrame()),
            complete: () => source.complete(),
            error: () => source.error(new Error('the source failed')),
            subscribe: () => subscriptions.push(listen()),
            unsubscribe: () => subscriptions.pop()?.unsubscribe(),
            nothing: () => {},
          };
          steps.forEach((name, ms) => void timer(ms).subscribe(() => act[name]()));
          flush();

          const expected = expectedTrigger(steps);
          expect(triggers).toEqual(expected === undefined ? [] : [expected]);
          if (expected === undefined) return;
          const late: unknown[] = [];
          outcome$.subscribe({ next: (value) => late.push(value), error: (error) => late.push(error) });
          expect(late).toEqual([fails ? expect.any(Error) : outcome(expected)]);
          for (const answers of told) expect([[], late]).toContainEqual(answers);
        });
      }),
      { numRuns: 500 },
    );
  });
});
