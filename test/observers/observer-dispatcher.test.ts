import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Frame } from '../../src/frames/frame.ts';
import { TextFrame } from '../../src/frames/text.ts';
import { silentLogger } from '../../src/lib/logger.ts';
import type { Observer } from '../../src/observers/observer.ts';
import { ObserverDispatcher } from '../../src/observers/observer-dispatcher.ts';
import { PipelineTask } from '../../src/pipeline/pipeline-task.ts';
import { IdentityFilter } from '../../src/processors/identity-filter.ts';
import { never, Recorder, startRun } from '../pipeline/faults.ts';
import { passes } from '../support/fake-time.ts';

const texts = (frames: readonly Frame[]): string => {
  return frames
    .filter((frame) => frame instanceof TextFrame)
    .map(({ text }) => text)
    .join('');
};

/** Notes what it is told; keeps the dispatcher waiting as long as `hold` says. */
function recorder(hold: () => void | Promise<void> = () => {}) {
  const frames: Frame[] = [];
  const observer: Observer & { frames: Frame[]; cleanups: number } = {
    frames,
    cleanups: 0,
    onPushFrame: ({ frame }) => {
      frames.push(frame);
      return hold();
    },
    cleanup() {
      this.cleanups += 1;
    },
  };
  return observer;
}

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

const source = new IdentityFilter();

function setup(...observers: readonly Observer[]) {
  const errors: object[] = [];
  const warnings: object[] = [];
  const dispatcher = new ObserverDispatcher(
    {
      ...silentLogger,
      error: (fields) => void errors.push(fields),
      warn: (fields) => void warnings.push(fields),
    },
    observers,
  );
  const pushes = (letters: string): void => {
    for (const letter of letters) dispatcher.pushed?.onFrame(source, new TextFrame(letter), 'downstream');
  };
  return { dispatcher, pushes, errors, warnings };
}

const realNow = performance.now.bind(performance);

/** Works for some milliseconds, as a slow method does. */
function spin(ms: number): void {
  const untilMs = realNow() + ms;
  while (realNow() < untilMs);
}

/** Lets time pass step by step, so that it does not run away from those who need turns of the event loop as well. */
async function passesOften(times: number, ms: number): Promise<void> {
  for (let step = 0; step < times; step += 1) await passes(ms);
}

const turns = (): Promise<void> => passes(5);

describe('ObserverDispatcher', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('tells later, in order', async () => {
    const observer = recorder();
    const { pushes } = setup(observer);
    pushes('abc');
    expect(observer.frames).toEqual([]);
    await turns();
    expect(texts(observer.frames)).toBe('abc');
  });

  it('tells those who were told before what another one causes', async () => {
    const first = recorder();
    const { pushes } = setup(first, {
      onPushFrame: ({ frame }) => {
        if (texts([frame]) === 'a') pushes('b');
      },
    });
    pushes('a');
    await turns();
    expect(texts(first.frames)).toBe('ab');
  });

  it('tells it once to each, when they meet at different places', async () => {
    const [first, late] = [recorder(), recorder()];
    const { dispatcher, pushes } = setup(first);
    pushes('a');
    dispatcher.add(late);
    dispatcher.add({
      onPushFrame: ({ frame }) => {
        if (texts([frame]) === 'b') pushes('c');
      },
    });
    pushes('b');
    await turns();
    expect([texts(first.frames), texts(late.frames)]).toEqual(['abc', 'bc']);
  });

  it('tells what happened in the order in which it happened, whatever it is', async () => {
    const told: string[] = [];
    const { dispatcher, pushes } = setup({
      onPushFrame: ({ frame }) => void told.push(`pushed ${texts([frame])}`),
      onProcessFrame: ({ frame }) => void told.push(`processed ${texts([frame])}`),
      onProcessorSetup: ({ startedMs, finishedMs }) => void told.push(`set up in ${finishedMs - startedMs}`),
      onPipelineStarted: () => void told.push('started'),
    });
    dispatcher.processorSetUp(source, 10, 30);
    dispatcher.pipelineStarted();
    dispatcher.processed?.onFrame(source, new TextFrame('a'), 'downstream');
    pushes('a');
    await turns();
    expect(told).toEqual(['set up in 20', 'started', 'processed a', 'pushed a']);
  });

  it('waits for a method that is asynchronous before it tells the next', async () => {
    let running = 0;
    let most = 0;
    const observer = recorder(async () => {
      running += 1;
      most = Math.max(most, running);
      await new Promise((resolve) => setTimeout(resolve, 10));
      running -= 1;
    });
    const { pushes } = setup(observer);
    pushes('abc');
    await passes(15);
    expect(texts(observer.frames)).toBe('ab');
    await passes(15);
    expect(texts(observer.frames)).toBe('abc');
    expect(most).toBe(1);
  });

  it('removes one that does not finish and has fallen far behind, with one warning', async () => {
    const [stuck, quick] = [recorder(() => never), recorder()];
    const { dispatcher, pushes, warnings } = setup(stuck, quick);
    pushes('a');
    await turns();
    pushes('b'.repeat(99_000));
    await turns();
    expect(warnings).toEqual([]);
    expect(dispatcher.pushed).toBeDefined();
    pushes('c'.repeat(2_000));
    await turns();
    pushes('d');
    while (quick.frames.length < 101_002) await passes(1);
    expect(warnings).toHaveLength(1);
    expect(texts(quick.frames)).toHaveLength(101_002);
    dispatcher.remove(quick);
    expect(dispatcher.pushed).toBeUndefined();
    await dispatcher.close(100);
    expect([stuck.frames.length, stuck.cleanups, quick.cleanups]).toEqual([1, 1, 0]);
  });

  it('does not go on with one that was removed so and finishes later', async () => {
    let finish = (): void => {};
    const stuck = recorder(() => new Promise((resolve) => (finish = resolve)));
    const { pushes, dispatcher } = setup(stuck);
    pushes('a');
    await turns();
    pushes('b'.repeat(101_000));
    await turns();
    finish();
    pushes('c');
    await turns();
    expect(texts(stuck.frames)).toBe('a');
    expect(dispatcher.pushed).toBeUndefined();
    await dispatcher.close(100);
    await dispatcher.close(100);
    expect(stuck.cleanups).toBe(1);
  });

  it('does not let a slow one hold up the others', async () => {
    const [slow, quick] = [recorder(() => never), recorder()];
    const { pushes } = setup(slow, quick);
    pushes('abc');
    await turns();
    pushes('d');
    await turns();
    expect([texts(slow.frames), texts(quick.frames)]).toEqual(['a', 'abcd']);
  });

  it.each([
    [
      'throws',
      () => {
        throw new Error('thrown on purpose');
      },
    ],
    ['rejects', () => Promise.reject(new Error('rejected on purpose'))],
  ] as const)('goes on with one that %s, and with the others', async (_name, fails) => {
    const [failing, other] = [recorder(fails), recorder()];
    const { pushes, errors } = setup(failing, other);
    pushes('abc');
    await turns();
    expect([texts(failing.frames), texts(other.frames)]).toEqual(['abc', 'abc']);
    expect(errors).toHaveLength(3);
  });

  it.each<[string, unknown]>([
    ['a number', 1],
    ['null', null],
    ['an object', {}],
    ['something with a "then" that is no method', Object.fromEntries([['then', 1]])],
  ])('goes on with one whose method returns %s', async (_name, value) => {
    const [plain, other] = [recorder(() => value as void), recorder()];
    const { pushes, errors } = setup(plain, other);
    pushes('abc');
    await turns();
    pushes('d');
    await turns();
    expect([texts(plain.frames), texts(other.frames)]).toEqual(['abcd', 'abcd']);
    expect(errors).toEqual([]);
  });

  it('gives up one that is much too slow, without the quick one beside it', async () => {
    vi.useRealTimers();
    const slow = recorder(() => spin(1));
    let delivered = 0;
    const quick: Observer = {
      onPushFrame: () => {
        delivered += 1;
      },
    };
    const { dispatcher, warnings } = setup(slow, quick);
    const frame = new TextFrame('x');
    const push = (count: number): void => {
      for (let index = 0; index < count; index += 1) dispatcher.pushed?.onFrame(source, frame, 'downstream');
    };
    push(2_100_000);
    while (delivered < 2_100_000) await new Promise((resolve) => setImmediate(resolve));
    expect(warnings).toEqual([]);
    push(2_000_000);
    while (delivered < 4_100_000) await new Promise((resolve) => setImmediate(resolve));
    expect(warnings).toHaveLength(1);
    expect(slow.frames.length).toBeLessThan(100_000);
    await dispatcher.close(1_000);
    expect([slow.cleanups, warnings.length]).toEqual([1, 1]);
  });

  it('keeps no frame that everybody has been told', async () => {
    vi.useRealTimers();
    const slow = async (): Promise<void> => {
      await new Promise((resolve) => setTimeout(resolve, 1));
    };
    const { dispatcher } = setup({ onPushFrame: () => {} }, { onPushFrame: slow });
    const kept = Array.from('abc', (letter) => {
      const frame = new TextFrame(letter);
      dispatcher.pushed?.onFrame(source, frame, 'downstream');
      return new WeakRef(frame);
    });
    collectGarbage();
    expect(kept.filter((frame) => frame.deref() !== undefined)).toHaveLength(3);
    await vi.waitFor(() => {
      collectGarbage();
      expect(kept.filter((frame) => frame.deref() !== undefined)).toHaveLength(0);
    });
  });

  it('tells 5,000 events in turns, with timers in between', async () => {
    vi.useRealTimers();
    const observer = recorder();
    const { pushes } = setup(observer);
    pushes('x'.repeat(5_000));
    const seenByTimers = new Set<number>();
    while (observer.frames.length < 5_000) {
      await new Promise((resolve) => setImmediate(resolve));
      seenByTimers.add(observer.frames.length);
    }
    expect(seenByTimers.size).toBeGreaterThan(5);
  });

  describe('one that comes and goes', () => {
    it('is told exactly what happened meanwhile', async () => {
      const observer = recorder();
      const { dispatcher, pushes } = setup();
      pushes('a');
      dispatcher.add(observer);
      pushes('bc');
      dispatcher.remove(observer);
      pushes('d');
      await turns();
      expect(texts(observer.frames)).toBe('bc');
    });

    it('is told so beside others, and when it is slow', async () => {
      const always = recorder();
      const observer = recorder(() => new Promise((resolve) => setTimeout(resolve, 10)));
      const { dispatcher, pushes } = setup(always);
      pushes('a');
      await turns();
      pushes('b');
      dispatcher.add(observer);
      pushes('cd');
      await turns();
      pushes('e');
      dispatcher.remove(observer);
      pushes('f');
      await passesOften(4, 10);
      expect([texts(always.frames), texts(observer.frames)]).toEqual(['abcdef', 'cde']);
    });

    it('may come again', async () => {
      const observer = recorder(() => new Promise((resolve) => setTimeout(resolve, 10)));
      const { dispatcher, pushes } = setup(recorder());
      for (const letters of ['ab', 'ef']) {
        dispatcher.add(observer);
        pushes(letters);
        dispatcher.remove(observer);
        pushes('-');
      }
      await passesOften(5, 10);
      expect(texts(observer.frames).split('').toSorted().join('')).toBe('abef');
    });

    it('may go while it is told something', async () => {
      const observer = recorder();
      const { dispatcher, pushes } = setup();
      dispatcher.add({
        onPushFrame: ({ frame }) => {
          if (texts([frame]) === 'b') dispatcher.add(observer);
        },
      });
      pushes('abc');
      await turns();
      pushes('d');
      await turns();
      expect(texts(observer.frames)).toBe('d');
    });
  });

  it('is asked for nothing that no observer wants', () => {
    const { dispatcher } = setup({ onPipelineStarted: () => {} });
    expect([dispatcher.pushed, dispatcher.processed]).toEqual([undefined, undefined]);
    const observer = recorder();
    dispatcher.add(observer);
    expect([dispatcher.pushed, dispatcher.processed]).toEqual([expect.anything(), undefined]);
    dispatcher.remove(observer);
    expect(dispatcher.pushed).toBeUndefined();
  });

  describe('at the end', () => {
    it('tells everything that is still to be told, then has them clean up', async () => {
      const slow = recorder(() => new Promise((resolve) => setTimeout(resolve, 10)));
      const { dispatcher, pushes } = setup(slow);
      pushes('abcdef');
      const closing = dispatcher.close(1_000).then(() => texts(slow.frames));
      await passesOften(7, 10);
      expect(await closing).toBe('abcdef');
      expect(slow.cleanups).toBe(1);
    });

    it('tells 5,000 events that nobody was told before', async () => {
      const observer = recorder();
      const { dispatcher, pushes } = setup(observer);
      pushes('x'.repeat(5_000));
      const closing = dispatcher.close(1_000);
      await vi.advanceTimersByTimeAsync(10);
      await closing;
      expect(observer.frames).toHaveLength(5_000);
    });

    it.each([250, null])(
      'tells everything to a slow one that gets on, also with a limit of %s ms',
      async (limitMs) => {
        const slow = recorder(() => new Promise((resolve) => setTimeout(resolve, 100)));
        const { dispatcher, pushes, warnings } = setup(slow, recorder());
        pushes('x'.repeat(30));
        const closing = dispatcher.close(limitMs).then(() => slow.frames.length);
        await passesOften(31, 100);
        expect(await closing).toBe(30);
        expect([slow.cleanups, warnings]).toEqual([1, []]);
        expect(vi.getTimerCount()).toBe(0);
      },
    );

    it('tells everything to one that works for longer than the limit', async () => {
      vi.useRealTimers();
      const slow = recorder(() => spin(5));
      const { dispatcher, pushes, warnings } = setup(slow);
      pushes('x'.repeat(50));
      await dispatcher.close(20);
      expect([slow.frames.length, warnings]).toEqual([50, []]);
    });

    it("takes the process standing still for nobody's lack of progress", async () => {
      vi.useRealTimers();
      const observer = recorder();
      const { dispatcher, pushes, warnings } = setup(observer);
      pushes('x'.repeat(100_000));
      const closing = dispatcher.close(20);
      spin(40);
      await closing;
      expect([observer.frames.length, warnings]).toEqual([100_000, []]);
    });

    it('waits no longer than the limit when only one gets on that causes more with everything it is told', async () => {
      vi.useRealTimers();
      const endless = recorder(() => pushes('x'));
      const { dispatcher, pushes, warnings } = setup(endless);
      pushes('a');
      await dispatcher.close(20);
      const told = endless.frames.length;
      expect(told).toBeGreaterThan(1);
      expect([endless.cleanups, warnings.length]).toEqual([1, 1]);
      await new Promise((resolve) => setTimeout(resolve, 20));
      expect(endless.frames).toHaveLength(told);
    });

    it('tells one nothing more that finishes after it was cleaned up', async () => {
      let finish = (): void => {};
      const stuck = recorder(() => new Promise((resolve) => (finish = resolve)));
      const { dispatcher, pushes } = setup(stuck);
      pushes('ab');
      const closing = dispatcher.close(1_000);
      await vi.advanceTimersByTimeAsync(1_000);
      await closing;
      dispatcher.add({ onPushFrame: () => finish() });
      pushes('c');
      await turns();
      expect([texts(stuck.frames), stuck.cleanups]).toEqual(['a', 1]);
    });

    it('does not wait longer than the limit, and lets the quick ones clean up all the same', async () => {
      const [stuck, quick] = [recorder(() => never), recorder()];
      const { dispatcher, pushes, warnings } = setup(stuck, quick);
      pushes('ab');
      const closing = dispatcher.close(1_000);
      await vi.advanceTimersByTimeAsync(1_000);
      await closing;
      expect([stuck.cleanups, quick.cleanups, texts(quick.frames)]).toEqual([1, 1, 'ab']);
      expect(warnings).toHaveLength(1);
      expect(vi.getTimerCount()).toBe(0);
    });

    it('goes on behind a cleanup that throws, rejects or hangs', async () => {
      const last = recorder();
      const { dispatcher, errors } = setup(
        {
          cleanup: () => {
            throw new Error('thrown on purpose');
          },
        },
        { cleanup: () => Promise.reject(new Error('rejected on purpose')) },
        { cleanup: () => never },
        last,
      );
      const closing = dispatcher.close(1_000);
      await vi.advanceTimersByTimeAsync(1_000);
      await closing;
      expect(last.cleanups).toBe(1);
      expect(errors).toHaveLength(3);
    });
  });
});

describe('a task with observers', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('tells them every hop of every frame, to the last', async () => {
    const hops: string[] = [];
    const [first, second] = [new Recorder(), new Recorder()];
    const { task, pass } = await startRun([first, second], {
      observers: [
        {
          onPushFrame: ({ source: from, destination, frame }) => {
            if (from === first || from === second) {
              hops.push(
                `${frame.constructor.name} ${from.name} > ${destination === second ? second.name : 'edge'}`,
              );
            }
          },
        },
      ],
    });
    task.queueFrame(new TextFrame('hello'));
    task.stopWhenDone();
    await pass(10);
    for (const hop of [`${first.name} > ${second.name}`, `${second.name} > edge`])
      expect(hops.filter((text) => text.endsWith(hop))).toEqual(
        ['StartFrame', 'TextFrame', 'EndFrame'].map((name) => `${name} ${hop}`),
      );
    expect(hops).toHaveLength(6);
  });

  it('is not held up by one that never returns', async () => {
    const { task, results, pass } = await startRun([new Recorder()], {
      observers: [recorder(() => never)],
      cleanupTimeoutMs: 100,
    });
    let through = 0;
    task.frames$.subscribe(() => {
      through += 1;
    });
    task.queueFrames(Array.from({ length: 100 }, () => new TextFrame('x')));
    task.stopWhenDone();
    await pass(0);
    expect(through).toBe(101);
    await pass(200);
    expect(results).toMatchObject([{ reason: 'ended', forced: false }]);
  });

  it('tells one that is added in the middle what happens from then on', async () => {
    const observer = recorder();
    const { task, pass } = await startRun([new IdentityFilter()]);
    task.queueFrame(new TextFrame('a'));
    await pass(0);
    task.addObserver(observer);
    task.queueFrame(new TextFrame('b'));
    await pass(0);
    task.removeObserver(observer);
    task.queueFrame(new TextFrame('c'));
    task.stopWhenDone();
    await pass(10);
    expect(new Set(texts(observer.frames))).toEqual(new Set('b'));
  });
});

it('an observer is told when a frame moved, also one that a timer pushed after a long rest', async () => {
  const processor = new Recorder();
  const delays: number[] = [];
  let pushedMs = 0;
  const onPushFrame: NonNullable<Observer['onPushFrame']> = ({ frame, timestampMs }) => {
    if (frame instanceof TextFrame) delays.push(timestampMs - pushedMs);
  };
  const task = new PipelineTask(processor, { logger: silentLogger, observers: [{ onPushFrame }] });
  const running = task.run();
  await new Promise((resolve) => setTimeout(resolve, 200));
  pushedMs = performance.now();
  processor.push(new TextFrame('late'));
  task.stopWhenDone();
  await running;
  expect(delays.length).toBeGreaterThan(0);
  // the time of the rest would be 200 ms too early
  for (const delay of delays) expect(delay).toBeGreaterThan(-100);
});
