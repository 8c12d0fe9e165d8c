import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { ErrorFrame } from '../../src/frames/error-frame.ts';
import type { Frame, FrameDirection } from '../../src/frames/frame.ts';
import { InterruptionFrame } from '../../src/frames/interruption.ts';
import { EndFrame, StartFrame, StopFrame } from '../../src/frames/lifecycle.ts';
import { OutputTransportMessageUrgentFrame } from '../../src/frames/messages.ts';
import { STTMuteFrame, TTSStartedFrame, UserStartedSpeakingFrame } from '../../src/frames/speaking.ts';
import { TextFrame } from '../../src/frames/text.ts';
import { InvalidOptionError } from '../../src/lib/errors.ts';
import { silentLogger, stderrLogger } from '../../src/lib/logger.ts';
import { FrameProcessor } from '../../src/processors/frame-processor.ts';
import { IdentityFilter } from '../../src/processors/identity-filter.ts';
import { FrameRecorder } from '../../src/testing/run-test.ts';
import { passes, useFakeTime } from '../support/fake-time.ts';
import { classesOf, startPipeline, textsOf } from '../support/start-pipeline.ts';

const sleep = (ms: number): Promise<void> => new Promise((done) => setTimeout(done, ms));

/** Does what the test says. */
class Scripted extends FrameProcessor {
  readonly #script: (processor: Scripted, frame: Frame, direction: FrameDirection) => void | Promise<void>;

  constructor(
    script: (processor: Scripted, frame: Frame, direction: FrameDirection) => void | Promise<void>,
  ) {
    super();
    this.#script = script;
  }

  protected override process(frame: Frame, direction: FrameDirection): void | Promise<void> {
    return this.#script(this, frame, direction);
  }

  currentSignal(): AbortSignal {
    return this.signal;
  }
}

/** Takes that long for each text. */
const slow = (ms: number): Scripted =>
  new Scripted(async (processor, frame, direction) => {
    if (frame instanceof TextFrame) await sleep(ms);
    processor.push(frame, direction);
  });

/** Interrupts at each text before it passes it on. */
const interrupter = (): Scripted =>
  new Scripted((processor, frame, direction) => {
    if (frame instanceof TextFrame) processor.broadcastInterruption();
    processor.push(frame, direction);
  });

/** A processor between two recorders, outside of any pipeline. */
function between(processor: FrameProcessor) {
  const up = new FrameRecorder({ direction: 'upstream' });
  const down = new FrameRecorder({ direction: 'downstream' });
  up.link(processor);
  processor.link(down);
  return { processor, up, down };
}

function uninterruptible<F extends Frame>(frame: F): F {
  frame.uninterruptible = true;
  return frame;
}

describe('FrameProcessor', () => {
  useFakeTime();

  it('is named after its class, with a number, unless it has a name', () => {
    const [first, second] = [new IdentityFilter(), new IdentityFilter()];
    expect(first.name).toMatch(/^IdentityFilter#\d+$/);
    expect(second.name).not.toBe(first.name);
    expect(new IdentityFilter({ name: 'door' }).name).toBe('door');
  });

  it('tells before and after it processes and pushes a frame', async () => {
    const processor = new IdentityFilter();
    const told: string[] = [];
    const note = (event: string) => (frame: Frame) => {
      if (frame instanceof TextFrame) told.push(event);
    };
    processor.on('beforeProcessFrame', note('beforeProcessFrame'));
    processor.on('beforePushFrame', note('beforePushFrame'));
    processor.on('afterPushFrame', note('afterPushFrame'));
    processor.on('afterProcessFrame', note('afterProcessFrame'));
    const { task, run } = await startPipeline([processor]);
    task.queueFrames([new TextFrame('a'), new EndFrame()]);
    await run;
    expect(told).toEqual(['beforeProcessFrame', 'beforePushFrame', 'afterPushFrame', 'afterProcessFrame']);
  });

  it('tells after an asynchronous process() when that is over', async () => {
    const processor = slow(100);
    const told: string[] = [];
    processor.on('beforeProcessFrame', (frame) => told.push(`before ${frame.constructor.name}`));
    processor.on('afterProcessFrame', (frame) => told.push(`after ${frame.constructor.name}`));
    const { task, run } = await startPipeline([processor]);
    told.length = 0;
    task.queueFrame(new TextFrame('a'));
    await passes(99);
    expect(told).toEqual(['before TextFrame']);
    await passes(1);
    expect(told).toEqual(['before TextFrame', 'after TextFrame']);
    task.cancel();
    await run;
  });

  it('shows every frame it pushes on frames$, which completes with the run', async () => {
    const processor = new IdentityFilter();
    const seen: string[] = [];
    const { task, run } = await startPipeline([processor]);
    processor.frames$.subscribe({
      next: (frame) => seen.push(frame.constructor.name),
      complete: () => seen.push('complete'),
    });
    task.queueFrames([new TextFrame('a'), new EndFrame()]);
    await run;
    expect(seen).toEqual(['TextFrame', 'EndFrame', 'complete']);
  });

  describe('order', () => {
    it('processes the StartFrame first, then system frames, then the rest', async () => {
      const processor = new IdentityFilter();
      const { down } = between(processor);
      processor.queueFrame(new TextFrame('a'));
      processor.queueFrame(new UserStartedSpeakingFrame());
      processor.queueFrame(new STTMuteFrame(true));
      processor.queueFrame(new TTSStartedFrame());
      await passes(0);
      expect(down.frames).toEqual([]);
      processor.queueFrame(new StartFrame());
      await passes(0);
      expect(classesOf(down.frames)).toEqual([
        'StartFrame',
        'UserStartedSpeakingFrame',
        'STTMuteFrame',
        'TextFrame',
        'TTSStartedFrame',
      ]);
    });

    it('finishes one frame before the next', async () => {
      const { task, run, down } = await startPipeline([slow(100)]);
      task.queueFrames([new TextFrame('a'), new TTSStartedFrame(), new EndFrame()]);
      await passes(100);
      await run;
      expect(classesOf(down.frames)).toEqual(['StartFrame', 'TextFrame', 'TTSStartedFrame', 'EndFrame']);
    });
  });

  describe('broadcastInterruption', () => {
    it('goes both ways, and the code behind it runs', async () => {
      const processor = new Scripted((self, frame, direction) => {
        if (!(frame instanceof TextFrame)) return self.push(frame, direction);
        self.broadcastInterruption();
        self.push(new OutputTransportMessageUrgentFrame('sorry'));
      });
      const { task, run, down, up } = await startPipeline([processor]);
      task.queueFrames([new TextFrame('stop'), new EndFrame()]);
      await run;
      expect(classesOf(down.frames)).toEqual([
        'StartFrame',
        'InterruptionFrame',
        'OutputTransportMessageUrgentFrame',
        'EndFrame',
      ]);
      expect(classesOf(up.frames)).toEqual(['InterruptionFrame']);
      const [below] = down.framesOf(InterruptionFrame);
      const [above] = up.framesOf(InterruptionFrame);
      expect(below?.broadcastSiblingId).toBe(above?.id);
      expect(above?.broadcastSiblingId).toBe(below?.id);
    });

    it('comes back after a wait in the same handler as well', async () => {
      const processor = new Scripted(async (self, frame, direction) => {
        if (frame instanceof TextFrame) {
          self.broadcastInterruption();
          await sleep(50);
        }
        self.push(frame, direction);
      });
      const { task, run, down } = await startPipeline([processor]);
      task.queueFrames([new TextFrame('a'), new TextFrame('dropped?'), new EndFrame()]);
      await passes(200);
      await run;
      expect(textsOf(down.frames)[0]).toBe('a');
    });

    it.each([new EndFrame(), new StopFrame()])('does not drop a %s that waits behind it', async (last) => {
      const { task, run, down } = await startPipeline([interrupter()]);
      task.queueFrames([new TextFrame('a'), last]);
      expect(await run).toMatchObject({ frame: last, forced: false });
      expect(down.frames.at(-1)).toBe(last);
    });

    it('drops what waits in the same processor, uninterruptible frames excepted', async () => {
      const { task, run, down } = await startPipeline([interrupter()]);
      task.queueFrames([
        new TextFrame('a'),
        new TTSStartedFrame(),
        uninterruptible(new TTSStartedFrame()),
        new EndFrame(),
      ]);
      await run;
      expect(down.framesOf(TTSStartedFrame)).toMatchObject([{ uninterruptible: true }]);
    });
  });

  describe('an interruption', () => {
    it('drops a slow frame that is being processed', async () => {
      const { task, run, down } = await startPipeline([slow(500)]);
      task.queueFrame(new TextFrame('slow'));
      await passes(100);
      task.queueFrames([new InterruptionFrame(), new EndFrame()]);
      await passes(0);
      expect(await run).toMatchObject({ reason: 'ended', forced: false });
      await passes(1_000);
      expect(classesOf(down.frames)).toEqual(['StartFrame', 'InterruptionFrame', 'EndFrame']);
    });

    it('lets a slow uninterruptible frame finish', async () => {
      const { task, run, down } = await startPipeline([slow(500)]);
      task.queueFrame(uninterruptible(new TextFrame('slow')));
      await passes(100);
      task.queueFrames([new InterruptionFrame(), new EndFrame()]);
      await passes(500);
      await run;
      expect(classesOf(down.frames)).toEqual(['StartFrame', 'InterruptionFrame', 'TextFrame', 'EndFrame']);
    });

    it('aborts the signal of the frame that it drops', async () => {
      let signal: AbortSignal | undefined;
      const processor = new Scripted(async (self, frame, direction) => {
        if (frame instanceof TextFrame) {
          signal = self.currentSignal();
          await sleep(500);
        }
        self.push(frame, direction);
      });
      const { task, run } = await startPipeline([processor]);
      task.queueFrame(new TextFrame('slow'));
      await passes(100);
      expect(signal?.aborted).toBe(false);
      task.queueFrame(new InterruptionFrame());
      await passes(0);
      expect(signal?.aborted).toBe(true);
      task.cancel();
      await run;
    });

    it('does not touch what a timer pushes', async () => {
      const processor = new Scripted(async (self, frame, direction) => {
        if (frame instanceof TTSStartedFrame) setTimeout(() => self.push(new TextFrame('from a timer')), 200);
        if (frame instanceof TextFrame) await sleep(500);
        self.push(frame, direction);
      });
      const { task, run, down } = await startPipeline([processor]);
      task.queueFrames([new TTSStartedFrame(), new TextFrame('slow')]);
      await passes(100);
      task.queueFrame(new InterruptionFrame());
      await passes(1_000);
      expect(textsOf(down.frames)).toEqual(['from a timer']);
      task.cancel();
      await run;
    });

    it('drops what a callback of the dropped frame would push', async () => {
      // fake timers lose the asynchronous context that real ones keep
      vi.useRealTimers();
      const processor = new Scripted(async (self, frame, direction) => {
        if (!(frame instanceof TextFrame)) return self.push(frame, direction);
        return new Promise<void>((done) => {
          setTimeout(() => {
            self.push(frame, direction);
            done();
          }, 30);
        });
      });
      const { task, run, down } = await startPipeline([processor]);
      task.queueFrame(new TextFrame('dropped'));
      await sleep(5);
      task.queueFrames([new InterruptionFrame(), new TextFrame('next'), new EndFrame()]);
      await run;
      expect(textsOf(down.frames)).toEqual(['next']);
    });
  });

  describe('broadcast', () => {
    it('pushes two frames of equal fields and ids of their own', async () => {
      const message = { shared: true };
      const processor = new IdentityFilter();
      const { up, down } = between(processor);
      processor.broadcast(OutputTransportMessageUrgentFrame, message);
      const [below, above] = [down.frames[0], up.frames[0]] as OutputTransportMessageUrgentFrame[];
      expect(below).not.toBe(above);
      expect(below?.id).not.toBe(above?.id);
      expect(below?.message).toBe(message);
      expect(above?.message).toBe(message);
      expect(below?.broadcastSiblingId).toBe(above?.id);
      expect(above?.broadcastSiblingId).toBe(below?.id);
    });

    it('copies a frame with everything but its id', () => {
      const processor = new IdentityFilter();
      const { up, down } = between(processor);
      const original = uninterruptible(new TextFrame('a'));
      const detail = { deep: true };
      Object.assign(original, { pts: 5, transportDestination: 'second', transportSource: 'mic' });
      original.metadata.detail = detail;
      processor.broadcastFrame(original);
      const copies = [down.frames[0], up.frames[0]] as TextFrame[];
      const fields = {
        text: 'a',
        pts: 5,
        transportDestination: 'second',
        transportSource: 'mic',
        uninterruptible: true,
      };
      for (const copy of copies) {
        expect(copy).toBeInstanceOf(TextFrame);
        expect(copy).toMatchObject(fields);
        expect(copy.metadata).toEqual({ detail });
        expect(copy.metadata).not.toBe(original.metadata);
        expect(copy.metadata.detail).toBe(detail);
      }
      expect(new Set([original, ...copies].map(({ id }) => id)).size).toBe(3);
      expect(new Set([original, ...copies].map(({ name }) => name)).size).toBe(3);
      expect(original.broadcastSiblingId).toBeUndefined();
    });

    it('pushes downstream first', () => {
      const processor = new IdentityFilter();
      const order: string[] = [];
      processor.on('beforePushFrame', (_frame, direction) => order.push(direction));
      between(processor);
      processor.broadcast(InterruptionFrame);
      expect(order).toEqual(['downstream', 'upstream']);
    });
  });

  describe('pauseProcessingAllFramesUntil', () => {
    async function setup() {
      const processor = new IdentityFilter();
      const pipeline = await startPipeline([processor]);
      const { promise, resolve } = (() => {
        let resolve: () => void = () => {};
        const promise = new Promise<void>((done) => {
          resolve = done;
        });
        return { promise, resolve };
      })();
      return { ...pipeline, processor, ready: promise, isReady: resolve };
    }

    it('holds the frames of both lanes, then delivers them in order', async () => {
      const { processor, task, down, ready, isReady, run } = await setup();
      processor.pauseProcessingAllFramesUntil(ready);
      task.queueFrames([new TextFrame('a'), new UserStartedSpeakingFrame(), new TextFrame('b')]);
      await passes(1_000);
      expect(classesOf(down.frames)).toEqual(['StartFrame']);
      isReady();
      await passes(0);
      expect(classesOf(down.frames)).toEqual([
        'StartFrame',
        'UserStartedSpeakingFrame',
        'TextFrame',
        'TextFrame',
      ]);
      expect(textsOf(down.frames)).toEqual(['a', 'b']);
      task.cancel();
      await run;
      expect(vi.getTimerCount()).toBe(0);
    });

    it('gives up after its time', async () => {
      const { processor, task, down, ready, run } = await setup();
      processor.pauseProcessingAllFramesUntil(ready, { timeoutMs: 300 });
      task.queueFrame(new TextFrame('a'));
      await passes(299);
      expect(textsOf(down.frames)).toEqual([]);
      await passes(1);
      expect(textsOf(down.frames)).toEqual(['a']);
      task.cancel();
      await run;
    });

    it('gives up after five seconds by default', async () => {
      const { processor, task, down, ready, run } = await setup();
      processor.pauseProcessingAllFramesUntil(ready);
      task.queueFrame(new TextFrame('a'));
      await passes(4_999);
      expect(textsOf(down.frames)).toEqual([]);
      await passes(1);
      expect(textsOf(down.frames)).toEqual(['a']);
      task.cancel();
      await run;
    });

    it('goes on when what it waits for fails', async () => {
      const { processor, task, down, run } = await setup();
      processor.pauseProcessingAllFramesUntil(Promise.reject(new Error('never ready')));
      task.queueFrame(new TextFrame('a'));
      await passes(0);
      expect(textsOf(down.frames)).toEqual(['a']);
      task.cancel();
      await run;
    });

    it('is lifted by a cancel', async () => {
      const { processor, task, down, ready, run } = await setup();
      processor.pauseProcessingAllFramesUntil(ready);
      task.cancel();
      await passes(0);
      expect(await run).toMatchObject({ reason: 'cancelled', forced: false });
      expect(vi.getTimerCount()).toBe(0);
      expect(classesOf(down.frames)).toEqual(['StartFrame', 'CancelFrame']);
    });

    it('only warns in direct mode', async () => {
      class Direct extends IdentityFilter {}
      const processor = new Direct({ directMode: true });
      const warn = vi.fn();
      const { task, run, down } = await startPipeline([processor], { logger: { ...silentLogger, warn } });
      processor.pauseProcessingAllFramesUntil(new Promise(() => {}));
      expect(warn).toHaveBeenCalledExactlyOnceWith(
        { processor: processor.name },
        expect.stringContaining('direct mode'),
      );
      task.queueFrames([new TextFrame('a'), new EndFrame()]);
      await run;
      expect(textsOf(down.frames)).toEqual(['a']);
      expect(vi.getTimerCount()).toBe(0);
    });
  });

  describe('pauseProcessingFrames', () => {
    it('lets system frames pass, and delivers the rest when resumed', async () => {
      const processor = new IdentityFilter();
      const { task, run, down } = await startPipeline([processor]);
      processor.pauseProcessingFrames();
      task.queueFrames([new TextFrame('a'), new UserStartedSpeakingFrame()]);
      await passes(100);
      expect(classesOf(down.frames)).toEqual(['StartFrame', 'UserStartedSpeakingFrame']);
      processor.resumeProcessingFrames();
      await passes(0);
      expect(textsOf(down.frames)).toEqual(['a']);
      task.cancel();
      await run;
    });

    it('is lifted by an interruption, which drops what waited', async () => {
      const processor = new IdentityFilter();
      const { task, run, down } = await startPipeline([processor]);
      processor.pauseProcessingFrames();
      task.queueFrame(new TextFrame('a'));
      await passes(0);
      task.queueFrame(new InterruptionFrame());
      await passes(0);
      task.queueFrame(new TextFrame('b'));
      await passes(0);
      expect(textsOf(down.frames)).toEqual(['b']);
      task.cancel();
      await run;
    });
  });

  describe('pauseProcessingSystemFrames', () => {
    it('holds system frames, and what comes behind them', async () => {
      const processor = new IdentityFilter();
      const { task, run, down } = await startPipeline([processor]);
      processor.pauseProcessingSystemFrames();
      task.queueFrames([new UserStartedSpeakingFrame(), new TextFrame('a')]);
      await passes(100);
      expect(classesOf(down.frames)).toEqual(['StartFrame']);
      processor.resumeProcessingSystemFrames();
      await passes(0);
      expect(classesOf(down.frames)).toEqual(['StartFrame', 'UserStartedSpeakingFrame', 'TextFrame']);
      task.cancel();
      await run;
    });
  });

  describe('pushError', () => {
    it('sends an ErrorFrame upstream, and emits it', async () => {
      const processor = new IdentityFilter();
      const { up, down } = between(processor);
      const told: unknown[] = [];
      processor.on('error', (error) => told.push(error));
      const cause = new Error('no network');
      processor.pushError({ error: cause, category: 'connectivity' });
      expect(up.frames).toMatchObject([{ error: 'no network', processor, category: 'connectivity', cause }]);
      expect(told).toEqual(up.frames);
      expect(down.frames).toEqual([]);
      expect(processor.usable).toBe(true);
    });

    it.each(['authentication', 'authorization', 'invalid_request'] as const)(
      'makes the processor unusable for the category %s',
      (category) => {
        const processor = new IdentityFilter();
        between(processor);
        const changes: boolean[] = [];
        processor.on('usableChanged', (usable) => changes.push(usable));
        processor.on('error', () => expect(processor.usable).toBe(false));
        processor.pushError({ error: 'no', category });
        processor.pushError({ error: 'no', category });
        expect(processor.usable).toBe(false);
        expect(changes).toEqual([false]);
      },
    );

    it('has the category unknown by default', () => {
      const processor = new IdentityFilter();
      const { up } = between(processor);
      processor.pushError({ error: 'text' });
      expect(up.frames).toMatchObject([{ error: 'text', category: 'unknown' }]);
    });
  });

  it('reports what process() throws, loses the frame, and goes on', async () => {
    const processor = new Scripted((self, frame, direction) => {
      if (frame instanceof TextFrame && frame.text === 'bad') throw new Error('boom');
      self.push(frame, direction);
    });
    const { task, run, down, up } = await startPipeline([processor]);
    task.queueFrames([new TextFrame('bad'), new TextFrame('good'), new EndFrame()]);
    expect(await run).toMatchObject({ reason: 'ended', forced: false });
    expect(textsOf(down.frames)).toEqual(['good']);
    expect(up.frames).toMatchObject([
      { error: expect.stringContaining('boom'), processor } as Partial<ErrorFrame>,
    ]);
  });

  describe('what is no frame', () => {
    const impostors = [{}, { kind: 'video' }, { kind: 'data' }, null, undefined, 'text', TextFrame];

    it.each(impostors)('is refused where it is pushed: %o', (impostor) => {
      const { processor, down } = between(new IdentityFilter());
      for (const direction of ['downstream', 'upstream'] as const)
        expect(() => processor.push(impostor as Frame, direction)).toThrow(InvalidOptionError);
      expect(down.frames).toEqual([]);
    });

    it.each([{}, { kind: 'video' }, null, undefined, 'text', TextFrame])(
      'is refused where it is queued: %o',
      (impostor) => {
        for (const directMode of [true, false])
          expect(() => new IdentityFilter({ directMode }).queueFrame(impostor as Frame)).toThrow(
            InvalidOptionError,
          );
      },
    );

    it('is an error of the processor that pushes it while it processes', async () => {
      const processor = new Scripted((self) => self.push({ text: 'no frame' } as unknown as Frame));
      const { task, run, up } = await startPipeline([processor]);
      task.cancel();
      await run;
      expect(up.frames.map((frame) => (frame as ErrorFrame).error)).toContainEqual(
        expect.stringMatching(/Option "frame" must be a Frame, got \{ text: 'no frame' \}/),
      );
    });
  });

  describe('with the default logger', () => {
    const failing = {
      'process() throws': new Scripted((self, frame) => {
        if (frame instanceof TextFrame) throw new Error('boom', { cause: new TypeError('why') });
        self.push(frame);
      }),
      'process() rejects': new Scripted(async (self, frame) => {
        await undefined;
        if (frame instanceof TextFrame) throw new Error('boom', { cause: new TypeError('why') });
        self.push(frame);
      }),
      'setup() throws': new (class FailsToSetUp extends IdentityFilter {
        override setup(): void {
          throw new Error('boom', { cause: new TypeError('why') });
        }
      })(),
    };

    it.each(Object.entries(failing))(
      'shows file and line, and those of the cause, where %s',
      async (_title, processor) => {
        const write = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
        onTestFinished(() => write.mockRestore());
        const { task, run } = await startPipeline([processor], { logger: stderrLogger });
        const causes: unknown[] = [];
        processor.on('error', (frame) => causes.push((frame as ErrorFrame).cause));
        task.queueFrames([new TextFrame('a'), new EndFrame()]);
        await run;
        if (processor instanceof Scripted) expect(causes).toMatchObject([{ message: 'boom' }]);
        const text = write.mock.calls.join('');
        expect(text).toMatch(/ {2}Error: boom\n(.*\n)*? +at .*frame-processor\.test\.ts:\d+:\d+/);
        expect(text).toMatch(
          / {2}\[cause\]: TypeError: why\n(.*\n)*? +at .*frame-processor\.test\.ts:\d+:\d+/,
        );
      },
    );

    it('shows nothing of what was thrown when that is no error', async () => {
      const write = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
      onTestFinished(() => write.mockRestore());
      const processor = new IdentityFilter();
      processor.pushError({ error: 'text', cause: { authorization: 'secret' } });
      expect(write.mock.calls.join('')).not.toContain('secret');
    });
  });

  it('pushes into nothing without harm', () => {
    new IdentityFilter().push(new TextFrame('lost'));
    new IdentityFilter().push(new TextFrame('lost'), 'upstream');
  });
});
