import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { CancelFrame, EndFrame, StopFrame } from '../../src/frames/lifecycle.ts';
import { silentLogger } from '../../src/lib/logger.ts';
import { PipelineTask } from '../../src/pipeline/pipeline-task.ts';
import type { PipelineTaskOptions } from '../../src/pipeline/pipeline-task-options.ts';
import type { FrameProcessor } from '../../src/processors/frame-processor.ts';
import type { FrameProcessorSetup, LifecycleEvent } from '../../src/processors/frame-processor-setup.ts';
import { IdentityFilter } from '../../src/processors/identity-filter.ts';
import { FaultyProcessor, pass, Recorder } from './faults.ts';

/** What a subscriber is told, as text: `entered EndFrame`, `complete`, `error`. */
function record(source: Pick<FrameProcessorSetup, 'lifecycle$'>): string[] {
  const told: string[] = [];
  source.lifecycle$.subscribe({
    next: ({ phase, frame }: LifecycleEvent) => told.push(`${phase} ${frame.constructor.name}`),
    error: () => told.push('error'),
    complete: () => told.push('complete'),
  });
  return told;
}

const newTask = (
  processor: FrameProcessor = new IdentityFilter(),
  options: PipelineTaskOptions = {},
): PipelineTask => new PipelineTask(processor, { logger: silentLogger, ...options });

describe('lifecycle$', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it.each([
    ['EndFrame', () => new EndFrame()],
    ['StopFrame', () => new StopFrame()],
    ['CancelFrame', () => new CancelFrame()],
  ] as const)(
    'tells the start and the %s, each as it enters and when it has come out',
    async (name, make) => {
      const task = newTask();
      const told = record(task);
      void task.run();
      await pass(0);
      expect(told).toEqual(['entered StartFrame', 'completed StartFrame']);
      task.queueFrame(make());
      await pass(0);
      expect(told.slice(2)).toEqual([`entered ${name}`, `completed ${name}`, 'complete']);
    },
  );

  it('tells a late subscriber the latest, then what follows', async () => {
    const task = newTask();
    void task.run();
    await pass(0);
    const told = record(task);
    expect(told).toEqual(['completed StartFrame']);
    task.stopWhenDone();
    await pass(0);
    expect(told.slice(1)).toEqual(['entered EndFrame', 'completed EndFrame', 'complete']);
  });

  it('tells one that subscribes after the end how it ended', async () => {
    const task = newTask();
    task.stopWhenDone();
    await task.run();
    expect(record(task)).toEqual(['completed EndFrame', 'complete']);
  });

  it('is the same in the setup of a processor', async () => {
    const told: string[][] = [];
    const processor = new (class extends IdentityFilter {
      override setup(setup: FrameProcessorSetup): void {
        super.setup(setup);
        told.push(record(setup));
      }
    })();
    const task = newTask(processor);
    task.stopWhenDone();
    await task.run();
    expect(told).toEqual([
      ['entered StartFrame', 'completed StartFrame', 'entered EndFrame', 'completed EndFrame', 'complete'],
    ]);
  });

  it('tells the same frame twice, the one that was queued', async () => {
    const end = new EndFrame('goodbye');
    const task = newTask();
    const frames: unknown[] = [];
    task.lifecycle$.subscribe(({ frame }) => frames.push(frame));
    task.queueFrame(end);
    await task.run();
    expect(frames.slice(2)).toEqual([end, end]);
  });

  it('tells a cancel at once, also behind an end that is stuck', async () => {
    const task = newTask(new FaultyProcessor('hangs', 'end', 'cancel'));
    const told = record(task);
    void task.run();
    await pass(0);
    task.stopWhenDone();
    task.cancel();
    expect(told.slice(2)).toEqual(['entered EndFrame', 'entered CancelFrame']);
    await pass(2_100);
    expect(told.slice(4)).toEqual(['completed CancelFrame', 'complete']);
  });

  it('tells a cancel before the run', async () => {
    const task = newTask();
    task.cancel();
    const told = record(task);
    expect(told).toEqual(['entered CancelFrame']);
    await task.run();
    expect(told).toEqual(['entered CancelFrame', 'completed CancelFrame', 'complete']);
  });

  it.each(['downstream', 'upstream'] as const)(
    'tells an EndFrame that a processor pushes %s',
    async (direction) => {
      const middle = new Recorder();
      const task = newTask(middle);
      const told = record(task);
      void task.run();
      await pass(0);
      middle.push(new EndFrame(), direction);
      await pass(0);
      expect(told.slice(2).toSorted()).toEqual(['complete', 'completed EndFrame', 'entered EndFrame']);
    },
  );

  it('tells one cancel only', async () => {
    const task = newTask(new FaultyProcessor('hangs', 'cancel'));
    const told = record(task);
    void task.run();
    await pass(0);
    task.cancel();
    task.cancel();
    task.queueFrame(new CancelFrame());
    await pass(3_000);
    expect(told.slice(2)).toEqual(['entered CancelFrame', 'completed CancelFrame', 'complete']);
  });

  it('completes, without an error, when the run failed', async () => {
    const task = newTask(new FaultyProcessor('hangs', 'start'), { startTimeoutMs: 100 });
    const told = record(task);
    void task.run();
    await pass(200);
    expect(told).toEqual(['entered StartFrame', 'complete']);
  });

  it('completes before the exit hooks begin', async () => {
    const order: string[] = [];
    const processor = new (class extends IdentityFilter {
      override setup(setup: FrameProcessorSetup): void {
        super.setup(setup);
        setup.lifecycle$.subscribe({ complete: () => order.push('complete') });
        setup.onExit('hook', () => void order.push('hook'));
      }
    })();
    const task = newTask(processor);
    task.on('finished', () => order.push('finished'));
    task.stopWhenDone();
    await task.run();
    expect(order).toEqual(['complete', 'hook', 'finished']);
  });
});
