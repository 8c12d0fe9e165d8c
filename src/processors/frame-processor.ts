import { type Observable, Subject } from 'rxjs';
import { type ErrorCategory, ErrorFrame, type Named } from '../frames/error-frame.ts';
import { copyFrame, type Frame, type FrameDirection } from '../frames/frame.ts';
import { InterruptionFrame } from '../frames/interruption.ts';
import { isTerminalFrame, type LifecycleFrame } from '../frames/lifecycle.ts';
import { type Logger, stderrLogger } from '../logger.ts';
import { SafeEventEmitter } from '../safe-event-emitter.ts';
import { type FrameProcessorSetup, noMonitor, type RunMonitor } from './frame-processor-setup.ts';
import { FrameQueue } from './frame-queue.ts';
import { frameScheduler, type Runnable } from './frame-scheduler.ts';
import { currentWork, FrameWork } from './frame-work.ts';

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

/** A lifecycle frame that this processor has in hand. */
interface InHand {
  readonly frame: LifecycleFrame;
  passedOn: boolean;
}

/** Why other frames wait in front of the processor. */
const notStarted = 1;
const systemQueued = 2;
const systemBusy = 4;
const systemPaused = 8;

/** After so many synchronous calls in a row a `process()` is taken to be synchronous. */
const synchronousAfter = 32;

const permanent: ReadonlySet<ErrorCategory> = new Set(['authentication', 'authorization', 'invalid_request']);

/** For the task only: whether a lifecycle frame waits in a processor, is being processed, or was kept. */
export let hasFrame: (processor: FrameProcessor, frame: LifecycleFrame) => boolean;

/** For the task only: gets a lifecycle frame that a processor {@link hasFrame} going. */
export let forceFrame: (processor: FrameProcessor, frame: LifecycleFrame) => void;

const numbers = new Map<string, number>();

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
  readonly #direct: boolean;
  #name: string | undefined;
  readonly #number: number;
  #next: FrameProcessor | undefined;
  #previous: FrameProcessor | undefined;
  #setup: FrameProcessorSetup | undefined;
  #monitor: RunMonitor = noMonitor;

  #start: Frame | undefined;
  readonly #systemLane = new FrameQueue();
  readonly #lane = new FrameQueue();
  /** How many frames at the end of the lane came while a system frame was in front of them. */
  #held = 0;
  /** Bits: why frames are held. */
  #gate = notStarted;
  #paused = false;
  #cancelled = false;
  #urgentWanted = false;
  #turnWanted = false;

  #work: FrameWork | undefined;
  #systemWork: FrameWork | undefined;
  /** Work that was dropped and has not noticed yet. */
  #droppedWorks = 0;
  /** Those of them that ran without a context of their own: the first of a `process()` taken to be synchronous. */
  #untrackedDroppedWorks = 0;
  #synchronousCalls = 0;
  /** Set while a handler is on the stack: what is pushed then is its own. */
  #handling: Frame | undefined;
  #handlingWork: FrameWork | undefined;

  #inHand: InHand | undefined;
  /** A terminal frame waits here or is in hand: what goes on is progress. */
  #ending = false;
  #usable = true;
  #frames: Subject<Frame> | undefined;
  #pauseWatch: { lift(): void } | undefined;

  constructor({ name, directMode = false }: FrameProcessorOptions = {}) {
    super();
    this.#name = name;
    this.#direct = directMode;
    const className = this.constructor.name;
    this.#number = numbers.get(className) ?? 0;
    if (name === undefined) numbers.set(className, this.#number + 1);
  }

  /** What the class below adds to the events must not matter to the compiler here. */
  get #events(): SafeEventEmitter<FrameProcessorEvents> {
    return this as unknown as SafeEventEmitter<FrameProcessorEvents>;
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
    return this.#usable;
  }

  setUsable(usable: boolean): void {
    if (usable === this.#usable) return;
    this.#usable = usable;
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
    if (this.#handling !== undefined) {
      this.#handlingWork ??= new FrameWork(this, this.#handling, false);
      return this.#handlingWork.signal;
    }
    const work = currentWork.getStore();
    if (work?.owner === this) return work.signal;
    return this.#setup?.signal ?? new AbortController().signal;
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
    if ((this.#gate & notStarted) === 0 || this.#cancelled) this.#reset();
    this.#setup = setup;
    this.#monitor = setup.monitor;
  }

  /**
   * Lets go of everything; called once at the end of a run, except after a StopFrame. Overriding methods call
   * this one as well.
   */
  cleanup(): void | Promise<void> {
    this.#pauseWatch?.lift();
    this.#reset();
    this.#cancelled = true;
    this.#frames?.complete();
    this.#frames = undefined;
  }

  /** Takes a frame from a neighbour. Frames of both lanes wait for the StartFrame; after a cancel they are dropped. */
  queueFrame(frame: Frame, direction: FrameDirection = 'downstream'): void {
    if (this.#cancelled) return;
    if (this.#direct) {
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
      this.#ending = true;
      this.#monitor.terminalFrameMoved(frame);
    }
    this.#lane.push(frame, direction);
    if (this.#gate !== 0) this.#held += 1;
    else this.#wantTurn();
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
    if (this.#droppedWorks !== 0 && this.#isFromDroppedWork()) return;
    if (this.#inHand !== undefined && !this.#notePush(frame, direction)) return;
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
    if (this.#droppedWorks !== 0 && this.#isFromDroppedWork()) return;
    const blocked = this.#paused && this.#work === undefined && this.#lane.length > this.#held;
    this.#dropWaiting(blocked ? 1 : 0);
    if (!blocked) this.#resume();
    this.broadcast(InterruptionFrame);
  }

  /** Holds data and control frames, beginning with the next one. An interruption that drops that one resumes. */
  pauseProcessingFrames(): void {
    this.#paused = true;
  }

  resumeProcessingFrames(): void {
    this.#resume();
  }

  /** Holds system frames, beginning with the next one, and with them everything that arrives later. */
  pauseProcessingSystemFrames(): void {
    this.#gate |= systemPaused;
  }

  resumeProcessingSystemFrames(): void {
    this.#gate &= ~systemPaused;
    this.#wantUrgent();
  }

  /** Holds both lanes until `ready` settles, or its time is up (logged); always lifted in the end. */
  pauseProcessingAllFramesUntil(
    ready: Promise<unknown>,
    { timeoutMs = 5_000 }: PauseUntilOptions = {},
  ): void {
    if (this.#direct) {
      this.logger.warn({ processor: this.name }, 'a processor in direct mode has no frames to hold');
      return;
    }
    this.#pauseWatch?.lift();
    this.pauseProcessingFrames();
    this.pauseProcessingSystemFrames();
    const watch = {
      lift: () => {
        if (this.#pauseWatch !== watch) return;
        this.#pauseWatch = undefined;
        clearTimeout(timer);
        this.resumeProcessingSystemFrames();
        this.resumeProcessingFrames();
      },
    };
    const timer = setTimeout(() => {
      this.logger.warn({ processor: this.name, timeoutMs }, 'frames were held too long, they go on');
      watch.lift();
    }, timeoutMs);
    this.#pauseWatch = watch;
    ready.then(watch.lift, watch.lift);
  }

  /** @internal */
  runUrgent(): void {
    this.#urgentWanted = false;
    while (this.#systemWork === undefined && (this.#gate & systemPaused) === 0) {
      let frame = this.#start;
      let direction: FrameDirection = 'downstream';
      if (frame !== undefined) this.#start = undefined;
      else if ((this.#gate & notStarted) === 0 && this.#systemLane.length > 0) {
        frame = this.#systemLane.first;
        direction = this.#systemLane.firstDirection;
        this.#systemLane.shift();
      } else break;
      this.#handleSystemFrame(frame, direction);
    }
    if (this.#systemWork === undefined && this.#systemLane.length === 0 && this.#start === undefined) {
      this.#gate &= ~(systemQueued | systemBusy);
      if (this.#gate === 0) {
        this.#held = 0;
        if (this.#lane.length > 0) this.#wantTurn();
      }
    }
  }

  /** @internal */
  run(limit: number): number {
    this.#turnWanted = false;
    const lane = this.#lane;
    let handled = 0;
    while (lane.length > this.#held && this.#work === undefined && !this.#paused) {
      if (handled === limit) {
        this.#wantTurn();
        break;
      }
      // a handler of this turn pushed something urgent to this very processor
      if (this.#urgentWanted) {
        this.#wantTurn();
        break;
      }
      const frame = lane.first;
      const direction = lane.firstDirection;
      lane.shift();
      handled += 1;
      if (frame.kind === 'control') this.#beforeControlFrame(frame, direction);
      this.#handle(frame, direction, false);
    }
    return handled;
  }

  #wantTurn(): void {
    if (this.#turnWanted) return;
    this.#turnWanted = true;
    frameScheduler.add(this);
  }

  #wantUrgent(): void {
    if (this.#urgentWanted) return;
    this.#urgentWanted = true;
    frameScheduler.addUrgent(this);
  }

  #queueSystemFrame(frame: Frame, direction: FrameDirection): void {
    const role = frame.frameRole;
    if (role === 'start' && direction === 'downstream') this.#start = frame;
    else if (
      role === 'cancel' &&
      (this.#gate & notStarted) !== 0 &&
      this.#start === undefined &&
      this.#systemWork === undefined
    ) {
      // what was never started has nothing to cancel
      this.#noteMove(frame);
      this.#reset();
      this.#cancelled = true;
      this.push(frame, direction);
      return;
    } else this.#systemLane.push(frame, direction);
    if (role === 'cancel') this.#gate &= ~systemPaused;
    this.#noteMove(frame);
    if ((this.#gate & notStarted) === 0 || this.#start !== undefined) {
      this.#gate |= systemQueued;
      this.#wantUrgent();
    }
  }

  #noteMove(frame: Frame): void {
    if (frame.kind === 'system') this.#monitor.systemFrameMoved(frame);
    if (isTerminalFrame(frame)) this.#monitor.terminalFrameMoved(frame);
  }

  #handleSystemFrame(frame: Frame, direction: FrameDirection): void {
    this.#gate |= systemBusy;
    switch (frame.frameRole) {
      case 'start':
        this.#gate &= ~notStarted;
        this.#takeInHand(frame as LifecycleFrame, direction);
        break;
      case 'cancel':
        this.#cancel();
        this.#takeInHand(frame as LifecycleFrame, direction);
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
    if (role === 'end' || role === 'stop') this.#takeInHand(frame as LifecycleFrame, direction);
    else if (role === 'pause') this.#obeyPauseFrame(frame);
  }

  #handleDirectly(frame: Frame, direction: FrameDirection): void {
    const role = frame.frameRole;
    if (role === 'cancel') this.#cancelled = true;
    if (role === 'start' || isTerminalFrame(frame)) this.#takeInHand(frame as LifecycleFrame, direction);
    const outer = this.#handling;
    this.#handling = frame;
    try {
      const result = this.process(frame, direction);
      if (result instanceof Promise) result.catch((error) => this.#handlerFailed(frame, error));
    } catch (error) {
      this.#handlerFailed(frame, error);
    } finally {
      this.#handling = outer;
    }
  }

  #obeyPauseFrame(frame: Frame): void {
    if ((frame as Frame & { readonly processor?: Named }).processor?.name !== this.name) return;
    if (frame.frameRole === 'pause') this.pauseProcessingFrames();
    else this.resumeProcessingFrames();
  }

  // — handling one frame —

  #handle(frame: Frame, direction: FrameDirection, isSystem: boolean): void {
    const tracked = this.#synchronousCalls < synchronousAfter;
    const watched = this.isListenedTo || this.#monitor.watchesProcessing;
    if (watched) this.#beforeHandling(frame, direction);
    let result: void | Promise<void>;
    this.#handling = frame;
    try {
      if (tracked) {
        this.#handlingWork = new FrameWork(this, frame, true);
        result = currentWork.run(this.#handlingWork, FrameProcessor.#process, this, frame, direction);
      } else {
        result = this.process(frame, direction);
      }
    } catch (error) {
      this.#handling = undefined;
      this.#handlingWork = undefined;
      this.#handlerFailed(frame, error);
      if (watched) this.#events.emit('afterProcessFrame', frame, direction);
      return;
    }
    const work = this.#handlingWork;
    this.#handling = undefined;
    this.#handlingWork = undefined;
    if (isPromise(result)) {
      this.#synchronousCalls = Number.NEGATIVE_INFINITY;
      this.#awaitWork(work ?? new FrameWork(this, frame, false), result, direction, isSystem);
    } else {
      if (work !== undefined) {
        work.settled = true;
        this.#synchronousCalls += 1;
      }
      if (this.#inHand !== undefined || this.#ending) this.#handlerReturned(frame);
      if (watched) this.#events.emit('afterProcessFrame', frame, direction);
    }
  }

  static #process(
    this: void,
    processor: FrameProcessor,
    frame: Frame,
    direction: FrameDirection,
  ): void | Promise<void> {
    return processor.process(frame, direction);
  }

  #beforeHandling(frame: Frame, direction: FrameDirection): void {
    this.#events.emit('beforeProcessFrame', frame, direction);
    if (this.#monitor.watchesProcessing) this.#monitor.frameProcessed(this, frame, direction);
  }

  #awaitWork(work: FrameWork, result: Promise<void>, direction: FrameDirection, isSystem: boolean): void {
    if (isSystem) this.#systemWork = work;
    else this.#work = work;
    if (this.#inHand?.frame === work.frame && isForced(work.frame))
      this.#passOn(this.#inHand, 'is still busy with');
    result.then(
      () => this.#workSettled(work, direction, undefined, false),
      (error) => this.#workSettled(work, direction, error, true),
    );
  }

  #workSettled(work: FrameWork, direction: FrameDirection, error: unknown, failed: boolean): void {
    work.settled = true;
    if (work.dropped) {
      // what a dropped handler throws is mostly that it was stopped
      this.#droppedWorks -= 1;
      if (!work.tracked) this.#untrackedDroppedWorks -= 1;
      return;
    }
    const begins = frameScheduler.willBegin();
    try {
      if (failed) this.#handlerFailed(work.frame, error);
      else if (this.#inHand !== undefined || this.#ending) this.#handlerReturned(work.frame);
      if (this.isListenedTo) this.#events.emit('afterProcessFrame', work.frame, direction);
      if (work === this.#systemWork) {
        this.#systemWork = undefined;
        this.#wantUrgent();
      } else if (work === this.#work) {
        this.#work = undefined;
        if (this.#lane.length > this.#held) this.#wantTurn();
      }
    } finally {
      if (begins) frameScheduler.begin();
    }
  }

  #handlerReturned(frame: Frame): void {
    if (this.#ending && frame.kind !== 'system' && frame.frameRole !== 'heartbeat') this.#monitor.progress();
    const inHand = this.#inHand;
    if (inHand?.frame === frame && !inHand.passedOn && isForced(frame))
      this.#passOn(inHand, 'did not pass on');
  }

  #handlerFailed(frame: Frame, error: unknown): void {
    const inHand = this.#inHand;
    const text = error instanceof Error ? error.message : String(error);
    const errorFrame = new ErrorFrame({ error: `Error processing ${frame.name}: ${text}`, processor: this });
    Object.defineProperty(errorFrame, 'cause', { value: error });
    this.#pushErrorFrame(errorFrame);
    if (inHand?.frame === frame && !inHand.passedOn) {
      this.#monitor.forced(this, inHand.frame, errorFrame);
      this.push(frame);
    }
  }

  #dropWork(work: FrameWork): void {
    this.#droppedWorks += 1;
    if (!work.tracked) this.#untrackedDroppedWorks += 1;
    work.drop();
  }

  #isFromDroppedWork(): boolean {
    if (this.#handling !== undefined) return false;
    const work = currentWork.getStore();
    if (work?.owner === this) return work.dropped && !work.settled;
    return this.#untrackedDroppedWorks > 0;
  }

  // — interruption and cancel —

  #interrupt(): void {
    const work = this.#work;
    if (work !== undefined) {
      if (!work.frame.uninterruptible) {
        this.#dropWork(work);
        this.#work = undefined;
        this.#resume();
      }
    } else if (this.#paused) {
      const blocked = this.#lane.length > this.#held ? this.#lane.first : undefined;
      if (blocked?.uninterruptible !== true) this.#resume();
    }
    this.#dropWaiting(0);
  }

  #dropWaiting(from: number): void {
    this.#lane.filter(from, this.#lane.length - this.#held, isUninterruptible);
    if (this.#work === undefined && this.#lane.length > this.#held) this.#wantTurn();
  }

  #resume(): void {
    this.#paused = false;
    if (this.#lane.length > this.#held) this.#wantTurn();
  }

  #cancel(): void {
    this.#cancelled = true;
    if (this.#work !== undefined) this.#dropWork(this.#work);
    this.#work = undefined;
    this.#lane.clear();
    this.#held = 0;
    this.#inHand = undefined;
  }

  #reset(): void {
    if (this.#work !== undefined) this.#dropWork(this.#work);
    if (this.#systemWork !== undefined) this.#dropWork(this.#systemWork);
    this.#work = undefined;
    this.#systemWork = undefined;
    this.#start = undefined;
    this.#systemLane.clear();
    this.#lane.clear();
    this.#held = 0;
    this.#gate = notStarted;
    this.#paused = false;
    this.#cancelled = false;
    this.#inHand = undefined;
    this.#ending = false;
  }

  // — lifecycle frames always go on —

  #takeInHand(frame: LifecycleFrame, direction: FrameDirection): void {
    if (direction === 'downstream') this.#inHand = { frame, passedOn: false };
  }

  /** @returns Whether the frame may go: a lifecycle frame goes on once. */
  #notePush(frame: Frame, direction: FrameDirection): boolean {
    const inHand = this.#inHand;
    if (inHand !== undefined && inHand.frame === frame && direction === 'downstream') {
      if (inHand.passedOn) return false;
      inHand.passedOn = true;
      this.#ending = false;
    } else if (this.#ending && frame.kind !== 'system' && frame.frameRole !== 'heartbeat') {
      this.#monitor.progress();
    }
    return true;
  }

  #passOn(inHand: InHand, what: string): void {
    const error = new ErrorFrame({
      error: `${this.name} ${what} ${inHand.frame.name}; it was passed on`,
      processor: this,
    });
    this.#pushErrorFrame(error);
    this.#monitor.forced(this, inHand.frame, error);
    this.push(inHand.frame);
  }

  /** Whether a frame waits here, is being processed here, or was kept. */
  #has(frame: LifecycleFrame): boolean {
    return (
      this.#start === frame ||
      (this.#inHand?.frame === frame && !this.#inHand.passedOn) ||
      this.#lane.includes(frame) ||
      this.#systemLane.includes(frame)
    );
  }

  /** Gets a frame that {@link #has} going: gives up whatever holds it. */
  #force(frame: LifecycleFrame): void {
    const inHand = this.#inHand;
    const waitsInSystemLane = frame.kind === 'system';
    for (const work of [this.#systemWork, waitsInSystemLane ? undefined : this.#work]) {
      if (work === undefined) continue;
      this.#dropWork(work);
      if (work.frame !== frame) {
        const error = new ErrorFrame({
          error: `${this.name} never finished ${work.frame.name}, which held up ${frame.name}`,
          processor: this,
        });
        this.#pushErrorFrame(error);
        this.#monitor.forced(this, frame, error);
      }
      if (work === this.#work) this.#work = undefined;
      if (work === this.#systemWork) this.#systemWork = undefined;
    }
    this.#gate &= ~systemPaused;
    if (inHand?.frame === frame && !inHand.passedOn) {
      this.#handling = frame; // what is pushed on its behalf now is not from dropped work
      this.#passOn(inHand, 'did not pass on');
      this.#handling = undefined;
    } else if (inHand?.frame.frameRole === 'start' && !inHand.passedOn) {
      this.#inHand = undefined;
    }
    if (!waitsInSystemLane) this.#resume();
    this.#wantUrgent();
  }

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

  static {
    hasFrame = (processor, frame) => processor.#has(frame);
    forceFrame = (processor, frame) => processor.#force(frame);
  }
}

const forcedFrames = new WeakSet<Frame>();

/** For the task only: from now on nobody is waited for who has this frame. */
export function forceOn(frame: LifecycleFrame): void {
  forcedFrames.add(frame);
}

function isForced(frame: Frame): boolean {
  return forcedFrames.has(frame);
}

function isUninterruptible(frame: Frame): boolean {
  return frame.uninterruptible;
}

function isPromise(value: unknown): value is Promise<void> {
  return typeof value === 'object' && value !== null && 'then' in value;
}
