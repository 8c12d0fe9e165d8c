import type { Subject } from 'rxjs';
import { ErrorFrame, type Named } from '../frames/error-frame.ts';
import { type Frame, type FrameDirection, isFrame } from '../frames/frame.ts';
import { isTerminalFrame, type LifecycleFrame } from '../frames/lifecycle.ts';
import type { SafeEventEmitter } from '../lib/emitter.ts';
import { errorMessage, InvalidOptionError } from '../lib/errors.ts';
import type { Logger } from '../lib/logger.ts';
import { directCalls } from './direct-calls.ts';
import { ForwardedFrames, isForwarded } from './forwarded-frames.ts';
import { FrameLanes } from './frame-lanes.ts';
import type { FrameProcessor, FrameProcessorEvents } from './frame-processor.ts';
import { noMonitor, type RunMonitor } from './frame-processor-setup.ts';
import { frameScheduler, type Runnable } from './frame-scheduler.ts';
import { isForced, LifecycleCustody } from './lifecycle-custody.ts';
import { type PendingCall, type Process, ProcessCalls } from './process-calls.ts';

/** What the core may do with the processor around it, and nobody else may. One for all processors. */
export interface ProcessorAccess {
  readonly process: Process;
  /** The processor, as the emitter of its events. */
  emitter(processor: FrameProcessor): SafeEventEmitter<FrameProcessorEvents>;
  logger(processor: FrameProcessor): Logger;
  /** Reports an error and pushes it upstream. */
  pushErrorFrame(processor: FrameProcessor, frame: ErrorFrame): void;
}

/**
 * What makes a processor work: which frame is next, one frame's handling, interruption, cancel, and that lifecycle
 * frames go on.
 *
 * Apart from {@link FrameProcessor} because there are many classes of those and one of this: what a frame touches
 * on its way is here, where the engine finds it fast.
 */
export class ProcessorCore implements Runnable {
  readonly #processor: FrameProcessor;
  readonly #access: ProcessorAccess;
  /** Without queues: frames are processed synchronously inside {@link queueFrame}. */
  readonly isDirect: boolean;
  readonly lanes: FrameLanes = new FrameLanes();
  readonly calls: ProcessCalls = new ProcessCalls();
  readonly #custody = new LifecycleCustody();
  /** Made with the first of the framework's own frames that comes here. */
  #forwarded: ForwardedFrames | undefined;
  next: FrameProcessor | undefined;
  previous: FrameProcessor | undefined;
  monitor: RunMonitor = noMonitor;
  /** Gets every frame that is pushed; made when somebody asks. */
  frames: Subject<Frame> | undefined;
  isCancelled = false;
  /** Whether somebody listens to events, or did. */
  isListenedTo = false;
  #wantsUrgent = false;
  #wantsTurn = false;
  /** A terminal frame waits here, or is in custody: what goes on is progress. */
  #isEnding = false;
  /** The frame that was forced here last; its error was reported. */
  #forcedFrame: LifecycleFrame | undefined;

  constructor(processor: FrameProcessor, access: ProcessorAccess, isDirect: boolean) {
    this.#processor = processor;
    this.#access = access;
    this.isDirect = isDirect;
  }

  queueFrame(frame: Frame, direction: FrameDirection): void {
    const kind = frame?.kind;
    if (kind !== 'data' && kind !== 'control' && kind !== 'system') refuse(frame);
    if (this.isCancelled) return;
    if (this.isDirect) {
      this.#noteMove(frame);
      directCalls.run(() => this.#handleDirectly(frame, direction));
      return;
    }
    if (kind === 'system') {
      this.#queueSystemFrame(frame, direction);
      return;
    }
    if (kind === 'control' && isTerminalFrame(frame)) {
      this.#isEnding = true;
      this.monitor.terminalFrameMoved(frame);
    }
    if (this.lanes.add(frame, direction)) this.wantTurn();
    if (kind === 'control' && this.#isEnding && isForced(frame)) this.#forceIfBusy(frame as LifecycleFrame);
  }

  push(frame: Frame, direction: FrameDirection): void {
    if (!isFrame(frame)) refuse(frame);
    if (this.calls.isAbandoned) return;
    if (direction === 'downstream' && !this.#custody.passOn(frame)) return;
    if (this.#forwarded !== undefined && isForwarded(frame) && !this.#forwarded.pushed(frame)) return;
    if (this.#isEnding) this.#noteProgress(frame, this.#custody.held !== undefined);
    if (frame.frameActivity !== undefined) this.monitor.activity(frame);
    const neighbour = direction === 'downstream' ? this.next : this.previous;
    if (this.frames !== undefined || this.isListenedTo) {
      this.#pushWatched(frame, direction, neighbour);
      return;
    }
    this.monitor.pushed?.note(this.#processor, frame, direction);
    neighbour?.queueFrame(frame, direction);
  }

  /** `process()` will push this frame later, in its place. */
  hold(frame: Frame): void {
    if (isForwarded(frame)) this.#forwarded?.held(frame);
  }

  runUrgent(limit: number): number {
    this.#wantsUrgent = false;
    let handled = 0;
    while (this.calls.system === undefined) {
      if (handled === limit) {
        this.wantUrgent();
        return handled;
      }
      const frame = this.lanes.takeSystem();
      if (frame === undefined) break;
      handled += 1;
      this.#handleSystemFrame(frame, this.lanes.direction);
    }
    if (this.calls.system === undefined) this.lanes.systemDone();
    if (this.lanes.hasNext) this.wantTurn();
    return handled;
  }

  run(limit: number): number {
    this.#wantsTurn = false;
    const lanes = this.lanes;
    let handled = 0;
    while (lanes.hasNext && this.calls.current === undefined) {
      // also when a handler of this turn pushed something urgent to this very processor
      if (handled === limit || this.#wantsUrgent) {
        this.wantTurn();
        break;
      }
      const frame = lanes.take();
      handled += 1;
      if (frame.kind === 'control') this.#beforeControlFrame(frame, lanes.direction);
      this.#handle(frame, lanes.direction, false);
    }
    return handled;
  }

  wantTurn(): void {
    if (this.#wantsTurn) return;
    this.#wantsTurn = true;
    frameScheduler.add(this);
  }

  wantUrgent(): void {
    if (this.#wantsUrgent) return;
    this.#wantsUrgent = true;
    frameScheduler.addUrgent(this);
  }

  #queueSystemFrame(frame: Frame, direction: FrameDirection): void {
    this.#noteMove(frame);
    if (frame.frameRole === 'cancel') {
      if (!this.lanes.isStarted && this.calls.system === undefined) {
        this.#skipCancel(frame, direction);
        return;
      }
      this.lanes.resumeSystem();
    }
    if (this.lanes.addSystem(frame, direction)) this.wantUrgent();
    if (frame.frameRole === 'cancel' && isForced(frame)) this.#forceIfBusy(frame as LifecycleFrame);
  }

  /** What was never started has nothing to cancel. */
  #skipCancel(frame: Frame, direction: FrameDirection): void {
    this.reset();
    this.isCancelled = true;
    this.calls.runDetached(frame, () => this.push(frame, direction));
  }

  #noteMove(frame: Frame): void {
    if (isTerminalFrame(frame)) this.monitor.terminalFrameMoved(frame);
  }

  #noteProgress(frame: Frame, stillEnding: boolean): void {
    this.#isEnding = stillEnding || !isTerminalFrame(frame);
    if (frame.kind !== 'system' && frame.frameRole !== 'heartbeat') this.monitor.progress();
  }

  // — one frame —

  #handleSystemFrame(frame: Frame, direction: FrameDirection): void {
    switch (frame.frameRole) {
      case 'start':
        this.#takeCustody(frame as LifecycleFrame, direction);
        break;
      case 'cancel':
        this.#cancel();
        this.#takeCustody(frame as LifecycleFrame, direction);
        break;
      case 'interruption':
        this.#interrupt();
        break;
      case 'pause':
      case 'resume':
        this.#obeyPauseFrame(frame);
        break;
      default:
    }
    this.#noteFrameworkFrame(frame);
    this.#handle(frame, direction, true);
  }

  #beforeControlFrame(frame: Frame, direction: FrameDirection): void {
    const role = frame.frameRole;
    if (role === 'end' || role === 'stop') this.#takeCustody(frame as LifecycleFrame, direction);
    else if (role === 'pause') this.#obeyPauseFrame(frame);
    this.#noteFrameworkFrame(frame);
  }

  #noteFrameworkFrame(frame: Frame): void {
    if (!isForwarded(frame)) return;
    this.#forwarded ??= new ForwardedFrames();
    this.#forwarded.received(frame);
  }

  #takeCustody(frame: LifecycleFrame, direction: FrameDirection): void {
    if (direction === 'downstream') this.#custody.take(frame);
  }

  #obeyPauseFrame(frame: Frame): void {
    if ((frame as Frame & { readonly processor?: Named }).processor?.name !== this.#name) return;
    if (frame.frameRole === 'pause') this.lanes.pause();
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
      this.#handlerFailed(frame, error);
    }
    this.#handlerReturned(frame, direction);
  }

  #handleDirectly(frame: Frame, direction: FrameDirection): void {
    if (frame.frameRole === 'cancel') this.isCancelled = true;
    if (frame.frameRole === 'start' || isTerminalFrame(frame))
      this.#takeCustody(frame as LifecycleFrame, direction);
    this.#noteFrameworkFrame(frame);
    this.#beforeHandling(frame, direction);
    const failed = (error: unknown): void => this.#handlerFailed(frame, error);
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

  #beforeHandling(frame: Frame, direction: FrameDirection): void {
    if (this.isListenedTo) this.#emitter.emit('beforeProcessFrame', frame, direction);
    this.monitor.processed?.note(this.#processor, frame, direction);
  }

  #afterHandling(frame: Frame, direction: FrameDirection): void {
    if (this.#custody.held === frame) this.#wasKept(this.#custody.held);
    if (this.#forwarded !== undefined && isForwarded(frame)) this.#forward(frame, direction);
    if (this.isListenedTo) this.#emitter.emit('afterProcessFrame', frame, direction);
  }

  /** `process()` is over, and has not passed a lifecycle frame on. */
  #wasKept(frame: LifecycleFrame): void {
    // a compound passes it on when its processors have, which are forced themselves
    if (this.#processor.processors.length > 0) return;
    if (isForced(frame)) this.#passOn(frame, 'did not pass on');
    else if (frame.frameRole === 'start') this.monitor.startFrameKept(this.#processor);
  }

  /** The framework's own frames go on also where a processor does not know them. */
  #forward(frame: Frame, direction: FrameDirection): void {
    // a compound has it inside, where each processor is seen to
    if (this.#processor.processors.length > 0 || this.#forwarded?.returned(frame) !== true) return;
    this.calls.runDetached(frame, () => this.#processor.push(frame, direction));
    this.#forwarded.forwarded(frame);
  }

  #await(call: PendingCall, isSystem: boolean): void {
    const { frame } = call;
    if (isSystem) this.calls.system = call;
    else this.calls.current = call;
    if (this.#custody.held === frame && isForced(frame))
      this.#passOn(this.#custody.held, 'is still busy with');
    call.promise.then(
      () => this.#settled(call),
      (error) => this.#settled(call, { error }),
    );
  }

  #settled(call: PendingCall, failure?: { readonly error: unknown }): void {
    call.isSettled = true;
    // what an abandoned call throws is mostly that it was stopped
    if (call.isAbandoned) return;
    const begins = frameScheduler.willBegin();
    try {
      if (failure !== undefined) this.#handlerFailed(call.frame, failure.error);
      this.#handlerReturned(call.frame, call.direction);
      if (call === this.calls.system) {
        this.calls.system = undefined;
        this.wantUrgent();
      } else if (call === this.calls.current) {
        this.calls.current = undefined;
        if (this.lanes.hasNext) this.wantTurn();
      }
    } finally {
      if (begins) frameScheduler.begin();
    }
  }

  #handlerReturned(frame: Frame, direction: FrameDirection): void {
    if (this.#isEnding) this.#noteProgress(frame, true);
    this.#afterHandling(frame, direction);
  }

  #handlerFailed(frame: Frame, error: unknown): void {
    const errorFrame = new ErrorFrame({
      error: `Error processing ${frame.name}: ${errorMessage(error)}`,
      processor: this.#processor,
      cause: error,
    });
    this.#pushError(errorFrame);
    const held = this.#custody.held;
    if (held !== frame) return;
    this.monitor.forced(errorFrame);
    this.calls.runDetached(held, () => this.#processor.push(held));
  }

  // — interruption, cancel, force —

  #interrupt(): void {
    const { current } = this.calls;
    // while paused the next frame counts as the current one
    const frame = current?.frame ?? (this.lanes.isPaused ? this.lanes.next : undefined);
    if (frame?.uninterruptible !== true) {
      if (current !== undefined) this.calls.abandon(current);
      this.resume();
    }
    this.lanes.dropDroppable(0);
    if (this.lanes.hasNext) this.wantTurn();
  }

  #cancel(): void {
    this.isCancelled = true;
    if (this.calls.current !== undefined) this.calls.abandon(this.calls.current);
    this.lanes.clear();
    this.#custody.giveUp();
  }

  /** Forgets everything, as before the first run. */
  reset(): void {
    this.calls.reset();
    this.lanes.reset();
    this.#custody.giveUp();
    this.isCancelled = false;
    this.#isEnding = false;
    this.#forcedFrame = undefined;
  }

  /** Whether a frame waits here, is being processed here, or was kept. */
  has(frame: LifecycleFrame): boolean {
    return this.#custody.held === frame || this.lanes.includes(frame);
  }

  /**
   * Gets a lifecycle frame going that has not gone on from here: gives up the calls of `process()` that it would have
   * to wait for, and waiting system frames of a class that hung. Once the frame is past its limit, everything in front
   * of it is dropped.
   */
  force(frame: LifecycleFrame): void {
    if (this.#custody.isThrough(frame)) return;
    const isSystem = frame.kind === 'system';
    let what: string | undefined;
    let dropped = 0;
    for (const call of [this.calls.system, isSystem ? undefined : this.calls.current]) {
      if (call === undefined) continue;
      this.calls.abandon(call);
      if (call.frame === frame) continue;
      what = `never finished ${call.frame.name}, which held up`;
      if (call.frame.kind === 'system') dropped += this.lanes.dropSystem(call.frame.constructor);
    }
    const isPaused = this.lanes.isSystemPaused || (!isSystem && this.lanes.isPaused);
    if (isPaused && this.lanes.includes(frame)) what ??= 'was paused, which held up';
    if (isForced(frame)) dropped += this.lanes.dropBefore(frame);
    if (what !== undefined || dropped > 0) this.#reportForce(frame, what ?? 'was too slow for', dropped);
    const { held } = this.#custody;
    if (held === frame) this.#passOn(held, 'did not pass on');
    else if (held?.frameRole === 'start') this.#custody.giveUp();
    this.lanes.resumeSystem();
    if (!isSystem) this.resume();
    this.wantUrgent();
  }

  /** A frame past its limit has arrived: it does not wait behind a call, or a pause. */
  #forceIfBusy(frame: LifecycleFrame): void {
    const { system, current } = this.calls;
    if (system !== undefined || current !== undefined || this.lanes.isPaused || this.lanes.isSystemPaused)
      this.force(frame);
  }

  #passOn(frame: LifecycleFrame, what: string): void {
    this.#reportForce(frame, what);
    this.calls.runDetached(frame, () => this.#processor.push(frame));
  }

  /** One error for each lifecycle frame, however often it has to be forced here. */
  #reportForce(frame: LifecycleFrame, what: string, dropped = 0): void {
    if (this.#forcedFrame === frame) {
      if (dropped > 0)
        this.#access
          .logger(this.#processor)
          .warn({ processor: this.#name, frame: frame.name, dropped }, 'frames in front of it are dropped');
      return;
    }
    this.#forcedFrame = frame;
    const without = dropped === 0 ? '' : `, without ${dropped} frames in front of it`;
    const error = new ErrorFrame({
      error: `${this.#name} ${what} ${frame.name}; it goes on${without}`,
      processor: this.#processor,
    });
    this.#pushError(error);
    this.monitor.forced(error);
  }

  #pushError(error: ErrorFrame): void {
    this.calls.runDetached(error, () => this.#access.pushErrorFrame(this.#processor, error));
  }

  resume(): void {
    this.lanes.resume();
    if (this.lanes.hasNext) this.wantTurn();
  }

  #pushWatched(frame: Frame, direction: FrameDirection, neighbour: FrameProcessor | undefined): void {
    this.#emitter.emit('beforePushFrame', frame, direction);
    this.frames?.next(frame);
    this.monitor.pushed?.note(this.#processor, frame, direction);
    neighbour?.queueFrame(frame, direction);
    this.#emitter.emit('afterPushFrame', frame, direction);
  }

  get #emitter(): SafeEventEmitter<FrameProcessorEvents> {
    return this.#access.emitter(this.#processor);
  }

  get #name(): string {
    return this.#processor.name;
  }
}

function refuse(value: unknown): never {
  throw new InvalidOptionError('frame', 'a Frame', value);
}
