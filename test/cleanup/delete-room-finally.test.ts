import {
  asyncScheduler,
  defer,
  EMPTY,
  firstValueFrom,
  lastValueFrom,
  NEVER,
  Observable,
  of,
  Subject,
  take,
  tap,
  throwError,
  toArray,
} from 'rxjs';
import { describe, expect, expectTypeOf, it } from 'vitest';
import { deleteRoomFinally } from '../../src/cleanup/delete-room-finally.ts';
import type { Frame } from '../../src/frames/frame.ts';
import { CancelFrame, EndFrame, StopFrame } from '../../src/frames/lifecycle.ts';
import { TextFrame } from '../../src/frames/text.ts';
import { InvalidOptionError } from '../../src/lib/errors.ts';
import { silentLogger } from '../../src/lib/logger.ts';
import type { DeletionTrigger } from '../../src/rooms/delete-when.ts';
import { RoomDeleter } from '../../src/rooms/room-deleter.ts';
import { marbles } from '../../src/testing/marbles.ts';

const frames = {
  t: new TextFrame('hello'),
  e: new EndFrame('bye'),
  c: new CancelFrame('no'),
  s: new StopFrame(),
};

/** A deletion takes 3 ms, and its outcome is no value of the stream. */
const takes3Ms = '---(o|)';

describe('deleteRoomFinally', () => {
  it.each([
    ['at the end, which waits for it', '-t-|', '-t----|', ['3 exit']],
    ['behind an EndFrame', '-t-e|', '-t-e--|', ['3 end']],
    ['behind an EndFrame, whatever the stream does then', '-e-t-|', '-e-t-|', ['1 end']],
    ['behind a CancelFrame', '-c------', '-c------', ['1 cancel']],
    ['once, for the first of them', '-e-c|', '-e-c|', ['1 end']],
    ['at the end of a stream that only stopped', '-s-|', '-s----|', ['3 exit']],
    ['when the stream fails, and passes the error on', '-t-#', '-t----#', ['3 exit']],
    ['when there was nothing', '|', '---|', ['0 exit']],
    ['when the stream fails behind an EndFrame', '-e#', '-e--#', ['1 end']],
  ] as const)('deletes %s', (_when, source, expected, deletions) =>
    marbles(({ cold, expectObservable, flush }) => {
      const asked: string[] = [];
      const deleteRoom = (trigger: DeletionTrigger): Observable<string> =>
        defer(() => {
          asked.push(`${asyncScheduler.now()} ${trigger}`);
          return cold(takes3Ms);
        });
      expectObservable(cold<Frame>(source, frames).pipe(deleteRoomFinally({ deleteRoom }))).toBe(
        expected,
        frames,
      );
      flush();
      expect(asked).toEqual(deletions);
    }),
  );

  it('deletes when its subscriber leaves, and stops the source', () =>
    marbles(({ cold, expectObservable, expectSubscriptions, flush }) => {
      const triggers: DeletionTrigger[] = [];
      const source$ = cold('-t-t-t-|', frames);
      const watched$ = source$.pipe(
        deleteRoomFinally({
          deleteRoom: (trigger) => {
            triggers.push(trigger);
            return cold(takes3Ms);
          },
        }),
      );
      expectObservable(watched$, '----!').toBe('-t-t-', frames);
      expectSubscriptions(source$.subscriptions).toBe('^---!');
      flush();
      expect(triggers).toEqual(['exit']);
    }));

  it('deletes when a take(1) has had enough of a source that never gives way', async () => {
    const triggers: DeletionTrigger[] = [];
    const emitted: number[] = [];
    const endless$ = new Observable<number>((subscriber) => {
      for (let count = 0; !subscriber.closed; count += 1) {
        emitted.push(count);
        subscriber.next(count);
      }
    });
    const deleter = { deleteRoom: async (trigger: DeletionTrigger) => triggers.push(trigger) };
    expect(await firstValueFrom(endless$.pipe(deleteRoomFinally(deleter), take(1)))).toBe(0);
    expect(emitted).toEqual([0]);
    expect(triggers).toEqual(['exit']);
  });

  it('has passed the EndFrame on before it deletes', () => {
    const order: string[] = [];
    const source = new Subject<Frame>();
    const deleter = { deleteRoom: (trigger: DeletionTrigger) => of(order.push(`deletes: ${trigger}`)) };
    source.pipe(deleteRoomFinally(deleter)).subscribe((frame) => order.push(frame.constructor.name));
    source.next(frames.t);
    source.next(frames.e);
    expect(order).toEqual(['TextFrame', 'EndFrame', 'deletes: end']);
  });

  it.each<[string, () => unknown]>([
    ['rejects', () => Promise.reject(new Error('no room'))],
    ['fails', () => throwError(() => new Error('no room'))],
    ['has no outcome', () => EMPTY],
    [
      'throws',
      () => {
        throw new Error('a bug');
      },
    ],
  ])('ends as the stream does when the deletion %s', async (_how, deleteRoom) => {
    const deleter = { deleteRoom: deleteRoom as () => Promise<unknown> };
    expect(await lastValueFrom(of(1, 2).pipe(deleteRoomFinally(deleter), toArray()))).toEqual([1, 2]);
    const failing$ = throwError(() => new Error('of the stream')).pipe(deleteRoomFinally(deleter));
    await expect(lastValueFrom(failing$)).rejects.toThrow('of the stream');
  });

  it('runs a cold source once, and deletes once for several subscriptions', async () => {
    let runs = 0;
    const calls: string[] = [];
    const rest = {
      deleteRoomByName: async (name: string): Promise<true> => {
        calls.push(name);
        return true;
      },
    };
    const deleter = new RoomDeleter({ roomName: 'call', rest, logger: silentLogger });
    const call$ = defer(() => {
      runs += 1;
      return of('good', 'bye');
    }).pipe(deleteRoomFinally(deleter));
    expect(await lastValueFrom(call$.pipe(toArray()))).toEqual(['good', 'bye']);
    expect(await firstValueFrom(deleter.outcome$)).toMatchObject({ status: 'deleted', trigger: 'exit' });
    expect([runs, calls]).toEqual([1, ['call']]);
    await lastValueFrom(call$);
    expect([runs, calls]).toEqual([2, ['call']]);
  });

  it('has the outcome before its end is told', async () => {
    const deleter = new RoomDeleter({
      roomName: 'call',
      rest: { deleteRoomByName: async () => true },
      logger: silentLogger,
    });
    const seen: string[] = [];
    deleter.outcome$.subscribe(({ status }) => seen.push(status));
    await lastValueFrom(of(1).pipe(deleteRoomFinally(deleter), tap({ complete: () => seen.push('over') })));
    expect(seen).toEqual(['deleted', 'over']);
  });

  it.each([undefined, null, 'text', 5, { frameRole: 'end' }, Symbol('end')])(
    'lets %s pass, which is no frame',
    async (value) => {
      const triggers: DeletionTrigger[] = [];
      const deleter = { deleteRoom: async (trigger: DeletionTrigger) => triggers.push(trigger) };
      expect(await lastValueFrom(of(value).pipe(deleteRoomFinally(deleter)))).toBe(value);
      expect(triggers).toEqual(['exit']);
    },
  );

  it('keeps the type of the stream, whatever it is', () => {
    const deleter = { deleteRoom: () => NEVER };
    expectTypeOf(of(1).pipe(deleteRoomFinally(deleter))).toEqualTypeOf<Observable<number>>();
    expectTypeOf(of<Frame>(frames.t).pipe(deleteRoomFinally(deleter))).toEqualTypeOf<Observable<Frame>>();
  });

  it('refuses what cannot delete', () => {
    expect(() => deleteRoomFinally({} as RoomDeleter)).toThrow(InvalidOptionError);
  });
});
