/** Streams that know no endframe, and the one line that has their room deleted: recipes against a real server. */

import { EventEmitter } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  concatMap,
  concatWith,
  delay,
  EMPTY,
  firstValueFrom,
  from,
  fromEvent,
  interval,
  map,
  merge,
  mergeMap,
  of,
  Subject,
  take,
  takeUntil,
  throwError,
  toArray,
} from 'rxjs';
import { beforeAll, expect, it, onTestFinished } from 'vitest';
import {
  CancelFrame,
  EndFrame,
  type Frame,
  ofFrame,
  Pipeline,
  PipelineTask,
  silentLogger,
  TextFrame,
} from '../../src/index.ts';
import { deleteRoomOnEnd, LiveKitRESTHelper, RoomDeleter } from '../../src/livekit.ts';
import { operatorProcessor } from '../../src/processors/operator-processor.ts';
import type { LiveKitServer } from '../../src/testing/start-livekit-server.ts';
import { describeWith } from '../support/requirements.ts';
import { roomExists, roomService } from '../support/room-service.ts';
import { sharedLiveKit } from '../support/shared-services.ts';

const describe = await describeWith('livekit-server');

describe('deleteRoomOnEnd', () => {
  let server: LiveKitServer;
  let rooms = 0;
  beforeAll(async () => {
    server = await sharedLiveKit();
  });

  /** A room on the server, and what can delete it. */
  async function setup() {
    const { httpUrl: apiUrl, apiKey, apiSecret } = server;
    const roomName = `any-stream-${process.pid}-${rooms++}`;
    await roomService(server).createRoom({ name: roomName, emptyTimeout: 300 });
    const rest = new LiveKitRESTHelper({ apiUrl, apiKey, apiSecret });
    const deleter = new RoomDeleter({ roomName, rest, verify: false, logger: silentLogger });
    onTestFinished(() => void deleter.deleteRoom('exit'));
    return {
      deleter,
      exists: () => roomExists(server, roomName),
      outcomeOf: (frames$: Parameters<typeof deleteRoomOnEnd>[0]) =>
        firstValueFrom(deleteRoomOnEnd(frames$, (trigger) => deleter.deleteRoom(trigger))),
    };
  }

  it('takes frame classes of your own, mapped', async () => {
    class Said {
      readonly text: string;
      constructor(text: string) {
        this.text = text;
      }
    }
    class HungUp {}
    class Broke {}
    const { outcomeOf, exists } = await setup();
    const own$ = of(new Said('hello'), new Said('bye'), new HungUp(), new Broke());

    const frames$ = own$.pipe(
      mergeMap((own): Frame[] => {
        if (own instanceof HungUp) return [new EndFrame('hung up')];
        return own instanceof Broke ? [new CancelFrame('broke')] : [];
      }),
    );

    expect(await outcomeOf(frames$)).toMatchObject({ status: 'deleted', trigger: 'end' });
    expect(await exists()).toBe(false);
  });

  it('takes a web stream, through from', async () => {
    const { outcomeOf, exists } = await setup();
    // typed as what it also is: RxJS would take it for a stream of bytes otherwise
    const words: AsyncIterable<string> = new ReadableStream<string>({
      start: (controller) => {
        for (const word of ['good', 'bye']) controller.enqueue(word);
        controller.close();
      },
    });

    const frames$ = from(words).pipe(
      map((word): Frame => new TextFrame(word)),
      concatWith(of(new EndFrame())),
    );

    expect(await outcomeOf(frames$)).toMatchObject({ status: 'deleted', trigger: 'end' });
    expect(await exists()).toBe(false);
  });

  it('takes a web stream that breaks', async () => {
    const { outcomeOf, exists } = await setup();
    const broken: AsyncIterable<Frame> = new ReadableStream<Frame>({
      start: (controller) => controller.error(new Error('broken')),
    });

    expect(await outcomeOf(from(broken))).toMatchObject({ status: 'deleted', trigger: 'exit' });
    expect(await exists()).toBe(false);
  });

  it('takes an EventEmitter, through fromEvent', async () => {
    const { outcomeOf, exists } = await setup();
    const call = new EventEmitter();

    const frames$ = merge(
      fromEvent(call, 'hangup').pipe(map(() => new EndFrame('hangup'))),
      fromEvent(call, 'error').pipe(map(() => new CancelFrame('error'))),
    );

    const outcome = outcomeOf(frames$);
    call.emit('error', new Error('line noise'));
    expect(await outcome).toMatchObject({ status: 'deleted', trigger: 'cancel' });
    expect(await exists()).toBe(false);
  });

  describe('at the end of a pipeline written by hand', () => {
    /** Hears words, answers them, and says goodbye when it hears one. */
    function bot(heard$: Subject<string>) {
      const hungUp$ = heard$.pipe(ofWord('bye'));
      return heard$.pipe(
        concatMap((word) => of(new TextFrame(word.toUpperCase())).pipe(delay(1))),
        takeUntil(hungUp$.pipe(delay(20))),
      );
    }
    const ofWord = (wanted: string) => mergeMap((word: string) => (word === wanted ? of(word) : EMPTY));

    it('deletes when it completes', async () => {
      const { outcomeOf, exists } = await setup();
      const heard$ = new Subject<string>();
      const outcome = outcomeOf(bot(heard$));
      for (const word of ['hello', 'bye']) heard$.next(word);
      expect(await outcome).toMatchObject({ status: 'deleted', trigger: 'exit' });
      expect(await exists()).toBe(false);
    });

    it('deletes when it fails', async () => {
      const { outcomeOf, exists } = await setup();
      const failing$ = interval(1).pipe(
        take(3),
        map((count): Frame => new TextFrame(String(count))),
        concatWith(throwError(() => new Error('out of words'))),
      );
      expect(await outcomeOf(failing$)).toMatchObject({ status: 'deleted', trigger: 'exit' });
      expect(await exists()).toBe(false);
    });

    it('does not delete while it runs', async () => {
      const { outcomeOf, exists } = await setup();
      const heard$ = new Subject<string>();
      void outcomeOf(bot(heard$));
      heard$.next('hello');
      await sleep(100);
      expect(await exists()).toBe(true);
      heard$.complete();
    });

    it('deletes although everybody has unsubscribed', async () => {
      const { deleter, exists } = await setup();
      const frames$ = new Subject<Frame>();
      const outcome$ = deleteRoomOnEnd(frames$, (trigger) => deleter.deleteRoom(trigger));
      const watching = outcome$.subscribe();
      frames$.next(new EndFrame());
      watching.unsubscribe();
      expect(await firstValueFrom(outcome$)).toMatchObject({ status: 'deleted' });
      expect(await exists()).toBe(false);
    });
  });

  it('stands between endframe and RxJS: a stream into a pipeline, and what comes out as a stream', async () => {
    const { outcomeOf, exists } = await setup();
    const shout = operatorProcessor((frames$) =>
      frames$.pipe(map((frame) => (frame instanceof TextFrame ? new TextFrame(`${frame.text}!`) : frame))),
    );
    const task = new PipelineTask(new Pipeline([shout]), { logger: silentLogger });
    const texts = firstValueFrom(task.frames$.pipe(ofFrame(TextFrame), toArray()));
    const outcome = outcomeOf(task.frames$);
    const run = task.run();

    const words$ = of(new TextFrame('good'), new TextFrame('bye'));
    words$.pipe(concatWith(of(new EndFrame()))).subscribe((frame) => task.queueFrame(frame));

    expect(await run).toMatchObject({ reason: 'ended' });
    expect((await texts).map(({ text }) => text)).toEqual(['good!', 'bye!']);
    expect(await outcome).toMatchObject({ status: 'deleted', trigger: 'end' });
    expect(await exists()).toBe(false);
  });

  describe('not needed in a plain program', () => {
    it('deletes at the end of an `await using` block', async () => {
      const { deleter, exists } = await setup();
      {
        await using _deleter = deleter;
        expect(await exists()).toBe(true);
      }
      expect(await exists()).toBe(false);
      expect(await firstValueFrom(deleter.outcome$)).toMatchObject({ status: 'deleted', trigger: 'exit' });
    });

    it('deletes when the block throws', async () => {
      const { deleter, exists } = await setup();
      const program = async () => {
        await using _deleter = deleter;
        throw new Error('thrown on purpose');
      };
      await expect(program()).rejects.toThrow('thrown on purpose');
      expect(await exists()).toBe(false);
    });

    it('deletes in a finally block, for JavaScript on a Node that knows no `using`', async () => {
      const { deleter, exists } = await setup();
      try {
        expect(await exists()).toBe(true);
      } finally {
        await deleter[Symbol.asyncDispose]();
      }
      expect(await exists()).toBe(false);
    });
  });
});
