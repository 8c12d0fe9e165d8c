/** Runs a processor through a test pipeline, and records frames. */

import { AssertionError } from 'node:assert';
import { type Frame, type FrameDirection, SystemFrame } from '../frames/frame.ts';
import { EndFrame, StartFrame } from '../frames/lifecycle.ts';
import type { FrameClass } from '../frames/of-frame.ts';
import { silentLogger } from '../lib/logger.ts';
import { checkDurationMs } from '../lib/options.ts';
import { Pipeline } from '../pipeline/pipeline.ts';
import { PipelineTask } from '../pipeline/pipeline-task.ts';
import type { PipelineTaskOptions } from '../pipeline/pipeline-task-options.ts';
import { FrameProcessor, type FrameProcessorOptions } from '../processors/frame-processor.ts';
import type { PipelineResult } from '../processors/frame-processor-setup.ts';

/** Options of a {@link FrameRecorder}. */
export interface FrameRecorderOptions extends FrameProcessorOptions {
  /** The direction that is recorded. Default `'both'`. */
  readonly direction?: FrameDirection | 'both';
}

/**
 * Records frames and passes them on synchronously inside `queueFrame()`, without a queue, so that their order is
 * unchanged.
 *
 * @example
 * const recorder = new FrameRecorder();
 * await new PipelineTask(new Pipeline([bot, recorder])).run();
 * recorder.framesOf(TextFrame);
 *
 * @see Pipecat `tests/utils.py`, `QueuedFrameProcessor`
 */
export class FrameRecorder extends FrameProcessor {
  readonly #direction: FrameDirection | 'both';
  readonly #frames: Frame[] = [];

  constructor(options: FrameRecorderOptions = {}) {
    super(options);
    this.#direction = options.direction ?? 'both';
  }

  /** The recorded frames, in order. */
  get frames(): readonly Frame[] {
    return this.#frames;
  }

  /** The recorded frames of a class. */
  framesOf<F extends Frame>(frameClass: FrameClass<F>): F[] {
    return this.#frames.filter((frame): frame is F => frame instanceof frameClass);
  }

  /** Discards the recorded frames. */
  clear(): void {
    this.#frames.length = 0;
  }

  override queueFrame(frame: Frame, direction: FrameDirection = 'downstream'): void {
    if (this.#direction === 'both' || this.#direction === direction) this.#frames.push(frame);
    this.push(frame, direction);
  }

  protected override process(): void {
    // queueFrame() does not queue
  }
}

/** A pause in the frames of {@link runTest}; not sent itself. */
export class SleepFrame extends SystemFrame {
  /** Milliseconds. */
  readonly sleepMs: number;

  /** @param sleepMs Milliseconds. Default 200. */
  constructor(sleepMs = 200) {
    super();
    this.sleepMs = sleepMs;
  }
}

/** Options of {@link runTest}. */
export interface RunTestOptions {
  /** Queued in order, once the pipeline has started. */
  readonly framesToSend: Iterable<Frame>;
  /** Their direction; upstream frames enter behind the processor. Default `'downstream'`. */
  readonly framesToSendDirection?: FrameDirection;
  /** The classes of all frames that leave downstream, in order. Default: not checked. */
  readonly expectedDownFrames?: readonly FrameClass[];
  /** The same for frames that leave upstream. */
  readonly expectedUpFrames?: readonly FrameClass[];
  /** Whether the StartFrame is excluded from the result. Default `true`. */
  readonly ignoreStart?: boolean;
  /**
   * Whether an EndFrame is queued last; it is excluded from the result. Default `true`. With `false`, one of the frames
   * to send has to end the run.
   */
  readonly sendEndFrame?: boolean;
  /** Limit of the whole run, in milliseconds. Default 10,000. */
  readonly timeoutMs?: number;
  /** Of the task. Default: no idle timeout, no logging. */
  readonly taskOptions?: PipelineTaskOptions;
}

/** The result of {@link runTest}. */
export interface RunTestResult {
  /** The frames that left downstream. */
  readonly downFrames: Frame[];
  /** The frames that left upstream. */
  readonly upFrames: Frame[];
  /** How the run ended. */
  readonly result: PipelineResult;
}

/**
 * Runs a processor in a pipeline, queues frames, and returns the frames that leave it.
 *
 * Works with any test runner. A subclass matches an expected class. A system frame overtakes the data frames queued
 * before it, unless there is a {@link SleepFrame} between them.
 *
 * @example
 * await runTest(new Upper(), { framesToSend: [new TextFrame('hi')], expectedDownFrames: [TextFrame] });
 *
 * @throws {AssertionError} The frames are not the expected ones, the run failed, or it did not end in time.
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

// node:timers/promises is not faked by fake timers
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
