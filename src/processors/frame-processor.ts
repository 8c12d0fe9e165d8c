import { type Observable, Subject } from 'rxjs';
import { type ErrorCategory, ErrorFrame, type Named } from '../frames/error-frame.ts';
import { copyFrame, type Frame, type FrameDirection } from '../frames/frame.ts';
import { InterruptionFrame } from '../frames/interruption.ts';
import type { LifecycleFrame } from '../frames/lifecycle.ts';
import { SafeEventEmitter } from '../lib/emitter.ts';
import { type Logger, stderrLogger } from '../lib/logger.ts';
import { checkDurationMs } from '../lib/options.ts';
import type { FrameProcessorSetup } from './frame-processor-setup.ts';
import { type Hold, holdUntil } from './hold-until.ts';
import { type ProcessorAccess, ProcessorCore } from './processor-core.ts';

export interface FrameProcessorOptions {
  /** For logs and errors, and for pause frames to find it by. Default: class name and number, `Upper#0`. */
  readonly name?: string;
  /** Processes frames synchronously inside `queueFrame()`, without queues or an order of its own. Default false. */
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
  /** What was thrown, where `error` is a text about it. */
  readonly cause?: unknown;
}

export interface PauseUntilOptions {
  /** Longest pause, in milliseconds. Default 5 000. */
  readonly timeoutMs?: number;
}

const permanent: ReadonlySet<ErrorCategory> = new Set(['authentication', 'authorization', 'invalid_request']);

/** How many processors of a class have no name of their own. */
const numbers = new Map<string, number>();

let access: ProcessorAccess;

/** For the task only: whether a lifecycle frame waits in a processor, is being processed, or was kept. */
export let hasFrame: (processor: FrameProcessor, frame: LifecycleFrame) => boolean;

/** For the task only: gets a lifecycle frame going that is to go through a processor, or is kept by it. */
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
  implements Named
{
  readonly #core: ProcessorCore;
  #name: string | undefined;
  readonly #number: number;
  #setup: FrameProcessorSetup | undefined;
  #hold: Hold | undefined;
  #isUsable = true;

  constructor({ name, directMode = false }: FrameProcessorOptions = {}) {
    super();
    this.#name = name;
    this.#core = new ProcessorCore(this, access, directMode);
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
    return this.#core.next;
  }

  get previous(): FrameProcessor | undefined {
    return this.#core.previous;
  }

  /** What it is made of, where it is made of processors. */
  get processors(): readonly FrameProcessor[] {
    return [];
  }

  /** Every frame it pushes, in both directions. Completes when it is cleaned up; never errors. */
  get frames$(): Observable<Frame> {
    this.#core.frames ??= new Subject();
    return this.#core.frames.asObservable();
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

  protected override beforeListening(): void {
    this.#core.isListenedTo = true;
  }

  protected override get logger(): Logger {
    return this.#setup?.logger ?? stderrLogger;
  }

  /**
   * Aborts when the frame being processed is dropped, by an interruption, a cancel or a time limit; to be read
   * while processing it. Outside of that: when the run is over.
   */
  protected get signal(): AbortSignal {
    return this.#core.calls.running?.signal ?? this.#setup?.signal ?? new AbortController().signal;
  }

  /** Puts `next` behind this one. */
  link(next: FrameProcessor): void {
    this.#core.next = next;
    next.#core.previous = this;
  }

  /**
   * Gets ready for a run, before its StartFrame. Overriding methods call this one first. A processor that
   * throws here is reported and unusable; the pipeline starts without it.
   */
  setup(setup: FrameProcessorSetup): void | Promise<void> {
    if (this.#core.lanes.isStarted || this.#core.isCancelled) this.#core.reset();
    this.#setup = setup;
    this.#core.monitor = setup.monitor;
  }

  /**
   * Lets go of everything; called once at the end of a run, except after a StopFrame. Overriding methods call
   * this one as well.
   */
  cleanup(): void | Promise<void> {
    this.#hold?.lift();
    this.#core.reset();
    this.#core.isCancelled = true;
    this.#core.frames?.complete();
    this.#core.frames = undefined;
  }

  /** Takes a frame from a neighbour. Frames wait for the StartFrame; after a cancel they are dropped. */
  queueFrame(frame: Frame, direction: FrameDirection = 'downstream'): void {
    this.#core.queueFrame(frame, direction);
  }

  /**
   * Handles a frame, and pushes what should go on. Gets every frame, lifecycle frames included; what it does not
   * push is gone. What it throws becomes an ErrorFrame, and the frame is gone.
   *
   * Not so the framework's own frames. A lifecycle frame is passed on for it, with an error. A request to the task
   * (such as an EndTaskFrame), a flush probe, a heartbeat, a pause or a resume goes on by itself, once the call is
   * over and has not pushed it in either direction; see {@link holdFrame} for keeping its place. So a request can be
   * neither kept nor replaced by another one: both reach the task, where the first counts.
   *
   * A synchronous `process()` costs no await. One that returns a promise holds up the frames behind it.
   */
  protected abstract process(frame: Frame, direction: FrameDirection): void | Promise<void>;

  /**
   * Hands a frame to the neighbour in that direction. Works at any time; where there is no neighbour it is gone.
   *
   * A push belongs to the call of `process()` that it is made in, also behind an `await` or in a callback, until that
   * call settles: when an interruption has abandoned the call, nothing comes out. Everything else always does. A
   * `process()` that is not declared async is followed from the second promise it returns on.
   */
  push(frame: Frame, direction: FrameDirection = 'downstream'): void {
    this.#core.push(frame, direction);
  }

  /**
   * To be called in `process()` with one of the framework's own frames that it keeps, so as to push it later behind
   * what it holds; or to push something else instead. Without it, the frame goes on when the call is over, and is
   * ignored when it is pushed after that. Does nothing with other frames.
   */
  protected holdFrame(frame: Frame): void {
    this.#core.hold(frame);
  }

  /** Reports a failure: `error` event, then an {@link ErrorFrame} upstream. */
  pushError({ error, category, cause }: PushErrorOptions): void {
    this.#pushErrorFrame(new ErrorFrame({ error, processor: this, category, cause }));
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
    const { lanes, calls } = this.#core;
    if (calls.isAbandoned) return;
    const isBlocked = lanes.isPaused && calls.current === undefined && lanes.next !== undefined;
    lanes.dropDroppable(isBlocked ? 1 : 0);
    if (!isBlocked) this.resumeProcessingFrames();
    this.broadcast(InterruptionFrame);
  }

  /** Holds data and control frames, beginning with the next one. An interruption that drops that one resumes. */
  pauseProcessingFrames(): void {
    this.#core.lanes.pause();
  }

  resumeProcessingFrames(): void {
    this.#core.resume();
  }

  /** Holds system frames, beginning with the next one, and with them everything that arrives later. */
  pauseProcessingSystemFrames(): void {
    this.#core.lanes.pauseSystem();
  }

  resumeProcessingSystemFrames(): void {
    this.#core.lanes.resumeSystem();
    this.#core.wantUrgent();
  }

  /**
   * Holds both lanes until `ready` settles, or its time is up (logged); always lifted in the end.
   *
   * @throws {InvalidOptionError} `timeoutMs` is no number of milliseconds that a timer can wait.
   */
  pauseProcessingAllFramesUntil(
    ready: Promise<unknown>,
    { timeoutMs = 5_000 }: PauseUntilOptions = {},
  ): void {
    checkDurationMs('timeoutMs', timeoutMs);
    if (this.#core.isDirect) {
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

  #pushErrorFrame(frame: ErrorFrame): void {
    if (permanent.has(frame.category)) {
      this.setUsable(false);
      this.#core.monitor.unusable(this);
    }
    this.#events.emit('error', frame);
    this.logger.warn(
      {
        processor: this.name,
        error: frame.error,
        category: frame.category,
        // anything else may hold what should not be logged
        cause: frame.cause instanceof Error ? frame.cause : undefined,
      },
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

  /** What the class below adds to the events must not matter to the compiler here. */
  get #events(): SafeEventEmitter<FrameProcessorEvents> {
    return this as unknown as SafeEventEmitter<FrameProcessorEvents>;
  }

  static {
    access = {
      process: (processor, frame, direction) => processor.process(frame, direction),
      emitter: (processor) => processor.#events,
      logger: (processor) => processor.logger,
      pushErrorFrame: (processor, frame) => processor.#pushErrorFrame(frame),
    };
    hasFrame = (processor, frame) => processor.#core.has(frame);
    forceFrame = (processor, frame) => processor.#core.force(frame);
  }
}
