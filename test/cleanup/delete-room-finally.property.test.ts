import fc from 'fast-check';
import { Subject, type Subscription, throwError, timer } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { deleteRoomFinally } from '../../src/cleanup/delete-room-finally.ts';
import type { Frame } from '../../src/frames/frame.ts';
import { CancelFrame, EndFrame } from '../../src/frames/lifecycle.ts';
import { TextFrame } from '../../src/frames/text.ts';
import type { DeletionTrigger } from '../../src/rooms/delete-when.ts';
import { marbles } from '../../src/testing/marbles.ts';

/** What can happen in one millisecond. */
const step = fc.constantFrom('text', 'end', 'cancel', 'complete', 'error', 'unsubscribe', 'nothing');
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

const triggers: Partial<Record<Step, DeletionTrigger>> = {
  end: 'end',
  cancel: 'cancel',
  complete: 'exit',
  error: 'exit',
  unsubscribe: 'exit',
};

describe('deleteRoomFinally, whatever happens in whatever order', () => {
  it('passes the values, deletes once for the first reason, and ends behind the deletion as the source did', () => {
    const deletion = fc.record({ takesMs: fc.integer({ min: 0, max: 30 }), fails: fc.boolean() });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 20 }), deletion, (steps, { takesMs, fails }) => {
        marbles(({ flush }) => {
          const source = new Subject<Frame>();
          const asked: DeletionTrigger[] = [];
          const sent: unknown[] = [];
          const seen: unknown[] = [];
          let deletedAtMs = Number.NaN;
          let endedAtMs = Number.NaN;
          let nowMs = 0;
          const deleteRoom = (trigger: DeletionTrigger) => {
            asked.push(trigger);
            deletedAtMs = nowMs + takesMs;
            return fails && takesMs === 0 ? throwError(() => new Error('at once')) : timer(takesMs);
          };
          const end = (how: string) => () => {
            seen.push(how);
            endedAtMs = nowMs;
          };
          const subscription: Subscription = source.pipe(deleteRoomFinally({ deleteRoom })).subscribe({
            next: (frame) => seen.push(frame),
            complete: end('complete'),
            error: end('error'),
          });
          const sends = (frame: Frame) => {
            sent.push(frame);
            source.next(frame);
          };
          const act: Record<Step, () => void> = {
            text: () => sends(new TextFrame('word')),
            end: () => sends(new EndFrame()),
            cancel: () => sends(new CancelFrame()),
            complete: () => source.complete(),
            error: () => source.error(new Error('the source failed')),
            unsubscribe: () => subscription.unsubscribe(),
            nothing: () => {},
          };
          for (let ms = 0; ms < steps.length + 40; ms += 1) {
            timer(ms).subscribe(() => {
              nowMs = ms;
              act[steps[ms] ?? 'nothing']();
            });
          }
          flush();

          const first = steps.flatMap((name) => triggers[name] ?? [])[0];
          expect(asked).toEqual(first === undefined ? [] : [first]);
          const over = steps.findIndex((name) => name === 'complete' || name === 'error');
          const left = steps.indexOf('unsubscribe');
          const until = Math.min(over < 0 ? Infinity : over, left < 0 ? Infinity : left);
          const isFrame = (name: Step) => name === 'text' || name === 'end' || name === 'cancel';
          const passed = sent.slice(0, steps.slice(0, until).filter(isFrame).length);
          // whoever leaves while the end waits for the deletion is told nothing any more
          const endsAtMs = Math.max(over, deletedAtMs);
          const isTold = over >= 0 && (left < 0 || left > endsAtMs);
          expect(seen.slice(0, passed.length)).toEqual(passed);
          if (left !== endsAtMs) expect(seen.slice(passed.length)).toEqual(isTold ? [steps[over]] : []);
          if (isTold) expect(endedAtMs).toBeGreaterThanOrEqual(deletedAtMs);
        });
      }),
      { numRuns: 500 },
    );
  });
});
