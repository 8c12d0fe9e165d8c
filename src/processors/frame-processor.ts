import { type Observable, Subject } from 'rxjs';
import { type ErrorCategory, ErrorFrame, type Named } from '../frames/error-frame.ts';
import { copyFrame, type Frame, type FrameDirection } from '../frames/frame.ts';
import { InterruptionFrame } from '../frames/interruption.ts';
import { isTerminalFrame, type LifecycleFrame } from '../frames/lifecycle.ts';
import { type Logger, stderrLogger } from '../logger.ts';
import { SafeEventEmitter } from '../safe-event-emitter.ts';
import { FrameLanes } from './frame-lanes.ts';
import { type FrameProcessorSetup, noMonitor, type RunMonitor } from './frame-processor-setup.ts';
import { frameScheduler, type Runnable } from './frame-scheduler.ts';
import { type FrameWork, FrameWorks } from './frame-work.ts';
import { type Hold, holdUntil } from './hold-until.ts';
import { isHurried, LifecycleCustody } from './lifecycle-custody.ts';

export interface FrameProcessorOptions {
  /** For logs and errors, and for pause frames to find it by. Default: class name and number, `Upper#0`. */
  readonly name?: string;
  /** Handles each frame in the breath in which it is handed over: no queues, no order of its own. Default false. */
  readonly directMode?: boolean;
}

/** What a processor tells; listeners are called in the same breath, so they should be quick. */
export interface FrameProcessorEvents {
  beforeProcessFrame: (frame: Frame, direction: FrameDirection) => void;
  afterProcessFrame: (frame: Frame, direction: FrameDirection) => void;
  beforePushFrame: (frame: Frame, direction: FrameDirection) => void;
  afterPushFrame: (frame: Frame, direction: FrameDirection) => void;
  /** The processor has become of no use, or is usable again. */
  usableChanged: (usable: boolean) => void;
}

export interface PushErrorOptions {
  /** What happened: a text, or what was thrown. */
  readonly error: unknown;
  /** Default `'unknown'`. The first three of {@link ErrorCategory} make the processor unusable. */
  readonly category?: ErrorCategory;
}

export interface PauseUntilOptions {
  /** Longest pause, in milliseconds. Default 5 000. */
  readonly timeoutMs?: number;
}

const permanent: ReadonlySet<ErrorCategory> = new Set(['authentication', 'authorization', 'invalid_request']);

/** How many processors of a class have no name of their own. */
const numbers = new Map<string, number>();

/** For the task only: whether a lifecycle frame waits in a processor, is being processed, or was kept. */
export let hasFrame: (processor: FrameProcessor, frame: LifecycleFrame) => boolean;

/** For the task only: gets a lifecycle frame that a processor {@link hasFrame} going. */
export let forceFrame: (processor: FrameProcessor, frame: LifecycleFrame) => void;

/**
 * One station on the frames' way: gets frames from its neighbours, and pushes frames to them.
 *
 * Frames wait in two lanes. System frames go first, one at a time. Data and control frames, of both
 * directions, keep one order; they are worked off one at a time, beside the system frames. Nothing is
 * processed before the StartFrame. An interruption drops the droppable frames that wait, and the one being
 * processed. A lifecycle frame that `process()` throws on, keeps or never finishes is passed on for it.
 *
 * @see Pipecat `processors/frame_processor.py`, `FrameProcessor`; differs in that a synchronous `process()`
 * costs no turn of the event loop, and in that lifecycle frames cannot get lost.
 */
export abstract class FrameProcessor<MoreEvents extends object = object>
  extends SafeEventEmitter<FrameProcessorEvents & MoreEvents>
  implements Runnable, Named
{
  readonly #isDirect: boolean;
  #name: string | undefined;
  readonly #number: number;
  #next: FrameProcessor | undefined;
  #previous: FrameProcessor | undefined;
  #setup: FrameProcessorSetup | undefined;
  #monitor: RunMonitor = noMonitor;
  readonly #lanes = new FrameLanes();
  readonly #works = new FrameWorks();
  readonly #custody = new LifecycleCustody();
  readonly #process = (frame: Frame, direction: FrameDirection): void | Promise<void> =>
    this.process(frame, direction);
  #frames: Subject<Frame> | undefined;
  #hold: Hold | undefined;
  #isUsable = true;
  #isCancelled = false;
  #wantsUrgent = false;
  #wantsTurn = false;
  /** A terminal frame waits here, or is in custody: what goes on is progress. */
  #isEnding = false;

  constructor({ name, directMode = false }: FrameProcessorOptions = {}) {
    super();
    this.#name = name;
    this.#isDirect = directMode;
    const className = this.constructor.name;
    this.#number = numbers.get(className) ?? 0;
    if (name === undefined) numbers.set(className, this.#number + 1);
  }

  /** Given at construction, or class name and number: `Upper#0`. */
  get name(): string {
    this.#name ??= `${this.constructor.name}#${this.#number}`;
    return this.#name;
  }

  get next(): FrameProcessor | undefined {
    return this.#next;
  }

  get previous(): FrameProcessor | undefined {
    return this.#previous;
  }

  /** What it is made of, where it is made of processors. */
  get processors(): readonly FrameProcessor[] {
    return [];
  }

  /** Every frame it pushes, in both directions. Completes when it is cleaned up; never errors. */
  get frames$(): Observable<Frame> {
    this.#frames ??= new Subject();
    return this.#frames.asObservable();
  }

  /** False once it reported an error that does not pass by itself. */
  get usable(): boolean {
    return this.#isUsable;
  }

  setUsable(usable: boolean): void {
    if (usable === this.#isUsable) return;
    this.#isUsable = usable;
    this.#events.emit('usableChanged', usable);
  }

  protected override get logger(): Logger {
    return this.#setup?.logger ?? stderrLogger;
  }

  /**
   * Aborts when the frame being processed is dropped, by an interruption, a cancel or a time limit; to be read
   * while processing it. Outside of that: when the run is over.
   */
  protected get signal(): AbortSignal {
    return this.#works.running?.signal ?? this.#setup?.signal ?? new AbortController().signal;
  }

  /** Puts `next` behind this one. */
  link(next: FrameProcessor): void {
    this.#next = next;
    next.#previous = this;
  }

  /**
   * Gets ready for a run, before its StartFrame. Overriding methods call this one first. A processor that
   * throws here is reported and unusable; the pipeline starts without it.
   */
  setup(setup: FrameProcessorSetup): void | Promise<void> {
    if (this.#lanes.isStarted || this.#isCancelled) this.#reset();
    this.#setup = setup;
    this.#monitor = setup.monitor;
  }

  /**
   * Lets go of everything; called once at the end of a run, except after a StopFrame. Overriding methods call
   * this one as well.
   */
  cleanup(): void | Promise<void> {
    this.#hold?.lift();
    this.#reset();
    this.#isCancelled = true;
    this.#frames?.complete();
    this.#frames = undefined;
  }

  /** Takes a frame from a neighbour. Frames wait for the StartFrame; after a cancel they are dropped. */
  queueFrame(frame: Frame, direction: FrameDirection = 'downstream'): void {
    if (this.#isCancelled) return;
    if (this.#isDirect) {
      this.#noteMove(frame);
      this.#handleDirectly(frame, direction);
      return;
    }
    const kind = frame.kind;
    if (kind === 'system') {
      this.#queueSystemFrame(frame, direction);
      return;
    }
    if (kind === 'control' && isTerminalFrame(frame)) {
      this.#isEnding = true;
      this.#monitor.terminalFrameMoved(frame);
    }
    if (this.#lanes.add(frame, direction)) this.#wantTurn();
  }

  /**
   * Handles a frame, and pushes what should go on. Gets every frame, lifecycle frames included; what it does not
   * push is gone (lifecycle frames excepted). What it throws becomes an ErrorFrame, and the frame is gone.
   *
   * A synchronous `process()` costs no await. One that returns a promise holds up the frames behind it.
   */
  protected abstract process(frame: Frame, direction: FrameDirection): void | Promise<void>;

  /** Hands a frame to the neighbour in that direction. Works at any time; where there is no neighbour it is gone. */
  push(frame: Frame, direction: FrameDirection = 'downstream'): void {
    if (this.#works.isDropped(frame)) return;
    if (direction === 'downstream' && !this.#custody.passOn(frame)) return;
    if (this.#isEnding) this.#noteProgress(frame, this.#custody.held !== undefined);
    const neighbour = direction === 'downstream' ? this.#next : this.#previous;
    if (this.isListenedTo || this.#frames !== undefined || this.#monitor.watchesPushes) {
      this.#pushWatched(frame, direction, neighbour);
    } else {
      neighbour?.queueFrame(frame, direction);
    }
  }

  /** Reports a failure: `error` event, then an {@link ErrorFrame} upstream. */
  pushError({ error, category }: PushErrorOptions): void {
    this.#pushErrorFrame(new ErrorFrame({ error, processor: this, category }));
  }

  /** Pushes two new frames, downstream first, that know each other's id. */
  broadcast<Args extends unknown[]>(frameClass: new (...args: Args) => Frame, ...args: Args): void {
    this.#pushSiblings(new frameClass(...args), new frameClass(...args));
  }

  /** Pushes two copies of a frame, downstream first, that know each other's id; their fields are shared. */
  broadcastFrame(frame: Frame): void {
    this.#pushSiblings(copyFrame(frame), copyFrame(frame));
  }

  /**
   * Interrupts from here, in both directions. Drops this processor's own waiting frames too, but not the one it
   * is processing: the code behind this call runs, and what it pushes comes after the interruption.
   */
  broadcastInterruption(): void {
    if (this.#works.isDropped()) return;
    const isBlocked =
      this.#lanes.isPaused && this.#works.current === undefined && this.#lanes.next !== undefined;
    this.#lanes.dropDroppable(isBlocked ? 1 : 0);
    if (!isBlocked) this.resumeProcessingFrames();
    this.broadcast(InterruptionFrame);
  }

  /** Holds data and control frames, beginning with the next one. An interruption that drops that one resumes. */
  pauseProcessingFrames(): void {
    this.#lanes.pause();
  }

  resumeProcessingFrames(): void {
    this.#lanes.resume();
    if (this.#lanes.hasNext) this.#wantTurn();
  }

  /** Holds system frames, beginning with the next one, and with them everything that arrives later. */
  pauseProcessingSystemFrames(): void {
    this.#lanes.pauseSystem();
  }

  resumeProcessingSystemFrames(): void {
    this.#lanes.resumeSystem();
    this.#wantUrgent();
  }

  /** Holds both lanes until `ready` settles, or its time is up (logged); always lifted in the end. */
  pauseProcessingAllFramesUntil(
    ready: Promise<unknown>,
    { timeoutMs = 5_000 }: PauseUntilOptions = {},
  ): void {
    if (this.#isDirect) {
      this.logger.warn({ processor: this.name }, 'a processor in direct mode has no frames to hold');
      return;
    }
    this.#hold?.lift();
    this.pauseProcessingFrames();
    this.pauseProcessingSystemFrames();
    const onLate = (): void =>
      this.logger.warn({ processor: this.name, timeoutMs }, 'frames were held too long, they go on');
    this.#hold = holdUntil(ready, timeoutMs, onLate, () => {
      this.#hold = undefined;
      this.resumeProcessingSystemFrames();
      this.resumeProcessingFrames();
    });
  }

  /** @internal */
  runUrgent(): void {
    this.#wantsUrgent = false;
    while (this.#works.system === undefined) {
      const frame = this.#lanes.takeSystem();
      if (frame === undefined) break;
      this.#handleSystemFrame(frame, this.#lanes.direction);
    }
    if (this.#works.system === undefined) this.#lanes.systemDone();
    if (this.#lanes.hasNext) this.#wantTurn();
  }

  /** @internal */
  run(limit: number): number {
    this.#wantsTurn = false;
    const lanes = this.#lanes;
    let handled = 0;
    while (lanes.hasNext && this.#works.current === undefined) {
      // also when a handler of this turn pushed something urgent to this very processor
      if (handled === limit || this.#wantsUrgent) {
        this.#wantTurn();
        break;
      }
      const frame = lanes.take();
      handled += 1;
      if (frame.kind === 'control') this.#beforeControlFrame(frame, lanes.direction);
      this.#handle(frame, lanes.direction, false);
    }
    return handled;
  }

  #wantTurn(): void {
    if (this.#wantsTurn) return;
    this.#wantsTurn = true;
    frameScheduler.add(this);
  }

  #wantUrgent(): void {
    if (this.#wantsUrgent) return;
    this.#wantsUrgent = true;
    frameScheduler.addUrgent(this);
  }

  #queueSystemFrame(frame: Frame, direction: FrameDirection): void {
    this.#noteMove(frame);
    if (frame.frameRole === 'cancel') {
      if (!this.#lanes.isStarted && this.#works.system === undefined) {
        this.#skipCancel(frame, direction);
        return;
      }
      this.#lanes.resumeSystem();
    }
    if (this.#lanes.addSystem(frame, direction)) this.#wantUrgent();
  }

  /** What was never started has nothing to cancel. */
  #skipCancel(frame: Frame, direction: FrameDirection): void {
    this.#reset();
    this.#isCancelled = true;
    this.push(frame, direction);
  }

  #noteMove(frame: Frame): void {
    if (frame.kind === 'system') this.#monitor.systemFrameMoved(frame);
    if (isTerminalFrame(frame)) this.#monitor.terminalFrameMoved(frame);
  }

  #noteProgress(frame: Frame, stillEnding: boolean): void {
    this.#isEnding = stillEnding || !isTerminalFrame(frame);
    if (frame.kind !== 'system' && frame.frameRole !== 'heartbeat') this.#monitor.progress();
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
    this.#handle(frame, direction, true);
  }

  #beforeControlFrame(frame: Frame, direction: FrameDirection): void {
    const role = frame.frameRole;
    if (role === 'end' || role === 'stop') this.#takeCustody(frame as LifecycleFrame, direction);
    else if (role === 'pause') this.#obeyPauseFrame(frame);
  }

  #takeCustody(frame: LifecycleFrame, direction: FrameDirection): void {
    if (direction === 'downstream') this.#custody.take(frame);
  }

  #obeyPauseFrame(frame: Frame): void {
    if ((frame as Frame & { readonly processor?: Named }).processor?.name !== this.name) return;
    if (frame.frameRole === 'pause') this.pauseProcessingFrames();
    else this.resumeProcessingFrames();
  }

  #handle(frame: Frame, direction: FrameDirection, isSystem: boolean): void {
    const isWatched = this.isListenedTo || this.#monitor.watchesProcessing;
    if (isWatched) this.#beforeHandling(frame, direction);
    try {
      const promise = this.#works.call(this.#process, frame, direction);
      if (promise !== undefined) {
        this.#await(promise, frame, direction, isSystem);
        return;
      }
    } catch (error) {
      this.#handlerFailed(frame, error);
    }
    this.#handlerReturned(frame, direction);
  }

  #handleDirectly(frame: Frame, direction: FrameDirection): void {
    if (frame.frameRole === 'cancel') this.#isCancelled = true;
    if (frame.frameRole === 'start' || isTerminalFrame(frame))
      this.#takeCustody(frame as LifecycleFrame, direction);
    try {
      this.#works.call(this.#process, frame, direction)?.catch((error) => this.#handlerFailed(frame, error));
    } catch (error) {
      this.#handlerFailed(frame, error);
    }
  }

  #beforeHandling(frame: Frame, direction: FrameDirection): void {
    this.#events.emit('beforeProcessFrame', frame, direction);
    if (this.#monitor.watchesProcessing) this.#monitor.frameProcessed(this, frame, direction);
  }

  #await(promise: Promise<void>, frame: Frame, direction: FrameDirection, isSystem: boolean): void {
    const work = this.#works.begun(frame);
    if (isSystem) this.#works.system = work;
    else this.#works.current = work;
    if (this.#custody.held === frame && isHurried(frame))
      this.#passOn(this.#custody.held, 'is still busy with');
    promise.then(
      () => this.#settled(work, direction),
      (error) => this.#settled(work, direction, { error }),
    );
  }

  #settled(work: FrameWork, direction: FrameDirection, failure?: { readonly error: unknown }): void {
    // what a dropped handler throws is mostly that it was stopped
    if (!this.#works.settle(work)) return;
    const begins = frameScheduler.willBegin();
    try {
      if (failure !== undefined) this.#handlerFailed(work.frame, failure.error);
      this.#handlerReturned(work.frame, direction);
      if (work === this.#works.system) {
        this.#works.system = undefined;
        this.#wantUrgent();
      } else if (work === this.#works.current) {
        this.#works.current = undefined;
        if (this.#lanes.hasNext) this.#wantTurn();
      }
    } finally {
      if (begins) frameScheduler.begin();
    }
  }

  #handlerReturned(frame: Frame, direction: FrameDirection): void {
    if (this.#isEnding) this.#noteProgress(frame, true);
    if (this.#custody.held === frame && isHurried(frame)) this.#passOn(this.#custody.held, 'did not pass on');
    if (this.isListenedTo) this.#events.emit('afterProcessFrame', frame, direction);
  }

  #handlerFailed(frame: Frame, error: unknown): void {
    const text = error instanceof Error ? error.message : String(error);
    const errorFrame = new ErrorFrame({
      error: `Error processing ${frame.name}: ${text}`,
      processor: this,
      cause: error,
    });
    this.#pushErrorFrame(errorFrame);
    const held = this.#custody.held;
    if (held !== frame) return;
    this.#monitor.forced(this, held, errorFrame);
    this.#works.asOwn(held, () => this.push(held));
  }

  // — interruption, cancel, force —

  #interrupt(): void {
    const { current } = this.#works;
    // while paused the next frame counts as the current one
    const frame = current?.frame ?? (this.#lanes.isPaused ? this.#lanes.next : undefined);
    if (frame?.uninterruptible !== true) {
      if (current !== undefined) this.#works.drop(current);
      this.resumeProcessingFrames();
    }
    this.#lanes.dropDroppable(0);
    if (this.#lanes.hasNext) this.#wantTurn();
  }

  #cancel(): void {
    this.#isCancelled = true;
    if (this.#works.current !== undefined) this.#works.drop(this.#works.current);
    this.#lanes.clear();
    this.#custody.giveUp();
  }

  #reset(): void {
    if (this.#works.current !== undefined) this.#works.drop(this.#works.current);
    if (this.#works.system !== undefined) this.#works.drop(this.#works.system);
    this.#lanes.reset();
    this.#custody.giveUp();
    this.#isCancelled = false;
    this.#isEnding = false;
  }

  /** Whether a frame waits here, is being processed here, or was kept. */
  #has(frame: LifecycleFrame): boolean {
    return this.#custody.held === frame || this.#lanes.includes(frame);
  }

  /** Gets a frame that it {@link #has} going: gives up whatever holds it. */
  #force(frame: LifecycleFrame): void {
    const isSystem = frame.kind === 'system';
    for (const work of [this.#works.system, isSystem ? undefined : this.#works.current]) {
      if (work === undefined) continue;
      this.#works.drop(work);
      if (work.frame !== frame) this.#reportForce(frame, `never finished ${work.frame.name}, which held up`);
    }
    const { held } = this.#custody;
    if (held === frame) this.#works.asOwn(held, () => this.#passOn(held, 'did not pass on'));
    else if (held?.frameRole === 'start') this.#custody.giveUp();
    const isPaused = this.#lanes.isSystemPaused || (!isSystem && this.#lanes.isPaused);
    if (isPaused && this.#lanes.includes(frame)) this.#reportForce(frame, 'was paused, which held up');
    this.#lanes.resumeSystem();
    if (!isSystem) this.resumeProcessingFrames();
    this.#wantUrgent();
  }

  #passOn(frame: LifecycleFrame, what: string): void {
    this.#reportForce(frame, what);
    this.push(frame);
  }

  #reportForce(frame: LifecycleFrame, what: string): void {
    const error = new ErrorFrame({
      error: `${this.name} ${what} ${frame.name}; it goes on`,
      processor: this,
    });
    this.#pushErrorFrame(error);
    this.#monitor.forced(this, frame, error);
  }

  // — pushing —

  #pushErrorFrame(frame: ErrorFrame): void {
    if (permanent.has(frame.category)) {
      this.setUsable(false);
      this.#monitor.unusable(this);
    }
    this.#events.emit('error', frame);
    this.logger.warn(
      { processor: this.name, error: frame.error, category: frame.category },
      'a processor reports an error',
    );
    this.push(frame, 'upstream');
  }

  #pushSiblings(downstream: Frame, upstream: Frame): void {
    downstream.broadcastSiblingId = upstream.id;
    upstream.broadcastSiblingId = downstream.id;
    this.push(downstream, 'downstream');
    this.push(upstream, 'upstream');
  }

  #pushWatched(frame: Frame, direction: FrameDirection, neighbour: FrameProcessor | undefined): void {
    this.#events.emit('beforePushFrame', frame, direction);
    this.#frames?.next(frame);
    if (this.#monitor.watchesPushes) this.#monitor.framePushed(this, neighbour, frame, direction);
    neighbour?.queueFrame(frame, direction);
    this.#events.emit('afterPushFrame', frame, direction);
  }

  /** What the class below adds to the events must not matter to the compiler here. */
  get #events(): SafeEventEmitter<FrameProcessorEvents> {
    return this as unknown as SafeEventEmitter<FrameProcessorEvents>;
  }

  static {
    hasFrame = (processor, frame) => processor.#has(frame);
    forceFrame = (processor, frame) => processor.#force(frame);
  }
}
