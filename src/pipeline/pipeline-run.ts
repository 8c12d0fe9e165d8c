import { type Observable, ReplaySubject } from 'rxjs';
import type { Frame, FrameDirection } from '../frames/frame.ts';
import {
  type CancelFrame,
  isTerminalFrame,
  type LifecycleFrame,
  StartFrame,
  type TerminalFrame,
} from '../frames/lifecycle.ts';
import { PipelineError } from '../lib/errors.ts';
import type { Logger } from '../lib/logger.ts';
import type { FrameProcessor } from '../processors/frame-processor.ts';
import type {
  ExitHook,
  ExitHookOptions,
  FrameProcessorSetup,
  LifecycleEvent,
  PipelineResult,
} from '../processors/frame-processor-setup.ts';
import { turnOfTheLoop } from '../processors/frame-scheduler.ts';
import { Backlog } from './backlog.ts';
import { ExitHooks } from './exit-hooks.ts';
import { KeptStart } from './kept-start.ts';
import type { Pipeline } from './pipeline.ts';
import type { PipelineTaskLimits } from './pipeline-task-options.ts';
import { takeIntoUse } from './processors-in-use.ts';
import { holdersOf, TerminalWatch } from './terminal-watch.ts';

type Phase = 'new' | 'setting-up' | 'starting' | 'running' | 'finishing' | 'finished';

type Outcome = { readonly frame: TerminalFrame } | { readonly error: unknown };

export interface PipelineRunOptions {
  readonly pipeline: Pipeline;
  readonly limits: Required<PipelineTaskLimits>;
  readonly startMetadata: Readonly<Record<string, unknown>> | undefined;
  readonly logger: Logger;
  /** The StartFrame is about to be sent. */
  readonly onStart: () => void;
  /** The StartFrame has come out, and what waited for it was sent. */
  readonly onStarted: () => void;
  /** An End, Stop or Cancel frame has entered the pipeline. */
  readonly onEnding: () => void;
  /** The run is over: nothing may be left that could keep the process alive. */
  readonly onStop: () => void;
  /** A lifecycle frame got lost; it counts as come out. */
  readonly onLost: (frame: LifecycleFrame) => void;
}

/**
 * One run of a pipeline, from its setup to its last exit hook: in which phase it is, which lifecycle frames are
 * under way, and how it ended.
 */
export class PipelineRun {
  readonly #options: PipelineRunOptions;
  readonly #hooks: ExitHooks;
  readonly #lifecycle = new ReplaySubject<LifecycleEvent>(1);
  readonly lifecycle$: Observable<LifecycleEvent> = this.#lifecycle.asObservable();
  #over: AbortController | undefined;
  #overReason: PipelineError | undefined;
  #phase: Phase = 'new';
  #startedAtMs = 0;
  /** Frames that were queued before they could be sent, by direction. */
  readonly #downstream = new Backlog((frame) => this.#enter(frame));
  readonly #upstream = new Backlog((frame) => this.#options.pipeline.queueFrame(frame, 'upstream'));
  #watch: TerminalWatch | undefined;
  /** The End or Stop frame that was queued, sent, or noticed. */
  #terminal: TerminalFrame | undefined;
  #cancelFrame: TerminalFrame | undefined;
  /** An End or Stop frame that a processor pushed before the start was over. */
  #early: TerminalFrame | undefined;
  #settle: ((outcome: Outcome) => void) | undefined;
  #startTimer: ReturnType<typeof setTimeout> | undefined;
  #keptStart: KeptStart | undefined;
  /** Lets other runs have the processors; unknown while they are not this run's. */
  #giveBack: (() => void) | undefined;
  #shutdownTimer: ReturnType<typeof setTimeout> | undefined;
  #giveUp = (): void => {};
  /** Resolves when a shutdown's time is up: nothing is waited for any more. */
  readonly #timeUp: Promise<void> = new Promise((resolve) => {
    this.#giveUp = resolve;
  });
  /** Whether the framework passed a frame on, or gave up waiting, for somebody. */
  forced = false;

  constructor(options: PipelineRunOptions) {
    this.#options = options;
    this.#hooks = new ExitHooks(options.logger);
  }

  get exitCode(): number {
    return this.#hooks.exitCode;
  }

  get isRunning(): boolean {
    return this.#phase === 'running';
  }

  /** Whether an End, Stop or Cancel frame was queued, sent, or noticed. */
  get isEnding(): boolean {
    return this.#terminal !== undefined || this.#cancelFrame !== undefined;
  }

  /** Whether nothing can be queued any more. */
  get isOver(): boolean {
    return this.#phase === 'finishing' || this.#phase === 'finished';
  }

  get hasFinished(): boolean {
    return this.#phase === 'finished';
  }

  /** Aborts when the run is cancelled, and when it is over; made only when asked for. */
  get signal(): AbortSignal {
    this.#over ??= new AbortController();
    if (this.#overReason !== undefined) this.#over.abort(this.#overReason);
    return this.#over.signal;
  }

  addExitHook(name: string, hook: ExitHook, options?: ExitHookOptions): void {
    this.#hooks.add(name, hook, options);
  }

  /** @param finish What is to be done when processors and hooks are through, before the result is told. */
  async run(setup: FrameProcessorSetup, finish: () => Promise<void>): Promise<PipelineResult> {
    this.#startedAtMs = performance.now();
    const outcome = new Promise<Outcome>((resolve) => {
      this.#settle = resolve;
    });
    await undefined; // whoever calls run() may still want to listen
    this.#begin(setup);
    return this.#finish(await outcome, finish);
  }

  /** Sends a frame, or keeps it until the pipeline has started; frames behind a terminal one are dropped. */
  queueFrame(frame: Frame, direction: FrameDirection): void {
    if (this.isOver) return;
    if (direction === 'upstream') {
      this.#upstream.add(frame);
      return;
    }
    if (this.#terminal !== undefined || this.#cancelFrame !== undefined) return;
    if (isTerminalFrame(frame)) this.#terminal = frame;
    if (frame.frameRole === 'interruption') this.interrupted();
    this.#downstream.add(frame);
  }

  /** An interruption has passed the beginning of the pipeline: it holds also for what was not sent yet. */
  interrupted(): void {
    this.#downstream.interrupt();
  }

  /** Overtakes everything; the first one counts. */
  cancel(frame: CancelFrame): void {
    if (this.#cancelFrame !== undefined || this.isOver) return;
    this.#noteCancel(frame);
    if (this.#phase === 'new') return;
    if (this.#phase === 'setting-up') {
      this.ended(frame);
      return;
    }
    this.#watchOver(frame, this.#options.limits.cancelTimeoutMs);
    this.#options.pipeline.queueFrame(frame);
  }

  /** A processor's `process()` is over and has not pushed the StartFrame. */
  startKeptBy(processor: FrameProcessor): void {
    this.#keptStart?.keptBy(processor);
  }

  /** Something that an EndFrame waits for went on. */
  progress(): void {
    this.#watch?.progress();
  }

  /**
   * No processor is waited for any more, and no exit hook waits for another; hooks, cleanups and observers have to be
   * done within `leftMs`.
   */
  forceShutdown(leftMs: number): void {
    if (this.hasFinished) return;
    this.#hooks.forceShutdown(leftMs);
    clearTimeout(this.#shutdownTimer);
    this.#shutdownTimer = setTimeout(this.#giveUp, leftMs);
    this.#watch?.force();
  }

  /** A terminal frame that the task did not send is on its way: the run ends with it. */
  terminalMoved(frame: TerminalFrame): void {
    if (frame === this.#watch?.frame) this.#watch.progress();
    else if (frame === this.#terminal || frame === this.#cancelFrame) return;
    else if (this.#phase === 'starting' && frame.frameRole !== 'cancel') this.#early ??= frame;
    else if (this.#phase !== 'starting' && this.#phase !== 'running') return;
    else if (this.#cancelFrame !== undefined) return;
    else if (frame.frameRole === 'cancel') {
      this.#noteCancel(frame as CancelFrame);
      this.#watchOver(frame, this.#options.limits.cancelTimeoutMs);
    } else if (this.#terminal === undefined) {
      this.#terminal = frame;
      this.#noteEnd(frame);
    }
  }

  /** The StartFrame has come out of the pipeline. */
  started(frame: StartFrame): void {
    if (this.#phase !== 'starting') return;
    this.#phase = 'running';
    this.#stopStartTimers();
    if (this.#watch?.frame === frame) this.#watch.stop(); // a cancel may be under way already
    this.#lifecycle.next({ phase: 'completed', frame });
    this.#downstream.release();
    this.#options.onStarted();
    if (this.#early !== undefined) this.terminalMoved(this.#early);
  }

  /** The pipeline is through with a terminal frame. */
  ended(frame: TerminalFrame): void {
    if (this.isOver) return;
    this.#phase = 'finishing';
    // the last processor pushed it: nobody saw it on its way
    if (frame !== this.#terminal && frame !== this.#cancelFrame)
      this.#lifecycle.next({ phase: 'entered', frame });
    this.#lifecycle.next({ phase: 'completed', frame });
    this.#settle?.({ frame });
  }

  /** Ends the run at once, with nothing played out. */
  fail(error: unknown): void {
    if (this.isOver) return;
    this.#phase = 'finishing';
    this.#options.logger.error({ error }, 'a pipeline run failed');
    this.#settle?.({ error });
  }

  #begin(setup: FrameProcessorSetup): void {
    this.#phase = 'setting-up';
    try {
      this.#giveBack = takeIntoUse(this.#options.pipeline);
      const pending = this.#options.pipeline.setup(setup);
      if (this.isOver) return;
      if (this.#cancelFrame !== undefined) this.ended(this.#cancelFrame);
      else if (pending === undefined) this.#start();
      else this.#awaitSetup(pending);
    } catch (error) {
      this.fail(error);
    }
  }

  #awaitSetup(pending: Promise<void>): void {
    this.#limitStart(this.#options.limits.setupTimeoutMs, () => 'The processors were not set up');
    pending.then(
      () => {
        if (this.#phase === 'setting-up') this.#start();
      },
      (error) => this.fail(error),
    );
  }

  #limitStart(limitMs: number | null, late: () => string): void {
    clearTimeout(this.#startTimer);
    if (limitMs === null) return;
    this.#startTimer = setTimeout(
      () => this.fail(new PipelineError(`${late()} within ${limitMs} ms`)),
      limitMs,
    );
  }

  #stopStartTimers(): void {
    clearTimeout(this.#startTimer);
    this.#keptStart?.stop();
    this.#keptStart = undefined;
  }

  #start(): void {
    this.#phase = 'starting';
    const frame = new StartFrame();
    Object.assign(frame.metadata, this.#options.startMetadata);
    const { startTimeoutMs, endStallTimeoutMs } = this.#options.limits;
    this.#limitStart(startTimeoutMs, () => {
      const holders = holdersOf(frame, this.#options.pipeline.processors).map(({ name }) => name);
      return `The StartFrame did not come out of the pipeline (${holders.join(', ') || 'nobody'} has it)`;
    });
    this.#keptStart = new KeptStart(
      frame,
      startTimeoutMs === null ? null : startTimeoutMs / 4,
      this.#options.logger,
    );
    this.#options.onStart();
    const stallMs =
      startTimeoutMs !== null && (endStallTimeoutMs ?? Number.POSITIVE_INFINITY) >= startTimeoutMs
        ? null
        : endStallTimeoutMs;
    this.#lifecycle.next({ phase: 'entered', frame });
    this.#watchOver(frame, stallMs);
    this.#options.pipeline.queueFrame(frame);
    this.#upstream.release();
  }

  #forgetWaiting(): void {
    this.#downstream.clear();
    this.#upstream.clear();
  }

  #enter(frame: Frame): void {
    if (isTerminalFrame(frame)) this.#noteEnd(frame);
    this.#options.pipeline.queueFrame(frame);
  }

  /** The run is to end with this frame, whoever sent it. */
  #noteEnd(frame: TerminalFrame): void {
    this.#options.onEnding();
    this.#lifecycle.next({ phase: 'entered', frame });
    this.#watchOver(frame, this.#options.limits.endStallTimeoutMs);
  }

  #noteCancel(frame: CancelFrame): void {
    this.#cancelFrame = frame;
    this.#forgetWaiting();
    this.#stopStartTimers();
    this.#options.onEnding();
    this.#abort(`The run was cancelled${frame.reason === undefined ? '' : `: ${frame.reason}`}`);
    this.#lifecycle.next({ phase: 'entered', frame });
  }

  #watchOver(frame: LifecycleFrame, limitMs: number | null): void {
    this.#watch?.stop();
    this.#watch = new TerminalWatch(frame, this.#options.pipeline, limitMs, (lost) => {
      this.forced = true;
      this.#options.logger.error({ frame: lost.name }, 'a lifecycle frame got lost in the pipeline');
      this.#options.onLost(lost);
    });
  }

  #abort(why: string): void {
    this.#overReason ??= new PipelineError(why);
    this.#over?.abort(this.#overReason);
  }

  async #finish(outcome: Outcome, finish: () => Promise<void>): Promise<PipelineResult> {
    this.#stopStartTimers();
    this.#watch?.stop();
    this.#watch = undefined;
    this.#forgetWaiting();
    this.#options.onStop();
    const result = this.#resultOf(outcome);
    this.#abort('The run is over');
    this.#lifecycle.complete();
    // what waits behind the terminal frame in processors that are through with it may still come out, as in Pipecat
    if (result.reason !== 'failed') await turnOfTheLoop();
    const hooks = this.#hooks.run(result);
    if (result.reason !== 'stopped' && this.#giveBack !== undefined) {
      const cleanup = this.#options.pipeline.cleanup();
      if (cleanup !== undefined) await Promise.race([cleanup, this.#timeUp]);
    }
    this.#giveBack?.();
    await hooks;
    await Promise.race([finish(), this.#timeUp]);
    clearTimeout(this.#shutdownTimer);
    this.#phase = 'finished';
    return this.#resultOf(outcome);
  }

  #resultOf(outcome: Outcome): PipelineResult {
    const facts = { forced: this.forced, durationMs: performance.now() - this.#startedAtMs };
    if (!('frame' in outcome)) return { reason: 'failed', error: outcome.error, ...facts };
    const { frame } = outcome;
    const reason = frame.frameRole === 'end' ? 'ended' : frame.frameRole === 'stop' ? 'stopped' : 'cancelled';
    return { reason, frame, ...facts };
  }
}
