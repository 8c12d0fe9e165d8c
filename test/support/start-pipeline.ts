import type { Frame } from '../../src/frames/frame.ts';
import { TextFrame } from '../../src/frames/text.ts';
import { silentLogger } from '../../src/lib/logger.ts';
import { Pipeline } from '../../src/pipeline/pipeline.ts';
import { PipelineTask } from '../../src/pipeline/pipeline-task.ts';
import type { PipelineTaskOptions } from '../../src/pipeline/pipeline-task-options.ts';
import type { FrameProcessor } from '../../src/processors/frame-processor.ts';
import type { PipelineResult } from '../../src/processors/frame-processor-setup.ts';
import { FrameRecorder } from '../../src/testing/run-test.ts';

/** A pipeline that runs between two recorders. */
export interface RunningPipeline {
  readonly task: PipelineTask;
  /** What came out downstream, the StartFrame included. */
  readonly down: FrameRecorder;
  /** What came out upstream. */
  readonly up: FrameRecorder;
  readonly run: Promise<PipelineResult>;
}

/** Makes a task of processors, with everything off that adds frames of its own; not yet running. */
export function makeTask(
  processors: readonly FrameProcessor[],
  options: PipelineTaskOptions = {},
): Omit<RunningPipeline, 'run'> {
  const up = new FrameRecorder({ direction: 'upstream' });
  const down = new FrameRecorder({ direction: 'downstream' });
  const task = new PipelineTask(new Pipeline([up, ...processors, down]), {
    idleTimeoutMs: null,
    logger: silentLogger,
    ...options,
  });
  return { task, down, up };
}

/** Runs processors, and waits until the StartFrame has come out of them. Works with fake timers. */
export async function startPipeline(
  processors: readonly FrameProcessor[],
  options?: PipelineTaskOptions,
): Promise<RunningPipeline> {
  const { task, down, up } = makeTask(processors, options);
  const started = new Promise<void>((resolve) => task.once('started', resolve));
  const run = task.run();
  await Promise.race([started, run]);
  return { task, down, up, run };
}

/** The texts among frames, in order. */
export function textsOf(frames: Iterable<Frame>): string[] {
  return [...frames].flatMap((frame) => (frame instanceof TextFrame ? [frame.text] : []));
}

/** Class names, for reading an order at a glance. */
export function classesOf(frames: Iterable<Frame>): string[] {
  return [...frames].map((frame) => frame.constructor.name);
}
