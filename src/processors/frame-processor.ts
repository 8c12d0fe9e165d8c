/** The base class of all processors. */

import { type Observable, Subject } from 'rxjs';
import { type ErrorCategory, ErrorFrame, type Named } from '../frames/error-frame.ts';
import { copyFrame, type Frame, type FrameDirection } from '../frames/frame.ts';
import { InterruptionFrame } from '../frames/interruption.ts';
import type { LifecycleFrame } from '../frames/lifecycle.ts';
import { SafeEventEmitter } from '../lib/emitter.ts';
import { type Logger, stderrLogger } from '../lib/logger.ts';
import { checkDurationMs } from '../lib/options.ts';
import { ProcessorCore } from './core/processor-core.ts';
import type { ProcessorAccess } from './core/processor-types.ts';
import type { FrameProcessorSetup } from './frame-processor-setup.ts';

/** Options of every processor. */
export interface FrameProcessorOptions {
  /** For logs, errors and pause frames. Default class name and number, such as `Upper#0`. */
  readonly name?: string;
  /** Processes frames synchronously inside `queueFrame()`, without a queue. Default false. */
  readonly directMode?: boolean;
}

/** Events of every processor; listeners run synchronously, so they must be fast. */
export interface FrameProcessorEvents {
  /** `process()` is about to be called. */
  beforeProcessFrame: (frame: Frame, direction: FrameDirection) => void;
  /** `process()` has settled. */
  afterProcessFrame: (frame: Frame, direction: FrameDirection) => void;
  /** A frame is about to be queued at the neighbour. */
  beforePushFrame: (frame: Frame, direction: FrameDirection) => void;
  /** A frame was queued at the neighbour. */
  afterPushFrame: (frame: Frame, direction: FrameDirection) => void;
  /** The value of {@link FrameProcessor.usable} has changed. */
  usableChanged: (usable: boolean) => void;
}

/** An error to report. */
export interface PushErrorOptions {
  /** A text, or what was thrown. */
  readonly error: unknown;
  /** Default `'unknown'`. The first three of {@link ErrorCategory} make the processor unusable. */
  readonly category?: ErrorCategory;
  /** What was thrown, where `error` is a text. */
  readonly cause?: unknown;
}

/** Limits a pause. */
export interface PauseUntilOptions {
  /** Longest pause, in milliseconds. Default 5 000. */
  readonly timeoutMs?: number;
}

const permanent: ReadonlySet<ErrorCategory> = new Set(['authentication', 'authorization', 'invalid_request']);

/** Number of processors without a given name, by class name. */
const numbers = new Map<string, number>();

let access: ProcessorAccess;

/** Internal: whether a lifecycle frame waits in a processor, is being processed, or was kept. */
export let hasFrame: (processor: FrameProcessor, frame: LifecycleFrame) => boolean;

/** Internal: forces a lifecycle frame through a processor that has it, or that it has still to reach. */
export let forceFrame: (processor: FrameProcessor, frame: LifecycleFrame) => void;

/**
 * A stage of a pipeline: gets frames from its neighbours, and pushes frames to them.
 *
 * Frames wait in two queues. System frames go first, one at a time. Data and control frames of both directions share
 * one order; they are processed one at a time, concurrently with system frames. Nothing is processed before the
 * StartFrame. An interruption drops the droppable frames that wait, and abandons the call that is pending. A lifecycle
 * frame that `process()` throws on, keeps or never finishes is pushed in its place.
 *
 * @example
 * ```ts
 * class Upper extends FrameProcessor {
 *   protected override process(frame: Frame, direction: FrameDirection): void {
 *     if (frame instanceof TextFrame) this.push(new TextFrame(frame.text.toUpperCase()), direction);
 *     else this.push(frame, direction);
 *   }
 * }
 * ```
 * @see Pipecat `processors/frame_processor.py`, `FrameProcessor`; differs in that a synchronous `process()` costs no
 * turn of the event loop, and in that lifecycle frames cannot get lost.
 */
export abstract class FrameProcessor<MoreEvents extends object = object>
  extends SafeEventEmitter<FrameProcessorEvents & MoreEvents>
  implements Named
{
  readonly #core: ProcessorCore;
  #name: string | undefined;
  readonly #number: number;
  #setup: FrameProcessorSetup | undefined;
  #endPause: (() => void) | undefined;
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

  /** The neighbour downstream. */
  get next(): FrameProcessor | undefined {
    return this.#core.next as FrameProcessor | undefined;
  }

  /** The neighbour upstream. */
  get previous(): FrameProcessor | undefined {
    return this.#core.previous as FrameProcessor | undefined;
  }

  /** The processors that it is composed of; empty for most. */
  get processors(): readonly FrameProcessor[] {
    return [];
  }

  /** Every frame it pushes, in both directions. Completes at cleanup; never errors. */
  get frames$(): Observable<Frame> {
    this.#core.frames ??= new Subject();
    return this.#core.frames.asObservable();
  }

  /** False once it has reported an error that is permanent. Default true. */
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
   * Aborts when the call of `process()` that reads it is abandoned, by an interruption, a cancel or a time limit. Read
   * outside of a call: aborts when the run is over.
   */
  protected get signal(): AbortSignal {
    return this.#core.calls.running?.signal ?? this.#setup?.signal ?? new AbortController().signal;
  }

  /** Makes `next` the neighbour downstream. */
  link(next: FrameProcessor): void {
    this.#core.next = next;
    next.#core.previous = this;
  }

  /**
   * Prepares for a run, before its StartFrame. Overriding methods call this one first. A processor that throws here is
   * reported and unusable; the pipeline starts without it.
   */
  setup(setup: FrameProcessorSetup): void | Promise<void> {
    this.#setup = setup;
    this.#core.setUp(setup.hooks);
  }

  /**
   * Releases everything; called once at the end of a run, except after a StopFrame. Overriding methods call this one as
   * well.
   */
  cleanup(): void | Promise<void> {
    this.#endPause?.();
    this.#core.reset();
    this.#core.isCancelled = true;
    this.#core.frames?.complete();
    this.#core.frames = undefined;
  }

  /** Queues a frame. Frames wait for the StartFrame; after a cancel they are dropped. */
  queueFrame(frame: Frame, direction: FrameDirection = 'downstream'): void {
    this.#core.queueFrame(frame, direction);
  }

  /**
   * Processes a frame, and pushes what should go on. Called for every frame, lifecycle frames included; a frame that it
   * does not push is dropped. What it throws becomes an ErrorFrame, and the frame is dropped.
   *
   * The framework's own frames are never dropped. A lifecycle frame is pushed in its place, with an error. A request to
   * the task (such as an EndTaskFrame), a flush probe, a heartbeat, a pause or a resume is forwarded when the call has
   * settled without pushing it in either direction; see {@link holdFrame} for keeping its place. So a request can be
   * neither kept nor replaced by another one: both reach the task, where the first counts.
   *
   * A synchronous `process()` costs no await. One that returns a promise blocks the frames behind it until that settles.
   */
  protected abstract process(frame: Frame, direction: FrameDirection): void | Promise<void>;

  /**
   * Queues a frame at the neighbour in that direction. Works at any time; without a neighbour the frame is dropped.
   *
   * A push belongs to the call of `process()` that it is made in, also behind an `await` or in a callback, until that
   * call settles: pushes of a call that was abandoned by an interruption are dropped. All others never are. A
   * `process()` that is not declared async is tracked from the second promise it returns on.
   */
  push(frame: Frame, direction: FrameDirection = 'downstream'): void {
    this.#core.push(frame, direction);
  }

  /**
   * Called in `process()` with one of the framework's own frames: it is not forwarded, because `process()` will push it
   * later, or pushes something else instead. Does nothing with other frames.
   */
  protected holdFrame(frame: Frame): void {
    this.#core.hold(frame);
  }

  /** Reports a failure: `error` event, then an {@link ErrorFrame} upstream. */
  pushError({ error, category, cause }: PushErrorOptions): void {
    this.#pushErrorFrame(new ErrorFrame({ error, processor: this, category, cause }));
  }

  /** Pushes two new frames, downstream first; each has the other's id as `broadcastSiblingId`. */
  broadcast<Args extends unknown[]>(frameClass: new (...args: Args) => Frame, ...args: Args): void {
    this.#pushSiblings(new frameClass(...args), new frameClass(...args));
  }

  /** The same with two copies of a frame, whose fields are shared. */
  broadcastFrame(frame: Frame): void {
    this.#pushSiblings(copyFrame(frame), copyFrame(frame));
  }

  /**
   * Interrupts from here, in both directions. Drops this processor's own waiting frames too, but does not abandon the
   * call it is made in: what that pushes afterwards follows the interruption.
   */
  broadcastInterruption(): void {
    const { queues, calls } = this.#core;
    if (calls.isAbandoned) return;
    const isBlocked = queues.isPaused && calls.current === undefined && queues.next !== undefined;
    queues.dropDroppable(isBlocked ? 1 : 0);
    if (!isBlocked) this.resumeProcessingFrames();
    this.broadcast(InterruptionFrame);
  }

  /** Holds data and control frames, beginning with the next one. An interruption that drops that one resumes. */
  pauseProcessingFrames(): void {
    this.#core.queues.pause();
  }

  resumeProcessingFrames(): void {
    this.#core.resume();
  }

  /** Holds system frames, beginning with the next one, and everything that is queued later. */
  pauseProcessingSystemFrames(): void {
    this.#core.queues.pauseSystem();
  }

  resumeProcessingSystemFrames(): void {
    this.#core.queues.resumeSystem();
    this.#core.scheduleSystem();
  }

  /**
   * Holds all frames until `ready` settles, or the timeout, which is logged.
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
    this.#endPause?.();
    this.pauseProcessingFrames();
    this.pauseProcessingSystemFrames();
    const end = (): void => {
      if (this.#endPause !== end) return;
      this.#endPause = undefined;
      clearTimeout(timer);
      this.resumeProcessingSystemFrames();
      this.resumeProcessingFrames();
    };
    const timer = setTimeout(() => {
      this.logger.warn({ processor: this.name, timeoutMs }, 'frames were held too long, they go on');
      end();
    }, timeoutMs);
    this.#endPause = end;
    ready.then(end, end);
  }

  #pushErrorFrame(frame: ErrorFrame): void {
    if (permanent.has(frame.category)) {
      this.setUsable(false);
      this.#core.hooks.onUnusable(this);
    }
    this.#events.emit('error', frame);
    this.logger.warn(
      {
        processor: this.name,
        error: frame.error,
        category: frame.category,
        // any other value may contain what must not be logged
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

  /** Without the events that subclasses add, which the compiler cannot resolve here. */
  get #events(): SafeEventEmitter<FrameProcessorEvents> {
    return this as unknown as SafeEventEmitter<FrameProcessorEvents>;
  }

  static {
    access = {
      process: (processor: FrameProcessor, frame, direction) => processor.process(frame, direction),
      emit: (processor: FrameProcessor, event, frame, direction) =>
        void processor.#events.emit(event, frame, direction),
      logger: (processor: FrameProcessor) => processor.logger,
      pushErrorFrame: (processor: FrameProcessor, frame) => processor.#pushErrorFrame(frame),
    };
    hasFrame = (processor, frame) => processor.#core.has(frame);
    forceFrame = (processor, frame) => processor.#core.force(frame);
  }
}
