import { describe, expect, it } from 'vitest';
import { StopFrame } from '../../src/frames/lifecycle.ts';
import { TextFrame } from '../../src/frames/text.ts';
import { PipelineError } from '../../src/lib/errors.ts';
import { silentLogger } from '../../src/lib/logger.ts';
import { ParallelPipeline } from '../../src/pipeline/parallel-pipeline.ts';
import { Pipeline } from '../../src/pipeline/pipeline.ts';
import { PipelineTask } from '../../src/pipeline/pipeline-task.ts';
import type { FrameProcessor } from '../../src/processors/frame-processor.ts';
import { IdentityFilter } from '../../src/processors/identity-filter.ts';
import { MemoryTransport } from '../../src/testing/memory-transport.ts';
import { textsOf } from '../support/start-pipeline.ts';
import { FaultyProcessor, Recorder } from './faults.ts';

/** A task, what comes out of it, and the end of its run. */
function started(pipeline: FrameProcessor) {
  const task = new PipelineTask(pipeline, { logger: silentLogger, idleTimeoutMs: null });
  const frames: TextFrame[] = [];
  task.frames$.subscribe((frame) => {
    if (frame instanceof TextFrame) frames.push(frame);
  });
  const isStarted = new Promise<void>((resolve) => task.once('started', resolve));
  return { task, isStarted, texts: () => textsOf(frames), run: task.run() };
}

const transport = new MemoryTransport();
const shared: Record<string, () => [FrameProcessor, (processor: FrameProcessor) => FrameProcessor]> = {
  processor: () => [new Recorder(), (processor) => new Pipeline([new IdentityFilter(), processor])],
  pipeline: () => [new Pipeline([new Recorder()]), (pipeline) => pipeline],
  transport: () => [transport.output(), (output) => new Pipeline([transport.input(), output])],
  'processor in a branch': () => [new Recorder(), (processor) => new ParallelPipeline([], [processor])],
};

describe.each(Object.entries(shared))('a %s in two tasks at once', (_title, make) => {
  it('fails the second run at once, by name, and leaves the first one alone', async () => {
    const [processor, around] = make();
    const first = started(around(processor));
    await first.isStarted;
    const second = started(around(processor));
    second.task.queueFrame(new TextFrame('of the second'));
    const result = await second.run;
    expect(result).toMatchObject({ reason: 'failed', forced: false, error: expect.any(PipelineError) });
    expect((result.error as Error).message).toMatch(/ is in another task, which still runs$/);
    first.task.queueFrame(new TextFrame('of the first'));
    first.task.stopWhenDone();
    expect(await first.run).toMatchObject({ reason: 'ended', forced: false });
    expect(first.texts()).toEqual(['of the first']);
    expect(second.texts()).toEqual([]);
    if (processor instanceof Recorder) expect(processor.cleanups).toBe(1);
  });

  it.each(['stopWhenDone', 'cancel'] as const)(
    'is fine in the second one after a %s of the first',
    async (end) => {
      const [processor, around] = make();
      const [pipeline, other] = [around(processor), around(processor)];
      const first = started(pipeline);
      await first.isStarted;
      first.task[end]();
      await first.run;
      for (const again of [other, pipeline]) {
        const second = started(again);
        second.task.queueFrame(new TextFrame('of the second'));
        second.task.stopWhenDone();
        expect(await second.run).toMatchObject({ reason: 'ended', forced: false });
        expect(second.texts()).toEqual(['of the second']);
      }
    },
  );
});

describe('a run that is over', () => {
  it('by a StopFrame, or by a start that failed, lets others have its processors', async () => {
    const recorder = new Recorder();
    const stopped = started(new Pipeline([recorder]));
    stopped.task.queueFrame(new StopFrame());
    expect((await stopped.run).reason).toBe('stopped');
    const failing = new PipelineTask(new Pipeline([recorder, new FaultyProcessor('hangs', 'start')]), {
      logger: silentLogger,
      startTimeoutMs: 1,
    });
    expect((await failing.run()).reason).toBe('failed');
    const last = started(new Pipeline([recorder]));
    last.task.stopWhenDone();
    expect((await last.run).reason).toBe('ended');
  });
});

describe('a processor', () => {
  it('that is in one pipeline twice fails the run, by name', async () => {
    const twice = new IdentityFilter({ name: 'twice' });
    const { run } = started(new Pipeline([twice, new Pipeline([twice])]));
    expect((await run).error).toMatchObject({ message: 'twice is in this pipeline twice' });
  });
});
