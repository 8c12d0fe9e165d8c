import { describe, expect, it, vi } from 'vitest';
import { type ErrorCategory, ErrorFrame } from '../../src/frames/error-frame.ts';
import type { Frame, FrameDirection } from '../../src/frames/frame.ts';
import { InterruptionFrame, InterruptionTaskFrame } from '../../src/frames/interruption.ts';
import { CancelFrame, EndFrame, EndTaskFrame, StartFrame, StopFrame } from '../../src/frames/lifecycle.ts';
import { TTSStartedFrame } from '../../src/frames/speaking.ts';
import { TextFrame } from '../../src/frames/text.ts';
import { InvalidOptionError, PipelineError } from '../../src/lib/errors.ts';
import type { Observer } from '../../src/observers/observer.ts';
import { ParallelPipeline } from '../../src/pipeline/parallel-pipeline.ts';
import { FrameProcessor } from '../../src/processors/frame-processor.ts';
import type { LifecycleEvent } from '../../src/processors/frame-processor-setup.ts';
import { IdentityFilter } from '../../src/processors/identity-filter.ts';
import { passes, useFakeTime } from '../support/fake-time.ts';
import { makeTask, startPipeline, textsOf } from '../support/start-pipeline.ts';
import { FaultyProcessor } from './faults.ts';

/** Answers a text upstream. */
class Answers extends FrameProcessor {
  protected override process(frame: Frame, direction: FrameDirection): void {
    if (frame instanceof TextFrame && direction === 'downstream')
      this.push(new TTSStartedFrame(), 'upstream');
    this.push(frame, direction);
  }
}

/** Sends requests to end both ways. */
class Broadcasts extends FrameProcessor {
  protected override process(frame: Frame, direction: FrameDirection): void {
    if (frame instanceof EndTaskFrame && direction === 'downstream') this.broadcastFrame(frame);
    else this.push(frame, direction);
  }
}

class Fails extends FrameProcessor {
  protected override process(frame: Frame, direction: FrameDirection): void {
    if (frame instanceof TextFrame) throw new Error('boom');
    this.push(frame, direction);
  }
}

/** Notes the texts that are pushed by the identity it watches. */
function watcher(source: FrameProcessor): Observer & { readonly texts: string[] } {
  const texts: string[] = [];
  return {
    texts,
    onPushFrame: (event) => {
      if (event.source === source) texts.push(...textsOf([event.frame]));
    },
  };
}

describe('PipelineTask', () => {
  useFakeTime();

  it('delivers what was queued before it ran', async () => {
    const { task, down } = makeTask([new IdentityFilter()]);
    task.queueFrames([new TextFrame('a'), new TextFrame('b'), new EndFrame()]);
    expect(task.hasFinished).toBe(false);
    const result = await task.run();
    expect(result).toMatchObject({ reason: 'ended', frame: expect.any(EndFrame), forced: false });
    expect(task.hasFinished).toBe(true);
    expect(textsOf(down.frames)).toEqual(['a', 'b']);
  });

  it('tells when it has started, and how it ended', async () => {
    const { task } = makeTask([new IdentityFilter()]);
    const told: unknown[] = [];
    task.on('started', () => told.push('started'));
    task.on('finished', (result) => told.push(result));
    task.queueFrame(new EndFrame('done'));
    const result = await task.run();
    expect(told).toEqual(['started', result]);
    expect(result).toMatchObject({ reason: 'ended', frame: { reason: 'done' } });
  });

  it('delivers what was queued before it ran ahead of what is queued when it has started', async () => {
    const { task, down } = makeTask([new IdentityFilter()]);
    task.queueFrame(new TextFrame('early'));
    task.once('started', () => task.queueFrames([new TextFrame('later'), new EndFrame()]));
    await task.run();
    expect(textsOf(down.frames)).toEqual(['early', 'later']);
  });

  it('stops with a StopFrame, and keeps the processors', async () => {
    const processor = new IdentityFilter();
    const cleanup = vi.spyOn(processor, 'cleanup');
    const { task, run } = await startPipeline([processor]);
    const finished = vi.fn();
    task.on('finished', finished);
    task.queueFrame(new StopFrame());
    expect(await run).toMatchObject({ reason: 'stopped', frame: expect.any(StopFrame) });
    expect(finished).toHaveBeenCalledOnce();
    expect(cleanup).not.toHaveBeenCalled();
  });

  it.each([
    ['an EndFrame', new EndFrame()],
    ['a CancelFrame', new CancelFrame()],
  ])('cleans every processor up once at %s', async (_, last) => {
    const processors = [new IdentityFilter(), new IdentityFilter()];
    const cleanups = processors.map((processor) => vi.spyOn(processor, 'cleanup'));
    const { task, run } = await startPipeline(processors);
    task.queueFrame(last);
    await run;
    for (const cleanup of cleanups) expect(cleanup).toHaveBeenCalledOnce();
  });

  describe('a request of a processor', () => {
    it('comes back up as a new frame, with its reason and nothing else', async () => {
      const request = new EndTaskFrame('done');
      request.metadata.turn = 3;
      request.transportDestination = 'second';
      const { task, run, up } = await startPipeline([new Broadcasts()]);
      task.queueFrame(request);
      expect(await run).toMatchObject({ reason: 'ended', frame: { reason: 'done' } });
      const back = up.framesOf(EndTaskFrame).at(-1);
      expect(back).toMatchObject({ reason: 'done', metadata: {}, transportDestination: undefined });
      expect(back?.broadcastSiblingId).toBeUndefined();
      expect(back?.id).not.toBe(request.id);
    });
  });

  describe('processorUnusablePolicy', () => {
    async function unusable(
      processorUnusablePolicy?: 'continue' | 'end' | 'cancel',
      ...categories: ErrorCategory[]
    ) {
      const processor = new IdentityFilter();
      const options = processorUnusablePolicy === undefined ? {} : { processorUnusablePolicy };
      const pipeline = await startPipeline([processor], options);
      for (const category of categories) processor.pushError({ error: 'no such key', category });
      await passes(10);
      return { ...pipeline, processor };
    }

    it('goes on by default', async () => {
      const { task, run, down, processor } = await unusable(undefined, 'authentication');
      expect(processor.usable).toBe(false);
      task.queueFrames([new TextFrame('still here'), new EndFrame()]);
      expect(await run).toMatchObject({ reason: 'ended', forced: false });
      expect(down.framesOf(TextFrame)).toHaveLength(1);
    });

    it.each(['authentication', 'authorization', 'invalid_request'] as const)(
      'ends in good order at an error of the category %s, where it says so',
      async (category) => {
        const { run, processor } = await unusable('end', category);
        const reason = `${processor.name} is unusable`;
        expect(await run).toMatchObject({ reason: 'ended', frame: { reason } });
      },
    );

    it('cancels where it says so', async () => {
      const { run } = await unusable('cancel', 'authorization');
      expect(await run).toMatchObject({ reason: 'cancelled' });
    });

    it('counts each processor once', async () => {
      const { run, down } = await unusable('end', 'authentication', 'authentication', 'invalid_request');
      await run;
      expect(down.framesOf(EndFrame)).toHaveLength(1);
    });

    it('does not concern errors that may pass', async () => {
      const { task, run, processor } = await unusable('cancel', 'connectivity', 'unknown');
      expect(processor.usable).toBe(true);
      task.queueFrame(new EndFrame());
      expect(await run).toMatchObject({ reason: 'ended' });
    });
  });

  describe('flush', () => {
    it('tells when everything queued before is through', async () => {
      const { task, run, down } = await startPipeline([new IdentityFilter(), new IdentityFilter()]);
      task.queueFrames(Array.from({ length: 100 }, (_, index) => new TextFrame(`${index}`)));
      expect(await task.flush()).toBe(true);
      expect(down.framesOf(TextFrame)).toHaveLength(100);
      task.cancel();
      await run;
    });

    it('does not claim so when the run is over first', async () => {
      const { task, run } = await startPipeline([new FaultyProcessor('hangs', 'flush')]);
      const flushed = task.flush();
      task.cancel();
      expect(await flushed).toBe(false);
      await run;
    });

    it('passes branches', async () => {
      const branches = new ParallelPipeline([new IdentityFilter()], [new IdentityFilter()]);
      const { task, run } = await startPipeline([branches]);
      const flushed = task.flush();
      await passes(5_000);
      expect(await flushed).toBe(true);
      task.cancel();
      await run;
    });

    it('gives up after its time', async () => {
      const { task, run } = await startPipeline([new FaultyProcessor('hangs', 'flush')]);
      const flushed = task.flush({ timeoutMs: 700 });
      await passes(700);
      expect(await flushed).toBe(false);
      task.cancel();
      await run;
    });
  });

  it('runs once only', async () => {
    const { task, run } = await startPipeline([]);
    await expect(task.run()).rejects.toThrow(PipelineError);
    task.cancel();
    await run;
  });

  describe('frames that come out', () => {
    it('are told for the classes asked for, each direction on its own', async () => {
      const { task, run } = await startPipeline([new Answers()], {
        reachedDownstreamFilter: [TextFrame],
        reachedUpstreamFilter: [TTSStartedFrame],
      });
      const down = vi.fn();
      const up = vi.fn();
      task.on('frameReachedDownstream', down);
      task.on('frameReachedUpstream', up);
      task.queueFrames([new TextFrame('a'), new TTSStartedFrame(), new EndFrame()]);
      await run;
      expect(down.mock.calls).toEqual([[expect.any(TextFrame)]]);
      expect(up.mock.calls).toEqual([[expect.any(TTSStartedFrame)]]);
    });

    it('are not told unless asked for', async () => {
      const { task, run } = await startPipeline([new IdentityFilter()]);
      const told = vi.fn();
      task.on('frameReachedDownstream', told);
      task.queueFrames([new TextFrame('a'), new EndFrame()]);
      await run;
      expect(told).not.toHaveBeenCalled();
    });
  });

  it('sends a frame upstream from the end of the pipeline', async () => {
    const { task, run, up, down } = await startPipeline([new IdentityFilter()]);
    task.queueFrame(new TextFrame('a'), 'upstream');
    await task.flush();
    task.stopWhenDone();
    await run;
    expect(textsOf(up.frames)).toEqual(['a']);
    expect(textsOf(down.frames)).toEqual([]);
  });

  it('sends several frames upstream, in order', async () => {
    const { task, run, up } = await startPipeline([new IdentityFilter()]);
    task.queueFrames([new TextFrame('a'), new TextFrame('b')], 'upstream');
    await task.flush();
    task.stopWhenDone();
    await run;
    expect(textsOf(up.frames)).toEqual(['a', 'b']);
  });

  it('interrupts when it is asked to from outside', async () => {
    const { task, run, down } = await startPipeline([new IdentityFilter()]);
    task.queueFrame(new InterruptionTaskFrame(), 'upstream');
    await task.flush();
    task.stopWhenDone();
    await run;
    expect(down.framesOf(InterruptionFrame)).toHaveLength(1);
  });

  it('refuses what is no frame, and a limit that can never work', () => {
    const { task } = makeTask([]);
    expect(() => task.queueFrame({} as Frame)).toThrow(InvalidOptionError);
    expect(() => makeTask([], { startTimeoutMs: -1 })).toThrow(InvalidOptionError);
    expect(() => makeTask([], { cancelTimeoutMs: Number.NaN })).toThrow(InvalidOptionError);
  });

  describe('an error', () => {
    it('is told, and a listener may cancel', async () => {
      const failing = new Fails();
      const { task, run } = await startPipeline([failing]);
      const told = vi.fn((_error: unknown) => task.cancel('gave up'));
      task.on('error', told);
      task.queueFrame(new TextFrame('a'));
      expect(await run).toMatchObject({ reason: 'cancelled', frame: { reason: 'gave up' } });
      expect(told).toHaveBeenCalledExactlyOnceWith(expect.any(ErrorFrame));
      expect(told.mock.calls[0]?.[0]).toMatchObject({
        error: expect.stringContaining('boom'),
        processor: failing,
      });
    });

    it('does not end the run by itself', async () => {
      const { task, run } = await startPipeline([new Fails()]);
      task.queueFrames([new TextFrame('a'), new EndFrame()]);
      expect(await run).toMatchObject({ reason: 'ended', forced: false });
    });

    it('about the end is told, also when it takes long to get to the beginning', async () => {
      class SlowErrors extends FrameProcessor {
        protected override async process(frame: Frame, direction: FrameDirection): Promise<void> {
          if (frame instanceof ErrorFrame) await new Promise((done) => setTimeout(done, 500));
          this.push(frame, direction);
        }
      }
      class CannotEnd extends FrameProcessor {
        protected override process(frame: Frame, direction: FrameDirection): void {
          if (frame instanceof EndFrame) throw new Error('cannot end');
          this.push(frame, direction);
        }
      }
      const { task, run } = await startPipeline([new SlowErrors(), new CannotEnd()]);
      const told = vi.fn();
      task.on('error', told);
      task.stopWhenDone();
      await passes(1_000);
      expect(await run).toMatchObject({ reason: 'ended', forced: true });
      expect(told).toHaveBeenCalledExactlyOnceWith(expect.any(ErrorFrame));
    });

    it('of a listener is told as well', async () => {
      const { task, run } = await startPipeline([]);
      const told = vi.fn();
      task.on('error', told);
      task.on('finished', () => {
        throw new Error('listener');
      });
      task.stopWhenDone();
      expect(await run).toMatchObject({ reason: 'ended' });
      expect(told).toHaveBeenCalledExactlyOnceWith(expect.objectContaining({ message: 'listener' }));
    });
  });

  describe('observers', () => {
    it('given at construction are told what is pushed', async () => {
      const source = new IdentityFilter();
      const observer = watcher(source);
      const { task, run } = await startPipeline([source], { observers: [observer] });
      task.queueFrames([new TextFrame('a'), new EndFrame()]);
      await run;
      expect(observer.texts).toEqual(['a']);
    });

    it('are told what is pushed between being added and being removed', async () => {
      const source = new IdentityFilter();
      const [before, during] = [watcher(source), watcher(source)];
      const { task } = makeTask([source]);
      task.addObserver(before);
      const started = new Promise<void>((resolve) => task.once('started', resolve));
      const run = task.run();
      await started;
      task.queueFrame(new TextFrame('a'));
      await task.flush();
      task.addObserver(during);
      task.queueFrame(new TextFrame('b'));
      await task.flush();
      task.removeObserver(during);
      task.queueFrames([new TextFrame('c'), new EndFrame()]);
      await run;
      expect(before.texts).toEqual(['a', 'b', 'c']);
      expect(during.texts).toEqual(['b']);
    });
  });

  describe('lifecycle$', () => {
    it('tells every lifecycle frame, and completes', async () => {
      const { task } = makeTask([new IdentityFilter()]);
      const told: string[] = [];
      const note = ({ phase, frame }: LifecycleEvent): void => {
        told.push(`${frame.constructor.name} ${phase}`);
      };
      task.lifecycle$.subscribe({ next: note, complete: () => told.push('completed') });
      task.stopWhenDone();
      await task.run();
      expect(told).toEqual([
        'StartFrame entered',
        'StartFrame completed',
        'EndFrame entered',
        'EndFrame completed',
        'completed',
      ]);
    });

    it('tells a late subscriber the latest', async () => {
      const { task, run } = await startPipeline([]);
      const told: LifecycleEvent[] = [];
      task.lifecycle$.subscribe((event) => told.push(event));
      expect(told).toMatchObject([{ phase: 'completed', frame: expect.any(StartFrame) }]);
      task.cancel();
      await run;
      expect(told.map(({ phase }) => phase)).toEqual(['completed', 'entered', 'completed']);
    });
  });
});
