import { AssertionError } from 'node:assert';
import { type Frame, type FrameDirection, SystemFrame } from '../frames/frame.ts';
import { EndFrame, StartFrame } from '../frames/lifecycle.ts';
import type { FrameClass } from '../frames/of-frame.ts';
import { silentLogger } from '../lib/logger.ts';
import { checkDurationMs } from '../lib/options.ts';
import { Pipeline } from '../pipeline/pipeline.ts';
import { PipelineTask } from '../pipeline/pipeline-task.ts';
import type { PipelineTaskOptions } from '../pipeline/pipeline-task-options.ts';
import type { FrameProcessor } from '../processors/frame-processor.ts';
import type { PipelineResult } from '../processors/frame-processor-setup.ts';
import { FrameRecorder } from './frame-recorder.ts';

/** Not sent by {@link runTest}, but waited for: frames that were sent before it get ahead of those behind. */
export class SleepFrame extends SystemFrame {
  readonly sleepMs: number;

  /** @param sleepMs Default 200. */
  constructor(sleepMs = 200) {
    super();
    this.sleepMs = sleepMs;
  }
}

export interface RunTestOptions {
  /** Sent one after the other, once the pipeline has started. */
  readonly framesToSend: Iterable<Frame>;
  /** Default `'downstream'`; upstream frames enter behind the processor. */
  readonly framesToSendDirection?: FrameDirection;
  /** The classes of the frames that come out downstream: all of them, in order. Default: not checked. */
  readonly expectedDownFrames?: readonly FrameClass[];
  /** The same for those that come out upstream. */
  readonly expectedUpFrames?: readonly FrameClass[];
  /** Whether the StartFrame is left out of what came out. Default `true`. */
  readonly ignoreStart?: boolean;
  /**
   * Whether an EndFrame is sent at last; it is left out of what came out. Default `true`. With `false`, one of the
   * frames to send has to end the run.
   */
  readonly sendEndFrame?: boolean;
  /** How long the whole run may take, in milliseconds. Default 10 000. */
  readonly timeoutMs?: number;
  /** For the task; idle detection is off, and nothing is logged, unless asked for. */
  readonly taskOptions?: PipelineTaskOptions;
}

export interface RunTestResult {
  readonly downFrames: Frame[];
  readonly upFrames: Frame[];
  /** How the run ended. */
  readonly result: PipelineResult;
}

/**
 * Runs a processor in a pipeline of its own, sends frames through it, and tells what came out.
 *
 * Works with any test runner. A subclass counts as what was expected. Mind the order: a system frame overtakes
 * the data frames that were sent before it, unless a {@link SleepFrame} lets them get ahead.
 *
 * @throws {AssertionError} What came out is not what was expected, the run failed, or it did not end.
 * @see Pipecat `tests/utils.py`, `run_test`
 */
export async function runTest(processor: FrameProcessor, options: RunTestOptions): Promise<RunTestResult> {
  const { ignoreStart = true, sendEndFrame = true, timeoutMs = 10_000 } = options;
  checkDurationMs('timeoutMs', timeoutMs);
  const up = new FrameRecorder({ direction: 'upstream' });
  const down = new FrameRecorder({ direction: 'downstream' });
  const task = new PipelineTask(new Pipeline([up, processor, down]), {
    idleTimeoutMs: null,
    startTimeoutMs: 1_000,
    logger: silentLogger,
    ...options.taskOptions,
  });

  task.once('started', () => sendFrames(task, options));
  let isLate = false;
  const timer = setTimeout(() => {
    isLate = true;
    task.cancel(`the test did not end within ${timeoutMs} ms`);
  }, timeoutMs);
  const result = await task.run();
  clearTimeout(timer);

  const isLeftOut = (frame: Frame): boolean =>
    (ignoreStart && frame instanceof StartFrame) || (sendEndFrame && frame instanceof EndFrame);
  const downFrames = down.frames.filter((frame) => !isLeftOut(frame));
  const upFrames = up.frames.filter((frame) => !isLeftOut(frame));
  if (isLate) fail(`The run did not end within ${timeoutMs} ms; what came out: ${namesOf(downFrames)}`);
  if (result.reason === 'failed') fail('The run failed', result.error);
  compare('downstream', downFrames, options.expectedDownFrames);
  compare('upstream', upFrames, options.expectedUpFrames);
  return { downFrames, upFrames, result };
}

async function sendFrames(
  task: PipelineTask,
  { framesToSend, framesToSendDirection = 'downstream', sendEndFrame = true }: RunTestOptions,
): Promise<void> {
  for (const frame of framesToSend) {
    if (frame instanceof SleepFrame) await sleep(frame.sleepMs);
    else task.queueFrame(frame, framesToSendDirection);
  }
  if (sendEndFrame) task.queueFrame(new EndFrame());
}

// not the promise of node:timers, which no fake clock moves
function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function compare(
  direction: FrameDirection,
  frames: readonly Frame[],
  expected: readonly FrameClass[] | undefined,
): void {
  if (expected === undefined) return;
  const isAsExpected =
    frames.length === expected.length &&
    expected.every((frameClass, index) => frames[index] instanceof frameClass);
  if (isAsExpected) return;
  throw new AssertionError({
    message: `Frames came out ${direction} that were not expected, or did not come out, or in another order`,
    actual: frames.map((frame) => frame.constructor.name),
    expected: expected.map(({ name }) => name),
    operator: 'deepStrictEqual',
  });
}

function namesOf(frames: readonly Frame[]): string {
  return frames.map(({ name }) => name).join(', ') || 'nothing';
}

function fail(message: string, cause?: unknown): never {
  const error = new AssertionError({ message });
  if (cause !== undefined) error.cause = cause;
  throw error;
}
