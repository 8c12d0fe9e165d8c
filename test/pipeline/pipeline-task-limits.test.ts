import { afterEach, describe, expect, it, vi } from 'vitest';
import type { ErrorFrame } from '../../src/frames/error-frame.ts';
import type { Frame, FrameDirection } from '../../src/frames/frame.ts';
import { CancelFrame, EndFrame, StartFrame } from '../../src/frames/lifecycle.ts';
import type { FrameClass } from '../../src/frames/of-frame.ts';
import { TextFrame } from '../../src/frames/text.ts';
import { InvalidOptionError, PipelineError } from '../../src/lib/errors.ts';
import { silentLogger } from '../../src/lib/logger.ts';
import { Pipeline } from '../../src/pipeline/pipeline.ts';
import { PipelineTask } from '../../src/pipeline/pipeline-task.ts';
import type { PipelineTaskOptions } from '../../src/pipeline/pipeline-task-options.ts';
import { FrameProcessor } from '../../src/processors/frame-processor.ts';
import { IdentityFilter } from '../../src/processors/identity-filter.ts';
import { passes, useFakeTime } from '../support/fake-time.ts';
import { makeTask } from '../support/start-pipeline.ts';

/** Keeps frames of one class for itself. */
class Keeps extends FrameProcessor {
  readonly #frameClass: FrameClass;

  constructor(frameClass: FrameClass) {
    super();
    this.#frameClass = frameClass;
  }

  protected override process(frame: Frame, direction: FrameDirection): void {
    if (!(frame instanceof this.#frameClass)) this.push(frame, direction);
  }
}

/** Never finishes frames of one class. */
class StuckOn extends FrameProcessor {
  readonly #frameClass: FrameClass;

  constructor(frameClass: FrameClass) {
    super();
    this.#frameClass = frameClass;
  }

  protected override async process(frame: Frame, direction: FrameDirection): Promise<void> {
    if (frame instanceof this.#frameClass) await new Promise(() => {});
    this.push(frame, direction);
  }
}

class NeverSetUp extends IdentityFilter {
  override setup(): Promise<void> {
    return new Promise(() => {});
  }
}

/** Pauses itself at a text, and forgets to resume. */
class Forgetful extends FrameProcessor {
  protected override process(frame: Frame, direction: FrameDirection): void {
    if (frame instanceof TextFrame) this.pauseProcessingFrames();
    this.push(frame, direction);
  }
}

function setup(processors: FrameProcessor[], options?: PipelineTaskOptions) {
  const pipeline = makeTask(processors, options);
  const finished = vi.fn();
  pipeline.task.on('finished', finished);
  return { ...pipeline, finished, run: pipeline.task.run() };
}

describe('PipelineTask options', () => {
  const refused: PipelineTaskOptions[] = [
    { setupTimeoutMs: 2 ** 31 },
    { idleTimeoutMs: Number.POSITIVE_INFINITY },
    { cancelTimeoutMs: 0 },
    { heartbeats: { periodMs: 0 } },
    { heartbeats: { timeoutMs: 2 ** 31 } },
    { processorUnusablePolicy: 'stop' as 'end' },
  ];
  it.each(refused)('refuses %o', (options) => {
    expect(() => makeTask([], options)).toThrow(InvalidOptionError);
  });

  const anything = (value: unknown): never => value as never;
  it.each<[option: string, options: unknown, named: string]>([
    ['idleTimeoutMS', { idleTimeoutMS: 5 }, 'idleTimeoutMs'],
    ['observer', { observer: [] }, 'observers'],
    ['period', { heartbeats: { period: 5 } }, 'periodMs'],
    ['options', null, 'an object'],
    ['name', { name: 5 }, 'string'],
    ['audioInSampleRate', { audioInSampleRate: '16000' }, "'16000'"],
    ['observers', { observers: [null] }, 'null'],
    ['observers', { observers: [class {}] }, 'class'],
    ['observers', { observers: { onPushFrame: () => {} } }, 'onPushFrame'],
    ['cancelOnIdleTimeout', { cancelOnIdleTimeout: 'no' }, "'no'"],
    ['idleTimeoutFrames', { idleTimeoutFrames: [new TextFrame('an instance')] }, 'TextFrame'],
    ['idleTimeoutFrames', { idleTimeoutFrames: TextFrame }, 'TextFrame'],
    ['heartbeats', { heartbeats: 1_000 }, '1000'],
    ['startMetadata', { startMetadata: 'call 5' }, "'call 5'"],
    ['reachedDownstreamFilter', { reachedDownstreamFilter: ['TextFrame'] }, "'TextFrame'"],
    ['reachedUpstreamFilter', { reachedUpstreamFilter: null }, 'null'],
    ['logger', { logger: { info: () => {} } }, 'warn()'],
  ])('refuses a wrong %s, naming it: %o', (option, options, named) => {
    const make = (): unknown => new PipelineTask(new IdentityFilter(), anything(options));
    expect(make).toThrow(InvalidOptionError);
    expect(make).toThrow(`"${option}"`);
    expect(make).toThrow(named);
  });

  it.each([null, [new IdentityFilter()], IdentityFilter])('refuses %o as a pipeline', (pipeline) => {
    expect(() => new PipelineTask(anything(pipeline))).toThrow('"pipeline"');
  });

  it('refuses what can never work where it is given later', async () => {
    const { task } = makeTask([]);
    expect(() => task.addObserver(anything(null))).toThrow(InvalidOptionError);
    expect(() => task.queueFrame(anything('hello'))).toThrow(InvalidOptionError);
    expect(() => task.queueFrame(new TextFrame('a'), anything('up'))).toThrow("'up'");
    expect(() => task.queueFrames(anything(new TextFrame('a')))).toThrow('"frames"');
    await expect(task.flush({ timeoutMs: Number.NaN })).rejects.toThrow(InvalidOptionError);
    await expect(task.flush(anything({ timeout: 5 }))).rejects.toThrow('timeoutMs');
  });

  it('takes the longest limit that a timer can wait, and none', () => {
    expect(() => makeTask([], { idleTimeoutMs: 2 ** 31 - 1, cancelTimeoutMs: null })).not.toThrow();
  });
});

describe('PipelineTask limits', () => {
  useFakeTime();
  afterEach(() => expect(vi.getTimerCount()).toBe(0));

  it('ends a run whose CancelFrame is kept', async () => {
    const { task, run, finished, down } = setup([new Keeps(CancelFrame)], { cancelTimeoutMs: 500 });
    await passes(0);
    task.cancel('enough');
    await passes(600);
    expect(await run).toMatchObject({ reason: 'cancelled', frame: { reason: 'enough' }, forced: true });
    expect(finished).toHaveBeenCalledOnce();
    expect(down.framesOf(CancelFrame)).toHaveLength(1);
  });

  it('ends a run that is cancelled while its StartFrame is stuck', async () => {
    const { task, run, finished } = setup([new StuckOn(StartFrame)], { cancelTimeoutMs: 500 });
    await passes(100);
    task.cancel('too slow');
    await passes(600);
    expect(await run).toMatchObject({ reason: 'cancelled', frame: { reason: 'too slow' } });
    expect(finished).toHaveBeenCalledOnce();
  });

  it('fails a run whose StartFrame is stuck for too long', async () => {
    const { run, finished } = setup([new StuckOn(StartFrame)], { startTimeoutMs: 1_000 });
    await passes(1_000);
    expect(await run).toMatchObject({ reason: 'failed', error: expect.any(PipelineError) });
    expect(finished).toHaveBeenCalledOnce();
  });

  it('fails a run whose processors are not set up in time', async () => {
    const { run, finished } = setup([new NeverSetUp()], { setupTimeoutMs: 1_000 });
    await passes(999);
    expect(finished).not.toHaveBeenCalled();
    await passes(1);
    expect(await run).toMatchObject({ reason: 'failed', error: expect.any(PipelineError) });
    expect(finished).toHaveBeenCalledOnce();
  });

  it('cleans up the rest when the setup took too long and one cleanup throws', async () => {
    const cleaned: string[] = [];
    class Cleans extends IdentityFilter {
      override async cleanup(): Promise<void> {
        cleaned.push(this.name);
        await super.cleanup();
        if (this.name === 'bad') throw new Error('cannot');
      }
    }
    const processors = [new NeverSetUp(), new Cleans({ name: 'bad' }), new Cleans({ name: 'good' })];
    const { run } = setup(processors, { setupTimeoutMs: 1_000 });
    await passes(1_000);
    expect(await run).toMatchObject({ reason: 'failed' });
    expect(cleaned).toEqual(['bad', 'good']);
  });

  it.each(['settles', 'fails'])(
    'cleans up again what a setup made that %s when the run is over',
    async (how) => {
      const calls: string[] = [];
      class Late extends IdentityFilter {
        override async setup(): Promise<void> {
          await new Promise((resolve) => setTimeout(resolve, 2_000));
          calls.push('made');
          if (how === 'fails') throw new Error('too late');
        }
        override async cleanup(): Promise<void> {
          calls.push('cleanup');
          if (calls.includes('made')) throw new Error('nor this');
        }
      }
      const errors: object[] = [];
      const logger = { ...silentLogger, error: (fields: object) => void errors.push(fields) };
      const { run } = setup([new Pipeline([new Late({ name: 'late' })])], { setupTimeoutMs: 1_000, logger });
      await passes(1_000);
      await run;
      expect(calls).toEqual(['cleanup']);
      await passes(1_000);
      expect(calls).toEqual(['cleanup', 'made', 'cleanup']);
      expect(errors).toContainEqual(expect.objectContaining({ processor: 'late' }));
    },
  );

  it('does not clean up again what was set up in time', async () => {
    const cleanup = vi.fn();
    class Slow extends IdentityFilter {
      override async setup(): Promise<void> {
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
      override cleanup = cleanup;
    }
    const { task, run } = setup([new Slow()]);
    task.stopWhenDone();
    await passes(200);
    await run;
    expect(cleanup).toHaveBeenCalledOnce();
  });

  it('reports a setup that throws what has no text', async () => {
    class Strange extends IdentityFilter {
      override setup(): void {
        throw Object.create(null);
      }
    }
    const { task, run } = setup([new Strange()]);
    const errors: ErrorFrame[] = [];
    task.on('error', (error) => void errors.push(error as ErrorFrame));
    task.stopWhenDone();
    await passes(0);
    expect(await run).toMatchObject({ reason: 'ended' });
    expect(errors.map(({ error }) => error)).toEqual([
      'Error setting up processor: an object without a text',
    ]);
  });

  it('does not wait for a cleanup that never ends', async () => {
    class NeverCleansUp extends IdentityFilter {
      override cleanup(): Promise<void> {
        return new Promise(() => {});
      }
    }
    const { task, run } = setup([new NeverCleansUp()], { cleanupTimeoutMs: 300 });
    task.stopWhenDone();
    await passes(300);
    expect(await run).toMatchObject({ reason: 'ended' });
  });

  it('lets an EndFrame out of a processor that paused itself and was never resumed', async () => {
    const { task, run, down } = setup([new Forgetful()], { endStallTimeoutMs: 1_000 });
    task.queueFrames([new TextFrame('a'), new EndFrame()]);
    await passes(5_000);
    expect(await run).toMatchObject({ reason: 'ended', forced: true });
    expect(down.framesOf(EndFrame)).toHaveLength(1);
  });

  it('does not limit the length of an end that moves', async () => {
    class Slow extends FrameProcessor {
      protected override async process(frame: Frame, direction: FrameDirection): Promise<void> {
        if (frame instanceof TextFrame) await new Promise((done) => setTimeout(done, 900));
        this.push(frame, direction);
      }
    }
    const { task, run, down } = setup([new Slow()], { endStallTimeoutMs: 1_000 });
    task.queueFrames(Array.from({ length: 20 }, (_, index) => new TextFrame(`${index}`)));
    task.stopWhenDone();
    await passes(20_000);
    expect(await run).toMatchObject({ reason: 'ended', forced: false });
    expect(down.framesOf(TextFrame)).toHaveLength(20);
  });
});
