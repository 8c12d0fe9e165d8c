import { EMPTY, firstValueFrom, lastValueFrom, NEVER, of, Subject, throwError } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { deleteRoomOnEnd } from '../../src/cleanup/delete-room-on-end.ts';
import type { Frame } from '../../src/frames/frame.ts';
import { CancelFrame, EndFrame, StopFrame } from '../../src/frames/lifecycle.ts';
import { TextFrame } from '../../src/frames/text.ts';
import type { RoomDeletionOutcome } from '../../src/rooms/delete-room.ts';
import { marbles } from '../../src/testing/marbles.ts';

const frames = {
  t: new TextFrame('hello'),
  e: new EndFrame('bye'),
  c: new CancelFrame('no'),
  s: new StopFrame(),
};

function outcomeOf(trigger: RoomDeletionOutcome['trigger']): RoomDeletionOutcome {
  return { status: 'deleted', roomName: 'room', trigger, attempts: 1, elapsedMs: 3 };
}

describe('deleteRoomOnEnd', () => {
  it.each([
    ['at the first EndFrame', '-t-e', '------(o|)', 'end'],
    ['at the first CancelFrame', '-t-c', '------(o|)', 'cancel'],
    ['at the EndFrame and not at the CancelFrame behind it', '---ec', '------(o|)', 'end'],
    ['at the end of a stream without a terminal frame', '-t-|', '------(o|)', 'exit'],
    ['at the end of a stream that only stopped', '-s-|', '------(o|)', 'exit'],
    ['when the stream fails', '-t-#', '------(o|)', 'exit'],
  ] as const)('deletes %s', (_when, source, expected, trigger) =>
    marbles(({ hot, cold, expectObservable }) => {
      const outcome$ = deleteRoomOnEnd(hot<Frame>(source, frames), (why) =>
        cold('---(o|)', { o: outcomeOf(why) }),
      );
      expectObservable(outcome$).toBe(expected, { o: outcomeOf(trigger) });
    }),
  );

  it('hands the frame to the deletion', async () => {
    const seen: unknown[] = [];
    const outcome$ = deleteRoomOnEnd(of(frames.t, frames.e), (trigger, frame) => {
      seen.push(trigger, frame);
      return of(outcomeOf(trigger));
    });
    await lastValueFrom(outcome$);
    expect(seen).toEqual(['end', frames.e]);
  });

  it('begins to watch with the first subscriber', () => {
    const source = new Subject<Frame>();
    const outcome$ = deleteRoomOnEnd(source, () => NEVER);
    expect(source.observed).toBe(false);
    outcome$.subscribe();
    expect(source.observed).toBe(true);
  });

  it('finishes a deletion under way when everybody has unsubscribed', () =>
    marbles(({ hot, cold, expectObservable }) => {
      const outcome$ = deleteRoomOnEnd(hot<Frame>('-e', frames), () =>
        cold('----(o|)', { o: outcomeOf('end') }),
      );
      expectObservable(outcome$, '^-!').toBe('---');
      expectObservable(outcome$, '---------^').toBe('---------(o|)', { o: outcomeOf('end') });
    }));

  it('goes on watching when everybody has unsubscribed before the end', async () => {
    const source = new Subject<Frame>();
    const outcome$ = deleteRoomOnEnd(source, (trigger) => of(outcomeOf(trigger)));
    outcome$.subscribe().unsubscribe();
    source.next(frames.e);
    expect(await firstValueFrom(outcome$)).toEqual(outcomeOf('end'));
  });

  it('replays an error of the deletion and does not delete again', async () => {
    let calls = 0;
    const outcome$ = deleteRoomOnEnd(of(frames.e), () => {
      calls += 1;
      return throwError(() => new Error('broken'));
    });
    await expect(firstValueFrom(outcome$)).rejects.toThrow('broken');
    await expect(firstValueFrom(outcome$)).rejects.toThrow('broken');
    expect(calls).toBe(1);
  });

  it('recognises frames of another copy of the package', async () => {
    const foreign = { [Symbol.for('endframe.frame')]: true, frameRole: 'cancel' } as unknown as Frame;
    const outcome$ = deleteRoomOnEnd(of(foreign), (trigger) => of(outcomeOf(trigger)));
    expect(await firstValueFrom(outcome$)).toEqual(outcomeOf('cancel'));
  });

  it('completes without a value when the deletion tells none, and does not delete again', async () => {
    const triggers: string[] = [];
    const outcome$ = deleteRoomOnEnd(of(frames.e, frames.c), (trigger) => {
      triggers.push(trigger);
      return EMPTY;
    });
    await expect(lastValueFrom(outcome$)).rejects.toThrow('no elements');
    await expect(lastValueFrom(outcome$)).rejects.toThrow('no elements');
    expect(triggers).toEqual(['end']);
  });
});
