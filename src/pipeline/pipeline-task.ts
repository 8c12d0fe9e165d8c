/** The public face of a run: options, events, and what a program calls. */

import type { Observable } from 'rxjs';
import { type Frame, type FrameDirection, isFrame } from '../frames/frame.ts';
import { CancelFrame, EndFrame } from '../frames/lifecycle.ts';
import { SafeEventEmitter } from '../lib/emitter.ts';
import { InvalidOptionError, PipelineError } from '../lib/errors.ts';
import type { Logger } from '../lib/logger.ts';
import { checkDurationMs, checkNames, checkOptions } from '../lib/options.ts';
import type { Observer } from '../observers/observer.ts';
import { FrameProcessor } from '../processors/frame-processor.ts';
import type { LifecycleEvent, PipelineResult } from '../processors/frame-processor-setup.ts';
import { PipelineRun } from './pipeline-run.ts';
import {
  checkObserver,
  type PipelineTaskEvents,
  type PipelineTaskOptions,
  resolveTaskOptions,
} from './pipeline-task-options.ts';

/**
 * Runs a pipeline once, from its StartFrame to its end, and settles exactly once in every case.
 *
 * Frames may be queued at any time; those queued before the pipeline has started wait for it. Ending is graceful, then
 * a cancel, then forced: every wait has a limit.
 *
 * @example
 * ```ts
 * const task = new PipelineTask(new Pipeline([transport.input(), bot, transport.output()]));
 * task.on('started', () => task.queueFrame(new TextFrame('Hello.')));
 * const { reason } = await task.run();
 * ```
 * @see Pipecat `pipeline/worker.py`, `PipelineWorker`; differs in that an end that is stuck can be cancelled, that a
 * terminal frame pushed in the middle of the pipeline ends the run, and that `run()` returns how it ended.
 */
export class PipelineTask extends SafeEventEmitter<PipelineTaskEvents> {
  /** For logs. */
  readonly name: string;
  readonly #logger: Logger;
  readonly #run: PipelineRun;
  #result: Promise<PipelineResult> | undefined;

  /**
   * @throws {InvalidOptionError} `pipeline` is no processor; an option is unknown, or can never work.
   */
  constructor(pipeline: FrameProcessor, options: PipelineTaskOptions = {}) {
    super();
    if (!(pipeline instanceof FrameProcessor))
      throw new InvalidOptionError('pipeline', 'a Pipeline, or another FrameProcessor', pipeline);
    const resolved = resolveTaskOptions(options);
    this.name = resolved.name;
    this.#logger = resolved.logger;
    this.#run = new PipelineRun(pipeline, resolved, this);
  }

  protected override get logger(): Logger {
    return this.#logger;
  }

  /** Every lifecycle frame, when it enters the pipeline and when it has come out; replays the latest. Completes with the run. */
  get lifecycle$(): Observable<LifecycleEvent> {
    return this.#run.lifecycle.lifecycle$;
  }

  /** Every frame that comes out of the pipeline downstream. Completes with the run. */
  get frames$(): Observable<Frame> {
    return this.#run.frames$;
  }

  /** The highest exit code that an exit hook has reported. Default 0. */
  get exitCode(): number {
    return this.#run.exitHooks.exitCode;
  }

  /** Whether the run is over. */
  get hasFinished(): boolean {
    return this.#run.lifecycle.hasFinished;
  }

  /**
   * Sets the processors up, sends the StartFrame, then what was queued, until the run is over.
   *
   * @returns How the run ended; never rejects because of that.
   * @throws {PipelineError} When called a second time.
   */
  run(): Promise<PipelineResult> {
    if (this.#result !== undefined) return Promise.reject(new PipelineError('A PipelineTask runs only once'));
    this.#result = this.#run.run();
    return this.#result;
  }

  /**
   * Sends a frame through the pipeline, without waiting. Downstream frames wait for the start, and are dropped behind an
   * End or Stop frame; a CancelFrame does what {@link cancel} does. After the end it does nothing.
   *
   * @throws {InvalidOptionError} It is not a frame, or the direction is none.
   */
  queueFrame(frame: Frame, direction: FrameDirection = 'downstream'): void {
    if (!isFrame(frame)) throw new InvalidOptionError('frame', 'a Frame', frame);
    if (direction !== 'downstream' && direction !== 'upstream')
      throw new InvalidOptionError('direction', "'downstream' or 'upstream'", direction);
    this.#run.queueFrame(frame, direction);
  }

  /** @throws {InvalidOptionError} They are not frames, or the direction is none. */
  queueFrames(frames: Iterable<Frame>, direction: FrameDirection = 'downstream'): void {
    if (typeof frames?.[Symbol.iterator] !== 'function')
      throw new InvalidOptionError('frames', 'a list of Frames', frames);
    for (const frame of frames) this.queueFrame(frame, direction);
  }

  /** Ends the run when everything that was queued before is processed. */
  stopWhenDone(): void {
    this.queueFrame(new EndFrame());
  }

  /** Ends the run now: overtakes all frames, also an end that is under way. The first reason counts. */
  cancel(reason?: string): void {
    this.#run.cancel(new CancelFrame(reason));
  }

  /**
   * Sends a probe through the pipeline and back.
   *
   * @param options `timeoutMs`: longest wait, in milliseconds. Default 5 000.
   * @returns True when everything that was queued before is processed; false when that took longer, or the run was over
   * first.
   * @throws {InvalidOptionError} `timeoutMs` is no limit.
   */
  async flush(options: { readonly timeoutMs?: number } = {}): Promise<boolean> {
    checkOptions(options);
    checkNames(options, ['timeoutMs']);
    const { timeoutMs = 5_000 } = options;
    checkDurationMs('timeoutMs', timeoutMs);
    return this.#run.flush(timeoutMs);
  }

  /**
   * The observer gets what happens from now on.
   *
   * @throws {InvalidOptionError} It is no object.
   */
  addObserver(observer: Observer): void {
    checkObserver('observer', observer);
    this.#run.observers.add(observer);
  }

  /** The observer gets what has happened before, and no more. */
  removeObserver(observer: Observer): void {
    this.#run.observers.remove(observer);
  }

  /**
   * For runners: cancels, and waits for no processor any more. Exit hooks, cleanups and observers have `leftMs`
   * milliseconds. Default 0.
   */
  forceShutdown(leftMs = 0): void {
    this.cancel('shutdown');
    this.#run.forceShutdown(leftMs);
  }

  /** Cancels, and waits until the run is over. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.cancel('disposed');
    await this.#result;
  }
}
