/** One run of a pipeline: what goes into the pipeline, what comes out of its ends, and what the processors report. */

import { type Observable, Subject } from 'rxjs';
import type { ErrorFrame } from '../frames/error-frame.ts';
import type { Frame, FrameDirection } from '../frames/frame.ts';
import { InterruptionFrame, InterruptionTaskFrame } from '../frames/interruption.ts';
import {
  CancelFrame,
  CancelTaskFrame,
  EndFrame,
  EndTaskFrame,
  isTerminalFrame,
  StartFrame,
  StopFrame,
  StopTaskFrame,
  type TerminalFrame,
} from '../frames/lifecycle.ts';
import { isOneOf } from '../frames/of-frame.ts';
import type { SafeEventEmitter } from '../lib/emitter.ts';
import { ObserverDispatcher } from '../observers/observer-dispatcher.ts';
import { turnOfTheLoop } from '../processors/core/frame-scheduler.ts';
import type { FrameListener, PipelineHooks } from '../processors/core/processor-types.ts';
import type { FrameProcessor } from '../processors/frame-processor.ts';
import type { FrameProcessorSetup, PipelineResult } from '../processors/frame-processor-setup.ts';
import { Backlog } from './backlog.ts';
import { ExitHooks } from './exit-hooks.ts';
import { FlushProbes, Heartbeat } from './heartbeat.ts';
import { IdleTimer } from './idle-timer.ts';
import { Pipeline } from './pipeline.ts';
import type { PipelineTaskEvents, ResolvedTaskOptions } from './pipeline-task-options.ts';
import { acquireProcessors } from './processors-in-use.ts';
import { type Outcome, RunLifecycle } from './run-lifecycle.ts';

/** From the setup of the processors to the last exit hook. Emits the events of its task. */
export class PipelineRun implements PipelineHooks {
  readonly #options: ResolvedTaskOptions;
  readonly #events: SafeEventEmitter<PipelineTaskEvents>;
  /** The user's pipeline, between this run's ends. */
  readonly #pipeline: Pipeline;
  readonly lifecycle: RunLifecycle;
  readonly exitHooks: ExitHooks;
  readonly #probes: FlushProbes;
  readonly #idle: IdleTimer | undefined;
  #heartbeat: Heartbeat | undefined;
  readonly observers: ObserverDispatcher;
  /** Frames that were queued before they could be sent, by direction. */
  readonly #downstream = new Backlog((frame) => this.#enter(frame));
  readonly #upstream = new Backlog((frame) => this.#pipeline.queueFrame(frame, 'upstream'));
  #frames: Subject<Frame> | undefined;
  pushed: FrameListener | undefined;
  processed: FrameListener | undefined;
  readonly #reported = new WeakSet<ErrorFrame>();
  readonly #unusable = new WeakSet<FrameProcessor>();
  #shutdownTimer: ReturnType<typeof setTimeout> | undefined;
  #giveUp = (): void => {};
  /** Resolves when the time of a forced shutdown is up. */
  readonly #shutdownOver: Promise<void> = new Promise((resolve) => {
    this.#giveUp = resolve;
  });

  constructor(
    pipeline: FrameProcessor,
    options: ResolvedTaskOptions,
    events: SafeEventEmitter<PipelineTaskEvents>,
  ) {
    const { logger, observers, idleTimeoutFrames, idleTimeoutMs } = options;
    this.#options = options;
    this.#events = events;
    this.#pipeline = new Pipeline([pipeline], {
      upstream: (frame) => this.#leaveUpstream(frame),
      downstream: (frame) => this.#leaveDownstream(frame),
    });
    this.lifecycle = new RunLifecycle(this.#pipeline, options, {
      onEnding: (frame) => this.#onEnding(frame),
      onLost: (frame) => this.#leaveDownstream(frame),
    });
    this.exitHooks = new ExitHooks(logger);
    this.#probes = new FlushProbes(this.#pipeline);
    if (idleTimeoutMs !== null)
      this.#idle = new IdleTimer(idleTimeoutFrames, idleTimeoutMs, () => this.#onIdle());
    this.observers = new ObserverDispatcher(logger, observers);
    this.observers.onChange(() => this.#updateListeners());
  }

  /** Every frame that comes out of the pipeline downstream. */
  get frames$(): Observable<Frame> {
    this.#frames ??= new Subject();
    if (this.lifecycle.hasFinished) this.#frames.complete();
    return this.#frames.asObservable();
  }

  // — from setup to the result —

  async run(): Promise<PipelineResult> {
    this.lifecycle.began();
    await undefined; // listeners may be added until then
    const release = this.#setUp();
    return this.#finish(await this.lifecycle.outcome, release);
  }

  /** @returns Releases the processors; `undefined` when they are another run's. */
  #setUp(): (() => void) | undefined {
    let release: (() => void) | undefined;
    this.lifecycle.setupBegan();
    try {
      release = acquireProcessors(this.#pipeline);
      const pending = this.#pipeline.setup(this.#setup());
      if (pending === undefined || this.lifecycle.isCancelled) this.#start();
      else
        pending.then(
          () => this.#start(),
          (error) => this.lifecycle.fail(error),
        );
    } catch (error) {
      this.lifecycle.fail(error);
    }
    return release;
  }

  #setup(): FrameProcessorSetup {
    const { logger, audioInSampleRate, audioOutSampleRate, cleanupTimeoutMs } = this.#options;
    const { lifecycle } = this;
    return {
      lifecycle$: lifecycle.lifecycle$,
      onExit: (name, hook, options) => this.exitHooks.add(name, hook, options),
      fail: (error) => lifecycle.fail(error),
      logger,
      audioInSampleRate,
      audioOutSampleRate,
      get signal() {
        return lifecycle.signal;
      },
      claims: new Set(),
      reportProgress: () => {
        lifecycle.progress();
        this.#idle?.reset();
      },
      cleanupTimeoutMs,
      hooks: this,
    };
  }

  #start(): void {
    if (!this.lifecycle.setupEnded()) return;
    const frame = new StartFrame();
    Object.assign(frame.metadata, this.#options.startMetadata);
    this.#idle?.start();
    this.lifecycle.startEntered(frame);
    this.#pipeline.queueFrame(frame);
    this.#upstream.release();
  }

  #started(frame: StartFrame): void {
    if (!this.lifecycle.startCompleted(frame)) return;
    this.#downstream.release();
    this.observers.pipelineStarted();
    this.#events.emit('started');
    if (!this.lifecycle.isEnding) this.#startHeartbeat();
    this.lifecycle.ready();
  }

  #startHeartbeat(): void {
    const { heartbeats, logger } = this.#options;
    if (heartbeats === false) return;
    this.#heartbeat = new Heartbeat(
      heartbeats === true ? {} : heartbeats,
      (frame) => this.#pipeline.queueFrame(frame),
      (timeoutMs) => {
        logger.warn({ timeoutMs }, 'no heartbeat has come out of the pipeline');
        this.#events.emit('heartbeatTimeout', timeoutMs);
      },
    );
    this.#heartbeat.start();
  }

  async #finish(outcome: Outcome, release: (() => void) | undefined): Promise<PipelineResult> {
    this.#clearBacklogs();
    this.#stopTimers();
    this.lifecycle.stop();
    const result = this.lifecycle.resultOf(outcome);
    // frames behind the terminal one may still come out, as in Pipecat
    if (result.reason !== 'failed') await turnOfTheLoop();
    const hooks = this.exitHooks.run(result);
    if (result.reason !== 'stopped' && release !== undefined) {
      const cleanup = this.#pipeline.cleanup();
      if (cleanup !== undefined) await Promise.race([cleanup, this.#shutdownOver]);
    }
    release?.();
    await hooks;
    await Promise.race([this.observers.close(this.#options.cleanupTimeoutMs), this.#shutdownOver]);
    clearTimeout(this.#shutdownTimer);
    this.lifecycle.finished();
    const finalResult = this.lifecycle.resultOf(outcome);
    this.#frames?.complete();
    this.#probes.abort();
    this.#events.emit('finished', finalResult);
    return finalResult;
  }

  /** Waits for no processor any more. Exit hooks run concurrently, and they, cleanups and observers have `leftMs`. */
  forceShutdown(leftMs: number): void {
    if (this.lifecycle.hasFinished) return;
    this.exitHooks.forceShutdown(leftMs);
    clearTimeout(this.#shutdownTimer);
    this.#shutdownTimer = setTimeout(this.#giveUp, leftMs);
    this.lifecycle.force();
  }

  // — frames go in —

  /** Sends a frame, or keeps it until the pipeline has started; frames behind a terminal one are dropped. */
  queueFrame(frame: Frame, direction: FrameDirection): void {
    if (this.lifecycle.isOver) return;
    if (direction === 'upstream') this.#upstream.add(frame);
    else if (frame.frameRole === 'cancel') this.cancel(frame as CancelFrame);
    else if (this.lifecycle.accept(frame)) {
      if (frame.frameRole === 'interruption') this.#downstream.interrupt();
      this.#downstream.add(frame);
    }
  }

  #enter(frame: Frame): void {
    if (isTerminalFrame(frame)) this.lifecycle.endEntered(frame);
    this.#pipeline.queueFrame(frame);
  }

  /** Overtakes all frames, also an end that is under way; the first one counts. */
  cancel(frame: CancelFrame): void {
    if (this.lifecycle.cancel(frame)) this.#pipeline.queueFrame(frame);
  }

  /** @returns Whether all frames that were queued before are processed, within the timeout and the run. */
  async flush(timeoutMs: number): Promise<boolean> {
    if (!this.lifecycle.isRunning) return false;
    const isFlushed = await this.#probes.send(timeoutMs);
    if (!isFlushed) this.#options.logger.warn({ timeoutMs }, 'the pipeline was not flushed in time');
    return isFlushed;
  }

  /** Behind a terminal frame no heartbeat comes out, and there is no idle timeout. */
  #onEnding(frame: TerminalFrame): void {
    if (frame.frameRole === 'cancel') this.#clearBacklogs();
    this.#stopTimers();
  }

  #stopTimers(): void {
    this.#idle?.stop();
    this.#heartbeat?.stop();
  }

  #clearBacklogs(): void {
    this.#downstream.clear();
    this.#upstream.clear();
  }

  // — frames come out —

  #leaveDownstream(frame: Frame): void {
    if (this.#frames?.observed) this.#frames.next(frame);
    const { reachedDownstreamFilter: filter } = this.#options;
    if (filter.length > 0 && isOneOf(frame, filter)) this.#events.emit('frameReachedDownstream', frame);
    switch (frame.frameRole) {
      case 'start':
        this.#started(frame as StartFrame);
        break;
      case 'end':
      case 'stop':
      case 'cancel':
        this.lifecycle.completed(frame as TerminalFrame);
        break;
      case 'end-task':
      case 'stop-task':
      case 'cancel-task':
      case 'interruption-task':
        this.#pipeline.queueFrame(requestAgain(frame), 'upstream');
        break;
      case 'flush':
        this.#probes.sendBack(frame);
        break;
      case 'heartbeat':
        this.#heartbeat?.received();
        break;
      default:
    }
  }

  #leaveUpstream(frame: Frame): void {
    const { reachedUpstreamFilter: filter } = this.#options;
    if (filter.length > 0 && isOneOf(frame, filter)) this.#events.emit('frameReachedUpstream', frame);
    switch (frame.frameRole) {
      case 'error':
        this.#report(frame as ErrorFrame);
        break;
      case 'end-task':
        this.queueFrame(new EndFrame((frame as EndTaskFrame).reason), 'downstream');
        break;
      case 'stop-task':
        this.queueFrame(new StopFrame(), 'downstream');
        break;
      case 'cancel-task':
        this.cancel(new CancelFrame((frame as CancelTaskFrame).reason));
        break;
      case 'interruption-task':
        this.#downstream.interrupt();
        this.#pipeline.queueFrame(new InterruptionFrame());
        break;
      case 'interruption':
        this.#downstream.interrupt();
        break;
      case 'flush':
        this.#probes.received(frame);
        break;
      case 'end':
      case 'stop':
      case 'cancel':
        this.lifecycle.completed(frame as TerminalFrame);
        break;
      default:
    }
  }

  /** Once for each frame: an error that a hook reported may also come out of the pipeline. */
  #report(frame: ErrorFrame): void {
    if (this.#reported.has(frame)) return;
    this.#reported.add(frame);
    this.#events.emit('error', frame);
  }

  #onIdle(): void {
    this.#events.emit('idleTimeout');
    if (this.#options.cancelOnIdleTimeout) this.cancel(new CancelFrame('idle timeout'));
  }

  // — what processors report —

  onProcessorSetUp(processor: FrameProcessor, startedMs: number, finishedMs: number): void {
    this.observers.processorSetUp(processor, startedMs, finishedMs);
  }

  onActivity(frame: Frame): void {
    if (this.#idle?.needsAllFrames === false) this.#idle.onFrame(frame);
  }

  onTerminalFrame(frame: TerminalFrame): void {
    this.lifecycle.onTerminalFrame(frame);
  }

  onStartFrameKept(processor: FrameProcessor): void {
    this.lifecycle.startFrameKept(processor);
  }

  onProgress(): void {
    this.lifecycle.progress();
  }

  onForced(error: ErrorFrame): void {
    this.lifecycle.isForced = true;
    this.#report(error); // the frame may get lost on its way up, or arrive after the run
  }

  onUnusable(processor: FrameProcessor): void {
    if (this.#unusable.has(processor)) return;
    this.#unusable.add(processor);
    const { processorUnusablePolicy: policy } = this.#options;
    const reason = `${processor.name} is unusable`;
    if (policy === 'end') this.queueFrame(new EndFrame(reason), 'downstream');
    if (policy === 'cancel') this.cancel(new CancelFrame(reason));
  }

  #updateListeners(): void {
    const { pushed, processed } = this.observers;
    const idle = this.#idle;
    this.processed = processed;
    this.pushed = pushed;
    if (idle?.needsAllFrames !== true) return;
    this.pushed = {
      onFrame: (source, frame, direction) => {
        pushed?.onFrame(source, frame, direction);
        idle.onFrame(frame);
      },
    };
  }
}

/** A request that has drained the pipeline, to be sent up: a new frame, as a parallel pipeline lets each out only once. */
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
