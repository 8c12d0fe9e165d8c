/** The engine of a processor: its queues, the calls of `process()`, pushes, interruption and cancel. */

import type { Subject } from 'rxjs';
import type { Named } from '../../frames/error-frame.ts';
import { type Frame, type FrameDirection, isFrame } from '../../frames/frame.ts';
import { isTerminalFrame, type LifecycleFrame } from '../../frames/lifecycle.ts';
import { InvalidOptionError } from '../../lib/errors.ts';
import { FrameQueues } from './frame-queues.ts';
import { directCalls, frameScheduler, type Schedulable } from './frame-scheduler.ts';
import { ForwardedFrames, isForced, isForwarded, LifecycleTracker } from './lifecycle-tracker.ts';
import { type PendingCall, ProcessCalls } from './process-calls.ts';
import { noHooks, type PipelineHooks, type Processor, type ProcessorAccess } from './processor-types.ts';

/**
 * The part of a processor that every frame passes.
 *
 * A class of its own because there are many classes of `FrameProcessor`: accesses to these fields stay monomorphic.
 */
export class ProcessorCore implements Schedulable {
  readonly #processor: Processor;
  readonly #access: ProcessorAccess;
  /** Whether frames are processed synchronously inside {@link queueFrame}, without queues. */
  readonly isDirect: boolean;
  readonly queues: FrameQueues = new FrameQueues();
  readonly calls: ProcessCalls = new ProcessCalls();
  readonly #tracker: LifecycleTracker;
  /** Created with the first of the framework's own frames. */
  #forwarded: ForwardedFrames | undefined;
  next: Processor | undefined;
  previous: Processor | undefined;
  hooks: PipelineHooks = noHooks;
  /** Emits each frame that is pushed; created on first use. */
  frames: Subject<Frame> | undefined;
  isCancelled = false;
  /** Whether the processor has, or has had, a listener. */
  isListenedTo = false;
  #isSystemScheduled = false;
  #isScheduled = false;
  /** Whether a terminal frame waits or is pending here: then frames that advance are progress. */
  #isEnding = false;

  constructor(processor: Processor, access: ProcessorAccess, isDirect: boolean) {
    this.#processor = processor;
    this.#access = access;
    this.isDirect = isDirect;
    this.#tracker = new LifecycleTracker(processor, access, this.queues, this.calls);
  }

  /** Joins a run. */
  setUp(hooks: PipelineHooks): void {
    if (this.queues.isStarted || this.isCancelled) this.reset();
    this.hooks = hooks;
    this.#tracker.hooks = hooks;
  }

  /** Drops everything, as before the first run. */
  reset(): void {
    this.calls.reset();
    this.queues.reset();
    this.#tracker.reset();
    this.isCancelled = false;
    this.#isEnding = false;
  }

  // — frames come in —

  queueFrame(frame: Frame, direction: FrameDirection): void {
    const kind = frame?.kind;
    if (kind !== 'data' && kind !== 'control' && kind !== 'system') refuse(frame);
    if (this.isCancelled) return;
    if (this.isDirect) {
      this.#noteTerminalFrame(frame);
      directCalls.run(() => this.#handleDirectly(frame, direction));
      return;
    }
    if (kind === 'system') {
      this.#queueSystemFrame(frame, direction);
      return;
    }
    if (kind === 'control' && isTerminalFrame(frame)) {
      this.#isEnding = true;
      this.hooks.onTerminalFrame(frame);
    }
    if (this.queues.add(frame, direction)) this.schedule();
    if (kind === 'control' && this.#isEnding && isForced(frame)) this.#forceIfBusy(frame as LifecycleFrame);
  }

  #queueSystemFrame(frame: Frame, direction: FrameDirection): void {
    this.#noteTerminalFrame(frame);
    if (frame.frameRole === 'cancel') {
      if (!this.queues.isStarted && this.calls.system === undefined) {
        this.#skipCancel(frame, direction);
        return;
      }
      this.queues.resumeSystem();
    }
    if (this.queues.addSystem(frame, direction)) this.scheduleSystem();
    if (frame.frameRole === 'cancel' && isForced(frame)) this.#forceIfBusy(frame as LifecycleFrame);
  }

  /** A processor that never started has nothing to cancel. */
  #skipCancel(frame: Frame, direction: FrameDirection): void {
    this.reset();
    this.isCancelled = true;
    this.calls.runDetached(frame, () => this.push(frame, direction));
  }

  #noteTerminalFrame(frame: Frame): void {
    if (isTerminalFrame(frame)) this.hooks.onTerminalFrame(frame);
  }

  // — frames take turns —

  schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    frameScheduler.add(this);
  }

  scheduleSystem(): void {
    if (this.#isSystemScheduled) return;
    this.#isSystemScheduled = true;
    frameScheduler.addSystem(this);
  }

  runSystem(limit: number): number {
    this.#isSystemScheduled = false;
    let handled = 0;
    while (this.calls.system === undefined) {
      if (handled === limit) {
        this.scheduleSystem();
        return handled;
      }
      const frame = this.queues.takeSystem();
      if (frame === undefined) break;
      handled += 1;
      this.#beforeSystemFrame(frame, this.queues.direction);
      this.#handle(frame, this.queues.direction, true);
    }
    if (this.calls.system === undefined) this.queues.systemDone();
    if (this.queues.hasNext) this.schedule();
    return handled;
  }

  run(limit: number): number {
    this.#isScheduled = false;
    const queues = this.queues;
    let handled = 0;
    while (queues.hasNext && this.calls.current === undefined) {
      // also when process() has just pushed a system frame to this same processor
      if (handled === limit || this.#isSystemScheduled) {
        this.schedule();
        break;
      }
      const frame = queues.take();
      handled += 1;
      if (frame.kind === 'control') this.#beforeControlFrame(frame, queues.direction);
      this.#handle(frame, queues.direction, false);
    }
    return handled;
  }

  // — one frame —

  #beforeSystemFrame(frame: Frame, direction: FrameDirection): void {
    const role = frame.frameRole;
    if (role === 'cancel') this.#cancel();
    if (role === 'start' || role === 'cancel') this.#track(frame, direction);
    else if (role === 'interruption') this.#interrupt();
    else if (role === 'pause' || role === 'resume') this.#pauseOrResume(frame);
    this.#noteFrameworkFrame(frame);
  }

  #beforeControlFrame(frame: Frame, direction: FrameDirection): void {
    const role = frame.frameRole;
    if (role === 'end' || role === 'stop') this.#track(frame, direction);
    else if (role === 'pause') this.#pauseOrResume(frame);
    this.#noteFrameworkFrame(frame);
  }

  #track(frame: Frame, direction: FrameDirection): void {
    if (direction === 'downstream') this.#tracker.received(frame as LifecycleFrame);
  }

  #noteFrameworkFrame(frame: Frame): void {
    if (!isForwarded(frame)) return;
    this.#forwarded ??= new ForwardedFrames();
    this.#forwarded.received(frame);
  }

  #pauseOrResume(frame: Frame): void {
    if ((frame as Frame & { readonly processor?: Named }).processor?.name !== this.#processor.name) return;
    if (frame.frameRole === 'pause') this.queues.pause();
    else this.resume();
  }

  #handle(frame: Frame, direction: FrameDirection, isSystem: boolean): void {
    this.#beforeHandling(frame, direction);
    try {
      const call = this.calls.run(this.#access.process, this.#processor, frame, direction);
      if (call !== undefined) {
        this.#await(call, isSystem);
        return;
      }
    } catch (error) {
      this.#tracker.failed(frame, error);
    }
    this.#handlerReturned(frame, direction);
  }

  #handleDirectly(frame: Frame, direction: FrameDirection): void {
    if (frame.frameRole === 'cancel') this.isCancelled = true;
    if (frame.frameRole === 'start' || isTerminalFrame(frame)) this.#track(frame, direction);
    this.#noteFrameworkFrame(frame);
    this.#beforeHandling(frame, direction);
    const failed = (error: unknown): void => this.#tracker.failed(frame, error);
    const after = (): void => this.#afterHandling(frame, direction);
    try {
      const call = this.calls.run(this.#access.process, this.#processor, frame, direction);
      if (call !== undefined) {
        call.promise.catch(failed).then(after);
        return;
      }
    } catch (error) {
      failed(error);
    }
    after();
  }

  #await(call: PendingCall, isSystem: boolean): void {
    if (isSystem) this.calls.system = call;
    else this.calls.current = call;
    this.#tracker.isBusyWith(call.frame);
    call.promise.then(
      () => this.#settled(call),
      (error) => this.#settled(call, { error }),
    );
  }

  #settled(call: PendingCall, failure?: { readonly error: unknown }): void {
    call.isSettled = true;
    // the error of an abandoned call is usually that of its aborted signal
    if (call.isAbandoned) return;
    const begins = frameScheduler.willBegin();
    try {
      if (failure !== undefined) this.#tracker.failed(call.frame, failure.error);
      this.#handlerReturned(call.frame, call.direction);
      if (call === this.calls.system) {
        this.calls.system = undefined;
        this.scheduleSystem();
      } else if (call === this.calls.current) {
        this.calls.current = undefined;
        if (this.queues.hasNext) this.schedule();
      }
    } finally {
      if (begins) frameScheduler.begin();
    }
  }

  #beforeHandling(frame: Frame, direction: FrameDirection): void {
    if (this.isListenedTo) this.#access.emit(this.#processor, 'beforeProcessFrame', frame, direction);
    this.hooks.processed?.onFrame(this.#processor, frame, direction);
  }

  #handlerReturned(frame: Frame, direction: FrameDirection): void {
    if (this.#isEnding) this.#noteProgress(frame, true);
    this.#afterHandling(frame, direction);
  }

  #afterHandling(frame: Frame, direction: FrameDirection): void {
    const { pending } = this.#tracker;
    if (pending === frame) this.#tracker.kept(pending);
    if (this.#forwarded !== undefined && isForwarded(frame)) this.#forward(frame, direction);
    if (this.isListenedTo) this.#access.emit(this.#processor, 'afterProcessFrame', frame, direction);
  }

  /** Pushes one of the framework's own frames when `process()` has not. */
  #forward(frame: Frame, direction: FrameDirection): void {
    // a compound has queued it inside, where each processor forwards it
    if (this.#processor.processors.length > 0 || this.#forwarded?.returned(frame) !== true) return;
    this.calls.runDetached(frame, () => this.#processor.push(frame, direction));
    this.#forwarded.forwarded(frame);
  }

  /** `process()` will push this frame later, in its place. */
  hold(frame: Frame): void {
    if (isForwarded(frame)) this.#forwarded?.held(frame);
  }

  // — frames go out —

  push(frame: Frame, direction: FrameDirection): void {
    if (!isFrame(frame)) refuse(frame);
    if (this.calls.isAbandoned) return;
    if (direction === 'downstream' && !this.#tracker.forwarded(frame)) return;
    if (this.#forwarded !== undefined && isForwarded(frame) && !this.#forwarded.pushed(frame)) return;
    if (this.#isEnding) this.#noteProgress(frame, this.#tracker.pending !== undefined);
    if (frame.frameActivity !== undefined) this.hooks.onActivity(frame);
    const neighbour = direction === 'downstream' ? this.next : this.previous;
    if (this.frames !== undefined || this.isListenedTo) {
      this.#pushObserved(frame, direction, neighbour);
      return;
    }
    this.hooks.pushed?.onFrame(this.#processor, frame, direction);
    neighbour?.queueFrame(frame, direction);
  }

  #pushObserved(frame: Frame, direction: FrameDirection, neighbour: Processor | undefined): void {
    this.#access.emit(this.#processor, 'beforePushFrame', frame, direction);
    this.frames?.next(frame);
    this.hooks.pushed?.onFrame(this.#processor, frame, direction);
    neighbour?.queueFrame(frame, direction);
    this.#access.emit(this.#processor, 'afterPushFrame', frame, direction);
  }

  #noteProgress(frame: Frame, stillEnding: boolean): void {
    this.#isEnding = stillEnding || !isTerminalFrame(frame);
    if (frame.kind !== 'system' && frame.frameRole !== 'heartbeat') this.hooks.onProgress();
  }

  // — pause, interruption, cancel, force —

  resume(): void {
    this.queues.resume();
    if (this.queues.hasNext) this.schedule();
  }

  #interrupt(): void {
    const { current } = this.calls;
    // while paused the next frame counts as the current one
    const frame = current?.frame ?? (this.queues.isPaused ? this.queues.next : undefined);
    if (frame?.uninterruptible !== true) {
      if (current !== undefined) this.calls.abandon(current);
      this.resume();
    }
    this.queues.dropDroppable(0);
    if (this.queues.hasNext) this.schedule();
  }

  #cancel(): void {
    this.isCancelled = true;
    if (this.calls.current !== undefined) this.calls.abandon(this.calls.current);
    this.queues.clear();
    this.#tracker.clear();
  }

  /** Whether a lifecycle frame waits here, is being processed, or was kept. */
  has(frame: LifecycleFrame): boolean {
    return this.#tracker.pending === frame || this.queues.includes(frame);
  }

  /** Gets a lifecycle frame going that has not gone on from here; see {@link LifecycleTracker.force}. */
  force(frame: LifecycleFrame): void {
    if (!this.#tracker.force(frame)) return;
    this.queues.resumeSystem();
    if (frame.kind !== 'system') this.resume();
    this.scheduleSystem();
  }

  /** A frame past its limit was queued: it waits behind no call and no pause. */
  #forceIfBusy(frame: LifecycleFrame): void {
    const { system, current } = this.calls;
    if (system !== undefined || current !== undefined || this.queues.isPaused || this.queues.isSystemPaused)
      this.force(frame);
  }
}

function refuse(value: unknown): never {
  throw new InvalidOptionError('frame', 'a Frame', value);
}
