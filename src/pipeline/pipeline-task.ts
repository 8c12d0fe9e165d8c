import { type Observable, ReplaySubject, Subject } from 'rxjs';
import { InvalidOptionError, PipelineError } from '../errors.ts';
import type { ErrorFrame } from '../frames/error-frame.ts';
import { PipelineFlushFrame } from '../frames/flush.ts';
import { type Frame, type FrameDirection, isFrame, SystemFrame } from '../frames/frame.ts';
import {
  BotSpeakingFrame,
  InterruptionFrame,
  InterruptionTaskFrame,
  UserSpeakingFrame,
} from '../frames/interruption.ts';
import {
  CancelFrame,
  CancelTaskFrame,
  EndFrame,
  EndTaskFrame,
  isTerminalFrame,
  type LifecycleFrame,
  StartFrame,
  StopFrame,
  StopTaskFrame,
  type TerminalFrame,
} from '../frames/lifecycle.ts';
import type { FrameClass } from '../frames/of-frame.ts';
import { type Logger, stderrLogger, unfailing } from '../logger.ts';
import type { FrameProcessor } from '../processors/frame-processor.ts';
import type {
  FrameProcessorSetup,
  LifecycleEvent,
  PipelineResult,
  RunMonitor,
} from '../processors/frame-processor-setup.ts';
import { SafeEventEmitter } from '../safe-event-emitter.ts';
import { ExitHooks } from './exit-hooks.ts';
import { Heartbeat, type HeartbeatOptions } from './heartbeat.ts';
import { IdleWatch } from './idle-watch.ts';
import type { Observer } from './observer.ts';
import { ObserverHub } from './observer-hub.ts';
import { Pipeline } from './pipeline.ts';
import { checkLimits } from './task-limits.ts';
import { TerminalWatch } from './terminal-watch.ts';
import { within } from './within.ts';

/** Time limits in milliseconds; `null` turns one off. */
export interface PipelineTaskLimits {
  /** All processors' `setup()`. Default 20 000. */
  readonly setupTimeoutMs?: number | null;
  /** From the StartFrame's entry to its exit. Default 20 000. */
  readonly startTimeoutMs?: number | null;
  /** How long nothing may move while an End or Stop frame is under way; how long that takes is not limited. Default 20 000. */
  readonly endStallTimeoutMs?: number | null;
  /** From the CancelFrame's entry to its exit. Default 2 000. */
  readonly cancelTimeoutMs?: number | null;
  /** Each processor's and observer's `cleanup()`. Default 2 000. */
  readonly cleanupTimeoutMs?: number | null;
  /** How long nobody may speak. Default 300 000. */
  readonly idleTimeoutMs?: number | null;
}

export interface PipelineTaskOptions extends PipelineTaskLimits {
  /** For logs. Default `'PipelineTask'`. */
  readonly name?: string;
  /** In hertz. Default 16 000. */
  readonly audioInSampleRate?: number;
  /** In hertz. Default 24 000. */
  readonly audioOutSampleRate?: number;
  readonly observers?: readonly Observer[];
  /** Whether the run is cancelled when nobody has spoken for `idleTimeoutMs`; the event comes anyway. Default true. */
  readonly cancelOnIdleTimeout?: boolean;
  /** Frames that show that somebody speaks. Default {@link BotSpeakingFrame} and {@link UserSpeakingFrame}. */
  readonly idleTimeoutFrames?: readonly FrameClass[];
  /** Off by default; `true` for the default periods. */
  readonly heartbeats?: boolean | HeartbeatOptions;
  /** What to do when a processor reports that it is of no use any more. Default `'continue'`. */
  readonly processorUnusablePolicy?: 'continue' | 'end' | 'cancel';
  /** Put on the StartFrame's metadata. */
  readonly startMetadata?: Readonly<Record<string, unknown>>;
  /** Frames for which `frameReachedDownstream` is emitted. Default none. */
  readonly reachedDownstreamFilter?: readonly FrameClass[];
  /** Frames for which `frameReachedUpstream` is emitted. Default none. */
  readonly reachedUpstreamFilter?: readonly FrameClass[];
  readonly logger?: Logger;
}

/** What a task tells; `error` carries an {@link ErrorFrame} that got to the beginning of the pipeline. */
export interface PipelineTaskEvents {
  /** The StartFrame has come out of the pipeline. */
  started: () => void;
  /** The run is over; told once. */
  finished: (result: PipelineResult) => void;
  idleTimeout: () => void;
  /** No heartbeat came out for so many milliseconds; told again while that lasts. */
  heartbeatTimeout: (timeoutMs: number) => void;
  frameReachedDownstream: (frame: Frame) => void;
  frameReachedUpstream: (frame: Frame) => void;
}

type Phase = 'new' | 'setting-up' | 'starting' | 'running' | 'finishing' | 'finished';

type Outcome = { readonly frame: TerminalFrame } | { readonly error: unknown };

/**
 * Runs a pipeline from its StartFrame to its end, whatever its end, and settles exactly once.
 *
 * Frames may be queued at any time; those that come before the pipeline has started wait for it. Ending is
 * graceful, then a cancel, then by force: every wait has a limit.
 *
 * @see Pipecat `pipeline/worker.py`, `PipelineWorker`; differs in that an end that is stuck can be cancelled,
 * that a terminal frame pushed in the middle of the pipeline ends the run, and that `run()` tells how it ended.
 */
export class PipelineTask extends SafeEventEmitter<PipelineTaskEvents> {
  readonly name: string;
  readonly #pipeline: Pipeline;
  readonly #options: PipelineTaskOptions;
  readonly #limits: Required<PipelineTaskLimits>;
  readonly #logger: Logger;
  readonly #hooks: ExitHooks;
  readonly #observers: ObserverHub;
  readonly #lifecycle = new ReplaySubject<LifecycleEvent>(1);
  /** Every lifecycle frame, when it enters the pipeline and when it has come out; the latest is replayed. Completes with the run. */
  readonly lifecycle$: Observable<LifecycleEvent> = this.#lifecycle.asObservable();
  readonly #over = new AbortController();
  readonly #frames = new Subject<Frame>();
  /** Every frame that comes out of the pipeline downstream. Completes with the run. */
  readonly frames$: Observable<Frame> = this.#frames.asObservable();
  readonly #setup: FrameProcessorSetup;

  #phase: Phase = 'new';
  #startedAtMs = 0;
  #waiting: [Frame, FrameDirection][] = [];
  #watch: TerminalWatch | undefined;
  /** The End or Stop frame that was queued, sent, or noticed. */
  #terminal: TerminalFrame | undefined;
  #cancelFrame: TerminalFrame | undefined;
  /** An End or Stop frame that a processor pushed before the start was over. */
  #early: TerminalFrame | undefined;
  #forced = false;
  #result: Promise<PipelineResult> | undefined;
  #settle: ((outcome: Outcome) => void) | undefined;
  #startTimer: ReturnType<typeof setTimeout> | undefined;
  #idle: IdleWatch | undefined;
  #heartbeat: Heartbeat | undefined;
  readonly #flushes = new Map<Frame, () => void>();
  readonly #reported = new WeakSet<ErrorFrame>();
  readonly #unusable = new WeakSet<FrameProcessor>();
  #downstreamFilter: readonly FrameClass[];
  #upstreamFilter: readonly FrameClass[];

  /**
   * @throws {InvalidOptionError} A limit or a rate is not a positive number.
   */
  constructor(pipeline: FrameProcessor, options: PipelineTaskOptions = {}) {
    super();
    this.#limits = checkLimits(options);
    const { name = 'PipelineTask', observers = [] } = options;
    const logger = unfailing(options.logger ?? stderrLogger);
    this.name = name;
    this.#options = options;
    this.#logger = logger;
    this.#hooks = new ExitHooks(logger);
    this.#observers = new ObserverHub(logger, observers);
    this.#downstreamFilter = options.reachedDownstreamFilter ?? [];
    this.#upstreamFilter = options.reachedUpstreamFilter ?? [];
    this.#pipeline = new Pipeline([pipeline], {
      upstream: (frame) => this.#leavesUpstream(frame),
      downstream: (frame) => this.#leavesDownstream(frame),
    });
    this.#setup = {
      lifecycle$: this.lifecycle$,
      onExit: (hookName, hook, hookOptions) => this.#hooks.add(hookName, hook, hookOptions),
      logger,
      audioInSampleRate: options.audioInSampleRate ?? 16_000,
      audioOutSampleRate: options.audioOutSampleRate ?? 24_000,
      signal: this.#over.signal,
      reportProgress: () => this.#watch?.progress(),
      cleanupTimeoutMs: this.#limits.cleanupTimeoutMs,
      monitor: this.#monitor(),
    };
  }

  protected override get logger(): Logger {
    return this.#logger;
  }

  /** The highest exit code that an exit hook has reported. */
  get exitCode(): number {
    return this.#hooks.exitCode;
  }

  get hasFinished(): boolean {
    return this.#phase === 'finished';
  }

  /**
   * Sets the processors up, sends the StartFrame, then what was queued, until the run is over.
   *
   * @returns How the run ended; never rejects.
   * @throws {PipelineError} When called a second time.
   */
  run(): Promise<PipelineResult> {
    if (this.#result !== undefined) return Promise.reject(new PipelineError('A PipelineTask runs only once'));
    this.#startedAtMs = performance.now();
    this.#result = this.#live();
    return this.#result;
  }

  /**
   * Sends a frame through the pipeline. Downstream frames wait for the start, and are dropped behind an End or
   * Stop frame; a CancelFrame is as good as {@link cancel}. Does not wait. After the end it does nothing.
   *
   * @throws {InvalidOptionError} When it is not a frame.
   */
  queueFrame(frame: Frame, direction: FrameDirection = 'downstream'): void {
    if (!isFrame(frame)) throw new InvalidOptionError('frame', 'a Frame', frame);
    if (this.#phase === 'finishing' || this.#phase === 'finished') return;
    if (direction === 'upstream') {
      if (this.#phase === 'new' || this.#phase === 'setting-up') this.#waiting.push([frame, direction]);
      else this.#pipeline.queueFrame(frame, direction);
      return;
    }
    if (frame.frameRole === 'cancel') {
      this.#cancel(frame as CancelFrame);
      return;
    }
    if (this.#terminal !== undefined || this.#cancelFrame !== undefined) return;
    if (isTerminalFrame(frame)) this.#terminal = frame;
    if (this.#phase === 'running') this.#enter(frame);
    else this.#waiting.push([frame, direction]);
  }

  queueFrames(frames: Iterable<Frame>, direction: FrameDirection = 'downstream'): void {
    for (const frame of frames) this.queueFrame(frame, direction);
  }

  /** Ends the run when everything that was queued before is through. */
  stopWhenDone(): void {
    this.queueFrame(new EndFrame());
  }

  /** Ends the run now: overtakes everything, also an end that is under way. The first reason counts. */
  cancel(reason?: string): void {
    this.#cancel(new CancelFrame(reason));
  }

  /**
   * Sends a probe through the pipeline and back.
   *
   * @returns True when everything that was queued before is through; false when that took longer than `timeoutMs`.
   */
  async flush({ timeoutMs = 5_000 }: { readonly timeoutMs?: number } = {}): Promise<boolean> {
    if (this.#phase !== 'running') return false;
    const probe = new PipelineFlushFrame();
    let flushed = (): void => {};
    const back = new Promise<void>((resolve) => {
      flushed = resolve;
    });
    this.#flushes.set(probe, flushed);
    this.#pipeline.queueFrame(probe);
    const end = await within(back, timeoutMs);
    for (const [frame, resolve] of this.#flushes) if (resolve === flushed) this.#flushes.delete(frame);
    if (end === 'late') this.#logger.warn({ timeoutMs }, 'the pipeline was not flushed in time');
    return end === 'done';
  }

  /** It is told what happens from now on. */
  addObserver(observer: Observer): void {
    this.#observers.add(observer);
  }

  removeObserver(observer: Observer): void {
    this.#observers.remove(observer);
  }

  /** Which frames raise `frameReachedDownstream`. */
  setReachedDownstreamFilter(classes: readonly FrameClass[]): void {
    this.#downstreamFilter = classes;
  }

  /** Which frames raise `frameReachedUpstream`. */
  setReachedUpstreamFilter(classes: readonly FrameClass[]): void {
    this.#upstreamFilter = classes;
  }

  /** For the runner: the shutdown's time is up, nothing is waited for any more. */
  hurry(): void {
    this.#hooks.hurry();
    this.cancel('shutdown');
    this.#watch?.force();
  }

  /** Cancels, and waits until the run is over. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.cancel('disposed');
    await this.#result;
  }

  // — the run —

  async #live(): Promise<PipelineResult> {
    const outcome = new Promise<Outcome>((resolve) => {
      this.#settle = resolve;
    });
    await undefined; // whoever calls run() may still want to listen
    this.#begin();
    return this.#finish(await outcome);
  }

  #begin(): void {
    this.#phase = 'setting-up';
    try {
      const pending = this.#pipeline.setup(this.#setup);
      if (this.#cancelFrame !== undefined) this.#end(this.#cancelFrame);
      else if (pending === undefined) this.#start();
      else this.#awaitSetup(pending);
    } catch (error) {
      this.#fail(error);
    }
  }

  #awaitSetup(pending: Promise<void>): void {
    this.#limitStart(this.#limits.setupTimeoutMs, 'The processors were not set up');
    pending.then(
      () => {
        if (this.#phase === 'setting-up') this.#start();
      },
      (error) => this.#fail(error),
    );
  }

  #limitStart(limitMs: number | null, late: string): void {
    clearTimeout(this.#startTimer);
    if (limitMs === null) return;
    this.#startTimer = setTimeout(
      () => this.#fail(new PipelineError(`${late} within ${limitMs} ms`)),
      limitMs,
    );
  }

  #start(): void {
    this.#phase = 'starting';
    const frame = new StartFrame();
    Object.assign(frame.metadata, this.#options.startMetadata);
    const { startTimeoutMs, endStallTimeoutMs, idleTimeoutMs } = this.#limits;
    this.#limitStart(startTimeoutMs, 'The StartFrame did not come out of the pipeline');
    if (idleTimeoutMs !== null) {
      const { idleTimeoutFrames = [BotSpeakingFrame, UserSpeakingFrame] } = this.#options;
      this.#idle = new IdleWatch(idleTimeoutFrames, idleTimeoutMs, () => this.#onIdle());
      this.#idle.start();
    }
    const stallMs =
      startTimeoutMs !== null && (endStallTimeoutMs ?? Number.POSITIVE_INFINITY) >= startTimeoutMs
        ? null
        : endStallTimeoutMs;
    this.#lifecycle.next({ phase: 'entered', frame });
    this.#watchOver(frame, stallMs);
    this.#pipeline.queueFrame(frame);
    this.#releaseWaiting('upstream');
  }

  #started(frame: StartFrame): void {
    if (this.#phase !== 'starting') return;
    this.#phase = 'running';
    clearTimeout(this.#startTimer);
    if (this.#watch?.frame === frame) this.#watch.stop(); // a cancel may be under way already
    this.#lifecycle.next({ phase: 'completed', frame });
    this.#observers.pipelineStarted();
    this.#releaseWaiting('downstream');
    this.emit('started');
    const { heartbeats = false } = this.#options;
    if (heartbeats !== false) {
      this.#heartbeat = new Heartbeat(
        heartbeats === true ? {} : heartbeats,
        (beat) => this.#pipeline.queueFrame(beat),
        (timeoutMs) => {
          this.#logger.warn({ timeoutMs }, 'no heartbeat has come out of the pipeline');
          this.emit('heartbeatTimeout', timeoutMs);
        },
      );
      this.#heartbeat.start();
    }
    if (this.#early !== undefined) this.#terminalMoved(this.#early);
    this.#releaseWaiting('downstream');
  }

  #releaseWaiting(which: FrameDirection): void {
    const waiting = this.#waiting;
    this.#waiting = waiting.filter(([, direction]) => direction !== which);
    for (const [frame, direction] of waiting) {
      if (direction !== which || this.#cancelFrame !== undefined) continue;
      if (direction === 'downstream') this.#enter(frame);
      else this.#pipeline.queueFrame(frame, direction);
    }
  }

  #enter(frame: Frame): void {
    if (isTerminalFrame(frame)) {
      this.#lifecycle.next({ phase: 'entered', frame });
      this.#watchOver(frame, this.#limits.endStallTimeoutMs);
    }
    this.#pipeline.queueFrame(frame);
  }

  #cancel(frame: CancelFrame): void {
    if (this.#cancelFrame !== undefined || this.#phase === 'finishing' || this.#phase === 'finished') return;
    this.#cancelFrame = frame;
    this.#waiting = [];
    clearTimeout(this.#startTimer);
    this.#over.abort(
      new PipelineError(`The run was cancelled${frame.reason === undefined ? '' : `: ${frame.reason}`}`),
    );
    this.#lifecycle.next({ phase: 'entered', frame });
    if (this.#phase === 'new') return;
    if (this.#phase === 'setting-up') {
      this.#end(frame);
      return;
    }
    this.#watchOver(frame, this.#limits.cancelTimeoutMs);
    this.#pipeline.queueFrame(frame);
  }

  #watchOver(frame: LifecycleFrame, limitMs: number | null): void {
    this.#watch?.stop();
    this.#watch = new TerminalWatch(frame, this.#pipeline, limitMs, (lost) => {
      this.#forced = true;
      this.#logger.error({ frame: lost.name }, 'a lifecycle frame got lost in the pipeline');
      this.#leavesDownstream(lost);
    });
  }

  /** The pipeline is through with a terminal frame. */
  #end(frame: TerminalFrame): void {
    if (this.#phase === 'finishing' || this.#phase === 'finished') return;
    this.#phase = 'finishing';
    // the last processor pushed it: nobody saw it on its way
    if (frame !== this.#terminal && frame !== this.#cancelFrame)
      this.#lifecycle.next({ phase: 'entered', frame });
    this.#lifecycle.next({ phase: 'completed', frame });
    this.#settle?.({ frame });
  }

  #fail(error: unknown): void {
    if (this.#phase === 'finishing' || this.#phase === 'finished') return;
    this.#phase = 'finishing';
    this.#logger.error({ error }, 'a pipeline run failed');
    this.#settle?.({ error });
  }

  async #finish(outcome: Outcome): Promise<PipelineResult> {
    clearTimeout(this.#startTimer);
    this.#watch?.stop();
    this.#idle?.stop();
    this.#heartbeat?.stop();
    this.#waiting = [];
    const result = this.#resultOf(outcome);
    if (!this.#over.signal.aborted) this.#over.abort(new PipelineError('The run is over'));
    this.#lifecycle.complete();
    const hooks = this.#hooks.run(result);
    if (result.reason !== 'stopped') {
      const cleanup = this.#pipeline.cleanup();
      if (cleanup !== undefined) await cleanup;
    }
    await hooks;
    await this.#observers.close(this.#limits.cleanupTimeoutMs);
    this.#frames.complete();
    for (const flushed of this.#flushes.values()) flushed();
    this.#phase = 'finished';
    const final = { ...result, forced: this.#forced, durationMs: performance.now() - this.#startedAtMs };
    this.emit('finished', final);
    return final;
  }

  #resultOf(outcome: Outcome): PipelineResult {
    const facts = { forced: this.#forced, durationMs: performance.now() - this.#startedAtMs };
    if (!('frame' in outcome)) return { reason: 'failed', error: outcome.error, ...facts };
    const { frame } = outcome;
    const reason = frame.frameRole === 'end' ? 'ended' : frame.frameRole === 'stop' ? 'stopped' : 'cancelled';
    return { reason, frame, ...facts };
  }

  // — what leaves the pipeline —

  #leavesDownstream(frame: Frame): void {
    if (this.#frames.observed) this.#frames.next(frame);
    if (this.#downstreamFilter.length > 0 && isOneOf(frame, this.#downstreamFilter)) {
      this.emit('frameReachedDownstream', frame);
    }
    switch (frame.frameRole) {
      case 'start':
        this.#started(frame as StartFrame);
        break;
      case 'end':
      case 'stop':
      case 'cancel':
        this.#end(frame as TerminalFrame);
        break;
      case 'end-task':
      case 'stop-task':
      case 'cancel-task':
      case 'interruption-task':
        this.#pipeline.queueFrame(requestAgain(frame), 'upstream');
        break;
      case 'flush':
        this.#returnProbe(frame);
        break;
      case 'heartbeat':
        this.#heartbeat?.received();
        break;
      default:
    }
  }

  #leavesUpstream(frame: Frame): void {
    if (this.#upstreamFilter.length > 0 && isOneOf(frame, this.#upstreamFilter)) {
      this.emit('frameReachedUpstream', frame);
    }
    switch (frame.frameRole) {
      case 'error':
        this.#report(frame as ErrorFrame);
        break;
      case 'end-task':
        this.queueFrame(new EndFrame((frame as EndFrame).reason));
        break;
      case 'stop-task':
        this.queueFrame(new StopFrame());
        break;
      case 'cancel-task':
        this.cancel((frame as CancelFrame).reason);
        break;
      case 'interruption-task':
        this.#pipeline.queueFrame(new InterruptionFrame());
        break;
      case 'flush':
        this.#flushes.get(frame)?.();
        break;
      case 'end':
      case 'stop':
      case 'cancel':
        this.#end(frame as TerminalFrame);
        break;
      default:
    }
  }

  /** A new frame: a parallel pipeline lets each frame out only once. */
  #returnProbe(probe: Frame): void {
    const flushed = this.#flushes.get(probe);
    if (flushed === undefined) return;
    const back = new PipelineFlushFrame();
    this.#flushes.delete(probe);
    this.#flushes.set(back, flushed);
    this.#pipeline.queueFrame(back, 'upstream');
  }

  #report(frame: ErrorFrame): void {
    if (this.#reported.has(frame)) return;
    this.#reported.add(frame);
    this.emit('error', frame);
  }

  #onIdle(): void {
    this.emit('idleTimeout');
    if (this.#options.cancelOnIdleTimeout ?? true) this.cancel('idle timeout');
  }

  /** A terminal frame that the task did not send is on its way: the run ends with it. */
  #terminalMoved(frame: TerminalFrame): void {
    if (frame === this.#watch?.frame) this.#watch.progress();
    else if (frame === this.#terminal || frame === this.#cancelFrame) return;
    else if (this.#phase === 'starting' && frame.frameRole !== 'cancel') this.#early ??= frame;
    else if (this.#phase !== 'starting' && this.#phase !== 'running') return;
    else if (frame.frameRole === 'cancel') {
      if (this.#cancelFrame !== undefined) return;
      this.#cancelFrame = frame;
      clearTimeout(this.#startTimer);
      this.#over.abort(new PipelineError('The run was cancelled'));
      this.#lifecycle.next({ phase: 'entered', frame });
      this.#watchOver(frame, this.#limits.cancelTimeoutMs);
    } else if (this.#terminal === undefined && this.#cancelFrame === undefined) {
      this.#terminal = frame;
      this.#lifecycle.next({ phase: 'entered', frame });
      this.#watchOver(frame, this.#limits.endStallTimeoutMs);
    }
  }

  #applyUnusablePolicy(processor: FrameProcessor): void {
    if (this.#unusable.has(processor)) return;
    this.#unusable.add(processor);
    const { processorUnusablePolicy = 'continue' } = this.#options;
    if (processorUnusablePolicy === 'end') this.queueFrame(new EndFrame(`${processor.name} is unusable`));
    if (processorUnusablePolicy === 'cancel') this.cancel(`${processor.name} is unusable`);
  }

  #monitor(): RunMonitor {
    const observers = this.#observers;
    // system frames are seen anyway
    const idleWatchesPushes = this.#options.idleTimeoutFrames?.some(isNoSystemFrameClass) ?? false;
    return {
      get watchesPushes() {
        return observers.watchesPushes || idleWatchesPushes;
      },
      get watchesProcessing() {
        return observers.watchesProcessing;
      },
      framePushed: (source, destination, frame, direction) => {
        if (observers.watchesPushes) observers.framePushed(source, destination, frame, direction);
        if (idleWatchesPushes) this.#idle?.see(frame);
      },
      frameProcessed: (processor, frame, direction) => observers.frameProcessed(processor, frame, direction),
      processorSetUp: (processor, startedMs, finishedMs) =>
        observers.processorSetUp(processor, startedMs, finishedMs),
      systemFrameMoved: (frame) => this.#idle?.see(frame),
      terminalFrameMoved: (frame) => this.#terminalMoved(frame),
      progress: () => this.#watch?.progress(),
      forced: (_processor, _frame, error) => {
        this.#forced = true;
        // on its way to the beginning of the pipeline it may get lost, or come too late
        this.#report(error);
      },
      unusable: (processor) => this.#applyUnusablePolicy(processor),
    };
  }
}

/** A request that has drained the pipeline downstream, to be sent back up. */
function requestAgain(frame: Frame): Frame {
  switch (frame.frameRole) {
    case 'end-task':
      return new EndTaskFrame((frame as EndTaskFrame).reason);
    case 'stop-task':
      return new StopTaskFrame();
    case 'cancel-task':
      return new CancelTaskFrame((frame as CancelTaskFrame).reason);
    default:
      return new InterruptionTaskFrame();
  }
}

function isNoSystemFrameClass({ prototype }: FrameClass): boolean {
  return !(prototype instanceof SystemFrame) && prototype !== SystemFrame.prototype;
}

function isOneOf(frame: Frame, classes: readonly FrameClass[]): boolean {
  return classes.some((frameClass) => frame instanceof frameClass);
}
