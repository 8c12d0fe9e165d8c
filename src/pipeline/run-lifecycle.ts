/** The lifecycle of a run: its phase, the lifecycle frames under way, their limits, and its outcome. */

import { type Observable, ReplaySubject } from 'rxjs';
import type { Frame } from '../frames/frame.ts';
import {
  type CancelFrame,
  isTerminalFrame,
  type LifecycleFrame,
  type StartFrame,
  type TerminalFrame,
} from '../frames/lifecycle.ts';
import { PipelineError } from '../lib/errors.ts';
import type { FrameProcessor } from '../processors/frame-processor.ts';
import type { LifecycleEvent, PipelineResult } from '../processors/frame-processor-setup.ts';
import { LifecycleWatchdog, processorsHolding } from './lifecycle-watchdog.ts';
import type { ResolvedTaskOptions } from './pipeline-task-options.ts';

type Phase = 'new' | 'setting-up' | 'starting' | 'running' | 'finishing' | 'finished';

/** A terminal frame has come out, or the run has failed. */
export type Outcome = { readonly frame: TerminalFrame } | { readonly error: unknown };

/** What a lifecycle reports to its run. */
export interface RunLifecycleListener {
  /** A terminal frame has entered the pipeline. */
  onEnding(frame: TerminalFrame): void;
  /** A lifecycle frame got lost in the pipeline; to be treated as completed. */
  onLost(frame: LifecycleFrame): void;
}

/**
 * From the first setup to the outcome. The run reports what enters and leaves the pipeline, and sends the
 * frames.
 */
export class RunLifecycle {
  readonly #pipeline: FrameProcessor;
  readonly #options: ResolvedTaskOptions;
  readonly #listener: RunLifecycleListener;
  readonly #lifecycle = new ReplaySubject<LifecycleEvent>(1);
  /** The lifecycle frames of the run, as they enter the pipeline and complete. */
  readonly lifecycle$: Observable<LifecycleEvent> = this.#lifecycle.asObservable();
  #phase: Phase = 'new';
  #startedAtMs = 0;
  /** The End or Stop frame that was queued by the task, or by a processor. */
  #terminal: TerminalFrame | undefined;
  #cancelFrame: TerminalFrame | undefined;
  /** An End or Stop frame that a processor queued before the start was over. */
  #early: TerminalFrame | undefined;
  #watchdog: LifecycleWatchdog | undefined;
  #startTimer: ReturnType<typeof setTimeout> | undefined;
  #abortController: AbortController | undefined;
  #abortReason: PipelineError | undefined;
  #settle = (_outcome: Outcome): void => {};
  /** Resolves when a terminal frame has come out, or the run has failed. */
  readonly outcome: Promise<Outcome> = new Promise((resolve) => {
    this.#settle = resolve;
  });
  /** Whether the framework pushed a lifecycle frame on in a processor's place, or gave up waiting. */
  isForced = false;

  constructor(pipeline: FrameProcessor, options: ResolvedTaskOptions, listener: RunLifecycleListener) {
    this.#pipeline = pipeline;
    this.#options = options;
    this.#listener = listener;
  }

  /** Whether it is between its start and its end: false during setup, while the StartFrame is on its way, and at the end. */
  get isRunning(): boolean {
    return this.#phase === 'running';
  }

  /** Whether a terminal frame was queued. */
  get isEnding(): boolean {
    return this.#terminal !== undefined || this.#cancelFrame !== undefined;
  }

  /** Whether the run was cancelled. */
  get isCancelled(): boolean {
    return this.#cancelFrame !== undefined;
  }

  /** Whether no frame can be queued any more. */
  get isOver(): boolean {
    return this.#phase === 'finishing' || this.#phase === 'finished';
  }

  /** Whether the run is over. */
  get hasFinished(): boolean {
    return this.#phase === 'finished';
  }

  /** Aborts when the run is cancelled, and when it is over; created on first use. */
  get signal(): AbortSignal {
    this.#abortController ??= new AbortController();
    if (this.#abortReason !== undefined) this.#abortController.abort(this.#abortReason);
    return this.#abortController.signal;
  }

  // — setup and start —

  /** The run has begun. */
  began(): void {
    this.#startedAtMs = performance.now();
  }

  /** The setup of the processors has begun. */
  setupBegan(): void {
    this.#phase = 'setting-up';
    this.#limit(this.#options.setupTimeoutMs, () => 'The processors were not set up');
  }

  /** @returns Whether the StartFrame is to be sent: the run was neither cancelled nor failed meanwhile. */
  setupEnded(): boolean {
    if (this.#phase !== 'setting-up') return false;
    if (this.#cancelFrame === undefined) return true;
    this.completed(this.#cancelFrame);
    return false;
  }

  /** The StartFrame enters the pipeline. */
  startEntered(frame: StartFrame): void {
    this.#phase = 'starting';
    const { startTimeoutMs, endStallTimeoutMs } = this.#options;
    this.#limit(startTimeoutMs, () => {
      const holders = processorsHolding(frame, this.#pipeline.processors).map(({ name }) => name);
      return `The StartFrame did not come out of the pipeline (${holders.join(', ') || 'nobody'} has it)`;
    });
    this.#lifecycle.next({ phase: 'entered', frame });
    const isStallLimited = startTimeoutMs === null || (endStallTimeoutMs ?? startTimeoutMs) < startTimeoutMs;
    this.#watch(frame, isStallLimited ? endStallTimeoutMs : null);
  }

  /** The StartFrame has come out of the pipeline. @returns Whether the run has started by that. */
  startCompleted(frame: StartFrame): boolean {
    if (this.#phase !== 'starting') return false;
    this.#phase = 'running';
    clearTimeout(this.#startTimer);
    if (this.#watchdog?.frame === frame) this.#watchdog.stop(); // a cancel may be under way already
    this.#lifecycle.next({ phase: 'completed', frame });
    return true;
  }

  /** All that waited for the start was sent. */
  ready(): void {
    if (this.#early !== undefined) this.onTerminalFrame(this.#early);
  }

  /** `process()` of this processor has settled without pushing the StartFrame. */
  startFrameKept(processor: FrameProcessor): void {
    if (this.#phase === 'starting' && this.#watchdog?.frame.frameRole === 'start')
      this.#watchdog.startFrameKept(processor);
  }

  // — terminal frames —

  /** The task queues a frame downstream. @returns False behind a terminal frame: then it is dropped. */
  accept(frame: Frame): boolean {
    if (this.isOver || this.isEnding) return false;
    if (isTerminalFrame(frame)) this.#terminal = frame;
    return true;
  }

  /** An End or Stop frame enters the pipeline. */
  endEntered(frame: TerminalFrame): void {
    this.#listener.onEnding(frame);
    this.#lifecycle.next({ phase: 'entered', frame });
    this.#watch(frame, this.#options.endStallTimeoutMs);
  }

  /** The task cancels. @returns Whether the frame is to be sent into the pipeline. */
  cancel(frame: CancelFrame): boolean {
    if (this.#cancelFrame !== undefined || this.isOver) return false;
    this.#cancelEntered(frame);
    if (this.#phase === 'setting-up') this.completed(frame);
    if (this.#phase !== 'starting' && this.#phase !== 'running') return false;
    this.#watch(frame, this.#options.cancelTimeoutMs);
    return true;
  }

  /** A terminal frame was queued at a processor. When a processor sent it, the run ends with it. */
  onTerminalFrame(frame: TerminalFrame): void {
    if (frame === this.#watchdog?.frame) this.#watchdog.progress();
    else if (frame === this.#terminal || frame === this.#cancelFrame) return;
    else if (this.#phase === 'starting' && frame.frameRole !== 'cancel') this.#early ??= frame;
    else if (this.#phase !== 'starting' && this.#phase !== 'running') return;
    else if (this.#cancelFrame !== undefined) return;
    else if (frame.frameRole === 'cancel') {
      this.#cancelEntered(frame as CancelFrame);
      this.#watch(frame, this.#options.cancelTimeoutMs);
    } else if (this.#terminal === undefined) {
      this.#terminal = frame;
      this.endEntered(frame);
    }
  }

  /** Something that a terminal frame waits for has advanced. */
  progress(): void {
    this.#watchdog?.progress();
  }

  /** Waits for no processor any more. */
  force(): void {
    this.#watchdog?.force();
  }

  /** A terminal frame has come out of the pipeline. */
  completed(frame: TerminalFrame): void {
    if (this.isOver) return;
    this.#phase = 'finishing';
    // a frame that the last processor pushed was not queued at any other
    if (frame !== this.#terminal && frame !== this.#cancelFrame)
      this.#lifecycle.next({ phase: 'entered', frame });
    this.#lifecycle.next({ phase: 'completed', frame });
    this.#settle({ frame });
  }

  /** Ends the run at once: nothing is played out. */
  fail(error: unknown): void {
    if (this.isOver) return;
    this.#phase = 'finishing';
    this.#options.logger.error({ error }, 'a pipeline run failed');
    this.#settle({ error });
  }

  /** The pipeline is through. */
  stop(): void {
    clearTimeout(this.#startTimer);
    this.#watchdog?.stop();
    this.#watchdog = undefined;
    this.#abort('The run is over');
    this.#lifecycle.complete();
  }

  /** The run is over. */
  finished(): void {
    this.#phase = 'finished';
  }

  /** The result as of now. */
  resultOf(outcome: Outcome): PipelineResult {
    const facts = { forced: this.isForced, durationMs: performance.now() - this.#startedAtMs };
    if (!('frame' in outcome)) return { reason: 'failed', error: outcome.error, ...facts };
    const { frame } = outcome;
    const reason = frame.frameRole === 'end' ? 'ended' : frame.frameRole === 'stop' ? 'stopped' : 'cancelled';
    return { reason, frame, ...facts };
  }

  #cancelEntered(frame: CancelFrame): void {
    this.#cancelFrame = frame;
    clearTimeout(this.#startTimer);
    this.#watchdog?.stop();
    this.#listener.onEnding(frame);
    this.#abort(`The run was cancelled${frame.reason === undefined ? '' : `: ${frame.reason}`}`);
    this.#lifecycle.next({ phase: 'entered', frame });
  }

  #watch(frame: LifecycleFrame, limitMs: number | null): void {
    const { logger, startTimeoutMs } = this.#options;
    this.#watchdog?.stop();
    this.#watchdog = new LifecycleWatchdog({
      frame,
      pipeline: this.#pipeline,
      limitMs,
      keptLimitMs: startTimeoutMs === null ? null : startTimeoutMs / 4,
      logger,
      onLost: (lost) => {
        this.isForced = true;
        logger.error({ frame: lost.name }, 'a lifecycle frame got lost in the pipeline');
        this.#listener.onLost(lost);
      },
    });
  }

  #limit(limitMs: number | null, what: () => string): void {
    clearTimeout(this.#startTimer);
    if (limitMs === null) return;
    const fail = (): void => this.fail(new PipelineError(`${what()} within ${limitMs} ms`));
    this.#startTimer = setTimeout(fail, limitMs);
  }

  #abort(why: string): void {
    this.#abortReason ??= new PipelineError(why);
    this.#abortController?.abort(this.#abortReason);
  }
}
