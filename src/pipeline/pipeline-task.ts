import { type Observable, Subject } from 'rxjs';
import type { ErrorFrame } from '../frames/error-frame.ts';
import { type Frame, type FrameDirection, isFrame } from '../frames/frame.ts';
import { InterruptionFrame } from '../frames/interruption.ts';
import {
  CancelFrame,
  EndFrame,
  type StartFrame,
  StopFrame,
  type TerminalFrame,
} from '../frames/lifecycle.ts';
import { type FrameClass, isOneOf } from '../frames/of-frame.ts';
import { SafeEventEmitter } from '../lib/emitter.ts';
import { InvalidOptionError, PipelineError } from '../lib/errors.ts';
import { type Logger, safeLogger, stderrLogger } from '../lib/logger.ts';
import { checkDurationMs, checkNames, checkOptions } from '../lib/options.ts';
import { FrameProcessor } from '../processors/frame-processor.ts';
import type {
  FrameProcessorSetup,
  FrameWatcher,
  LifecycleEvent,
  PipelineResult,
  RunMonitor,
} from '../processors/frame-processor-setup.ts';
import { FlushProbes } from './flush-probes.ts';
import { Heartbeat } from './heartbeat.ts';
import { IdleWatch } from './idle-watch.ts';
import type { Observer } from './observer.ts';
import { ObserverHub } from './observer-hub.ts';
import { Pipeline } from './pipeline.ts';
import { PipelineRun } from './pipeline-run.ts';
import {
  checkFrameClasses,
  checkObserver,
  checkTaskOptions,
  type PipelineTaskEvents,
  type PipelineTaskOptions,
} from './pipeline-task-options.ts';
import { requestAgain } from './request-again.ts';

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
  /** Every lifecycle frame, when it enters the pipeline and when it has come out; the latest is replayed. Completes with the run. */
  readonly lifecycle$: Observable<LifecycleEvent>;
  readonly #options: PipelineTaskOptions;
  readonly #logger: Logger;
  readonly #cleanupTimeoutMs: number | null;
  readonly #pipeline: Pipeline;
  readonly #run: PipelineRun;
  readonly #observers: ObserverHub;
  readonly #probes: FlushProbes;
  readonly #idle: IdleWatch | undefined;
  #heartbeat: Heartbeat | undefined;
  #frames: Subject<Frame> | undefined;
  #result: Promise<PipelineResult> | undefined;
  #downstreamFilter: readonly FrameClass[];
  #upstreamFilter: readonly FrameClass[];
  readonly #reported = new WeakSet<ErrorFrame>();
  readonly #unusable = new WeakSet<FrameProcessor>();

  /**
   * @throws {InvalidOptionError} `pipeline` is no processor; an option is unknown, or can never work.
   */
  constructor(pipeline: FrameProcessor, options: PipelineTaskOptions = {}) {
    super();
    if (!(pipeline instanceof FrameProcessor))
      throw new InvalidOptionError('pipeline', 'a Pipeline, or another FrameProcessor', pipeline);
    const limits = checkTaskOptions(options);
    const { name = 'PipelineTask', observers = [], startMetadata } = options;
    this.name = name;
    this.#options = options;
    this.#logger = safeLogger(options.logger ?? stderrLogger);
    this.#cleanupTimeoutMs = limits.cleanupTimeoutMs;
    this.#downstreamFilter = options.reachedDownstreamFilter ?? [];
    this.#upstreamFilter = options.reachedUpstreamFilter ?? [];
    this.#observers = new ObserverHub(this.#logger, observers);
    this.#pipeline = new Pipeline([pipeline], {
      upstream: (frame) => this.#leavesUpstream(frame),
      downstream: (frame) => this.#leavesDownstream(frame),
    });
    this.#probes = new FlushProbes(this.#pipeline);
    if (limits.idleTimeoutMs !== null) {
      this.#idle = new IdleWatch(options.idleTimeoutFrames, limits.idleTimeoutMs, () => this.#onIdle());
    }
    this.#run = new PipelineRun({
      pipeline: this.#pipeline,
      limits,
      startMetadata,
      logger: this.#logger,
      onStart: () => this.#idle?.start(),
      onStarted: () => this.#onStarted(),
      onEnding: () => this.#stopTimers(),
      onStop: () => this.#stopTimers(),
      onLost: (frame) => this.#leavesDownstream(frame),
    });
    this.lifecycle$ = this.#run.lifecycle$;
  }

  protected override get logger(): Logger {
    return this.#logger;
  }

  /** Every frame that comes out of the pipeline downstream. Completes with the run. */
  get frames$(): Observable<Frame> {
    this.#frames ??= new Subject();
    if (this.#run.hasFinished) this.#frames.complete();
    return this.#frames.asObservable();
  }

  /** The highest exit code that an exit hook has reported. */
  get exitCode(): number {
    return this.#run.exitCode;
  }

  get hasFinished(): boolean {
    return this.#run.hasFinished;
  }

  /**
   * Sets the processors up, sends the StartFrame, then what was queued, until the run is over.
   *
   * @returns How the run ended; never rejects.
   * @throws {PipelineError} When called a second time.
   */
  run(): Promise<PipelineResult> {
    if (this.#result !== undefined) return Promise.reject(new PipelineError('A PipelineTask runs only once'));
    this.#result = this.#live();
    return this.#result;
  }

  /**
   * Sends a frame through the pipeline. Downstream frames wait for the start, and are dropped behind an End or
   * Stop frame; a CancelFrame is as good as {@link cancel}. Does not wait. After the end it does nothing.
   *
   * @throws {InvalidOptionError} It is not a frame, or the direction is none.
   */
  queueFrame(frame: Frame, direction: FrameDirection = 'downstream'): void {
    if (!isFrame(frame)) throw new InvalidOptionError('frame', 'a Frame', frame);
    if (direction !== 'downstream' && direction !== 'upstream')
      throw new InvalidOptionError('direction', "'downstream' or 'upstream'", direction);
    if (direction === 'downstream' && frame.frameRole === 'cancel') this.#run.cancel(frame as CancelFrame);
    else this.#run.queueFrame(frame, direction);
  }

  /** @throws {InvalidOptionError} They are not frames, or the direction is none. */
  queueFrames(frames: Iterable<Frame>, direction: FrameDirection = 'downstream'): void {
    if (typeof frames?.[Symbol.iterator] !== 'function')
      throw new InvalidOptionError('frames', 'a list of Frames', frames);
    for (const frame of frames) this.queueFrame(frame, direction);
  }

  /** Ends the run when everything that was queued before is through. */
  stopWhenDone(): void {
    this.queueFrame(new EndFrame());
  }

  /** Ends the run now: overtakes everything, also an end that is under way. The first reason counts. */
  cancel(reason?: string): void {
    this.#run.cancel(new CancelFrame(reason));
  }

  /**
   * Sends a probe through the pipeline and back.
   *
   * @returns True when everything that was queued before is through; false when that took longer than `timeoutMs`, or
   * the run was over first.
   * @throws {InvalidOptionError} `timeoutMs` is no limit.
   */
  async flush(options: { readonly timeoutMs?: number } = {}): Promise<boolean> {
    checkOptions(options);
    checkNames(options, ['timeoutMs']);
    const { timeoutMs = 5_000 } = options;
    checkDurationMs('timeoutMs', timeoutMs);
    if (!this.#run.isRunning) return false;
    const isThrough = await this.#probes.send(timeoutMs);
    if (!isThrough) this.#logger.warn({ timeoutMs }, 'the pipeline was not flushed in time');
    return isThrough;
  }

  /**
   * It is told what happens from now on.
   *
   * @throws {InvalidOptionError} It is no object.
   */
  addObserver(observer: Observer): void {
    checkObserver('observer', observer);
    this.#observers.add(observer);
  }

  removeObserver(observer: Observer): void {
    this.#observers.remove(observer);
  }

  /** Which frames raise `frameReachedDownstream`. */
  setReachedDownstreamFilter(classes: readonly FrameClass[]): void {
    checkFrameClasses('classes', classes);
    this.#downstreamFilter = classes;
  }

  /** Which frames raise `frameReachedUpstream`. */
  setReachedUpstreamFilter(classes: readonly FrameClass[]): void {
    checkFrameClasses('classes', classes);
    this.#upstreamFilter = classes;
  }

  /**
   * For the runner: cancels, and waits for no processor any more. Exit hooks, cleanups and observers have to be done
   * within `leftMs`.
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

  async #live(): Promise<PipelineResult> {
    const result = await this.#run.run(this.#setup(), () => this.#observers.close(this.#cleanupTimeoutMs));
    this.#frames?.complete();
    this.#probes.release();
    this.emit('finished', result);
    return result;
  }

  #onStarted(): void {
    this.#observers.pipelineStarted();
    this.emit('started');
    const { heartbeats = false } = this.#options;
    if (heartbeats === false || this.#run.isEnding) return;
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

  /** Behind an End, Stop or Cancel frame no heartbeat comes out, and nobody is idle. */
  #stopTimers(): void {
    this.#idle?.stop();
    this.#heartbeat?.stop();
  }

  #leavesDownstream(frame: Frame): void {
    if (this.#frames?.observed) this.#frames.next(frame);
    if (this.#downstreamFilter.length > 0 && isOneOf(frame, this.#downstreamFilter)) {
      this.emit('frameReachedDownstream', frame);
    }
    switch (frame.frameRole) {
      case 'start':
        this.#run.started(frame as StartFrame);
        break;
      case 'end':
      case 'stop':
      case 'cancel':
        this.#run.ended(frame as TerminalFrame);
        break;
      case 'end-task':
      case 'stop-task':
      case 'cancel-task':
      case 'interruption-task':
        this.#pipeline.queueFrame(requestAgain(frame), 'upstream');
        break;
      case 'flush':
        this.#probes.turn(frame);
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
        this.#run.interrupted();
        this.#pipeline.queueFrame(new InterruptionFrame());
        break;
      case 'interruption':
        this.#run.interrupted();
        break;
      case 'flush':
        this.#probes.arrive(frame);
        break;
      case 'end':
      case 'stop':
      case 'cancel':
        this.#run.ended(frame as TerminalFrame);
        break;
      default:
    }
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

  #applyUnusablePolicy(processor: FrameProcessor): void {
    if (this.#unusable.has(processor)) return;
    this.#unusable.add(processor);
    const { processorUnusablePolicy = 'continue' } = this.#options;
    if (processorUnusablePolicy === 'end') this.queueFrame(new EndFrame(`${processor.name} is unusable`));
    if (processorUnusablePolicy === 'cancel') this.cancel(`${processor.name} is unusable`);
  }

  #setup(): FrameProcessorSetup {
    const run = this.#run;
    return {
      lifecycle$: this.lifecycle$,
      onExit: (name, hook, options) => run.addExitHook(name, hook, options),
      fail: (error) => run.fail(error),
      logger: this.#logger,
      audioInSampleRate: this.#options.audioInSampleRate ?? 16_000,
      audioOutSampleRate: this.#options.audioOutSampleRate ?? 24_000,
      get signal() {
        return run.signal;
      },
      reportProgress: () => {
        run.progress();
        this.#idle?.sign();
      },
      cleanupTimeoutMs: this.#cleanupTimeoutMs,
      monitor: this.#monitor(),
    };
  }

  #monitor(): RunMonitor {
    const observers = this.#observers;
    const idle = this.#idle;
    const both: FrameWatcher = {
      note: (source, frame, direction) => {
        observers.pushed?.note(source, frame, direction);
        idle?.see(frame);
      },
    };
    const monitor = {
      pushed: observers.pushed,
      processed: observers.processed,
      processorSetUp: (processor: FrameProcessor, startedMs: number, finishedMs: number) =>
        observers.processorSetUp(processor, startedMs, finishedMs),
      activity: (frame: Frame) => {
        if (idle?.watchesPushes === false) idle.see(frame);
      },
      terminalFrameMoved: (frame: TerminalFrame) => this.#run.terminalMoved(frame),
      startFrameKept: (processor: FrameProcessor) => this.#run.startKeptBy(processor),
      progress: () => this.#run.progress(),
      forced: (error: ErrorFrame) => {
        this.#run.forced = true;
        // on its way to the beginning of the pipeline it may get lost, or come too late
        this.#report(error);
      },
      unusable: (processor: FrameProcessor) => this.#applyUnusablePolicy(processor),
    };
    observers.onChange(() => {
      monitor.pushed = idle?.watchesPushes === true ? both : observers.pushed;
      monitor.processed = observers.processed;
    });
    return monitor;
  }
}
