/** The framework's own frames in a processor: each goes on exactly once, also when `process()` does not push it. */

import { ErrorFrame } from '../../frames/error-frame.ts';
import { type Frame, isFrameworkFrame } from '../../frames/frame.ts';
import { isLifecycleFrame, type LifecycleFrame } from '../../frames/lifecycle.ts';
import { errorMessage } from '../../lib/errors.ts';
import type { FrameQueues } from './frame-queues.ts';
import type { ProcessCalls } from './process-calls.ts';
import { noHooks, type PipelineHooks, type Processor, type ProcessorAccess } from './processor-types.ts';

/** Lifecycle frames past their limit: forwarded without waiting for any processor. */
const forced = new WeakSet<Frame>();

/** From now on the frame waits for no processor. */
export function markForced(frame: LifecycleFrame): void {
  forced.add(frame);
}

/** Whether the frame waits for no processor. */
export function isForced(frame: Frame): boolean {
  return forced.has(frame);
}

/**
 * Tracks the lifecycle frame that a processor was given, and pushes it in the processor's place: when `process()`
 * throws on it, keeps it, or hangs.
 */
export class LifecycleTracker {
  #frame: LifecycleFrame | undefined;
  #isForwarded = true;
  readonly #processor: Processor;
  readonly #access: ProcessorAccess;
  readonly #queues: FrameQueues;
  readonly #calls: ProcessCalls;
  /** The frame that was forced last; its error was reported. */
  #reported: LifecycleFrame | undefined;
  /** The callbacks of the pipeline in which the processor is. */
  hooks: PipelineHooks = noHooks;

  constructor(processor: Processor, access: ProcessorAccess, queues: FrameQueues, calls: ProcessCalls) {
    this.#processor = processor;
    this.#access = access;
    this.#queues = queues;
    this.#calls = calls;
  }

  /** The frame that was received and has not gone on. */
  get pending(): LifecycleFrame | undefined {
    return this.#isForwarded ? undefined : this.#frame;
  }

  /** The processor has received a lifecycle frame. */
  received(frame: LifecycleFrame): void {
    this.#frame = frame;
    this.#isForwarded = false;
  }

  /** A frame is about to go on downstream. @returns False for the tracked frame when it has gone on before. */
  forwarded(frame: Frame): boolean {
    if (frame !== this.#frame) return true;
    const isFirst = !this.#isForwarded;
    this.#isForwarded = true;
    return isFirst;
  }

  /** Stops tracking; the frame is not waited for any more. */
  clear(): void {
    this.#frame = undefined;
    this.#isForwarded = true;
  }

  /** As before the first run. */
  reset(): void {
    this.clear();
    this.#reported = undefined;
  }

  /** `process()` threw, or its promise was rejected. */
  failed(frame: Frame, error: unknown): void {
    const errorFrame = new ErrorFrame({
      error: `Error processing ${frame.name}: ${errorMessage(error)}`,
      processor: this.#processor,
      cause: error,
    });
    this.#pushError(errorFrame);
    const { pending } = this;
    if (pending !== frame) return;
    this.hooks.onForced(errorFrame);
    this.#calls.runDetached(pending, () => this.#processor.push(pending));
  }

  /** `process()` has settled without pushing the frame. */
  kept(frame: LifecycleFrame): void {
    // a compound pushes it when its inner processors have, and those are forced themselves
    if (this.#processor.processors.length > 0) return;
    if (isForced(frame)) this.#forward(frame, 'did not pass on');
    else if (frame.frameRole === 'start') this.hooks.onStartFrameKept(this.#processor);
  }

  /** `process()` has returned a promise; a frame past its limit does not wait for it. */
  isBusyWith(frame: Frame): void {
    const { pending } = this;
    if (pending === frame && isForced(frame)) this.#forward(pending, 'is still busy with');
  }

  /**
   * Makes way for a lifecycle frame that has not gone on from here: abandons the calls of `process()` that it would
   * have to wait for, and drops waiting system frames of a class that hung. When the frame is past its limit, all
   * frames ahead of it are dropped.
   *
   * @returns Whether the frame is still to go on from here: false when it already has.
   */
  force(frame: LifecycleFrame): boolean {
    if (this.#isForwarded && this.#frame === frame) return false;
    const queues = this.#queues;
    const isSystem = frame.kind === 'system';
    let reason: string | undefined;
    let dropped = 0;
    for (const call of [this.#calls.system, isSystem ? undefined : this.#calls.current]) {
      if (call === undefined) continue;
      this.#calls.abandon(call);
      if (call.frame === frame) continue;
      reason = `never finished ${call.frame.name}, which held up`;
      if (call.frame.kind === 'system') dropped += queues.dropSystem(call.frame.constructor);
    }
    const isPaused = queues.isSystemPaused || (!isSystem && queues.isPaused);
    if (isPaused && queues.includes(frame)) reason ??= 'was paused, which held up';
    if (isForced(frame)) dropped += queues.dropBefore(frame);
    if (reason !== undefined || dropped > 0) this.#report(frame, reason ?? 'was too slow for', dropped);
    const { pending } = this;
    if (pending === frame) this.#forward(pending, 'did not pass on');
    else if (pending?.frameRole === 'start') this.clear();
    return true;
  }

  #forward(frame: LifecycleFrame, reason: string): void {
    this.#report(frame, reason);
    this.#calls.runDetached(frame, () => this.#processor.push(frame));
  }

  /** One error for each lifecycle frame, however often it has to be forced here. */
  #report(frame: LifecycleFrame, reason: string, dropped = 0): void {
    const { name } = this.#processor;
    if (this.#reported === frame) {
      if (dropped > 0) {
        const fields = { processor: name, frame: frame.name, dropped };
        this.#access.logger(this.#processor).warn(fields, 'frames in front of it are dropped');
      }
      return;
    }
    this.#reported = frame;
    const without = dropped === 0 ? '' : `, without ${dropped} frames in front of it`;
    const error = new ErrorFrame({
      error: `${name} ${reason} ${frame.name}; it goes on${without}`,
      processor: this.#processor,
    });
    this.#pushError(error);
    this.hooks.onForced(error);
  }

  #pushError(error: ErrorFrame): void {
    this.#calls.runDetached(error, () => this.#access.pushErrorFrame(this.#processor, error));
  }
}

/** Whether a frame goes on also when `process()` does not push it. Lifecycle frames have a tracker of their own. */
export function isForwarded(frame: Frame): boolean {
  return frame.kind !== 'data' && isFrameworkFrame(frame) && !isLifecycleFrame(frame);
}

/**
 * What a processor has done with requests to the task, flush probes, heartbeats, pause and resume frames. One that it
 * has neither pushed nor holds is forwarded without it; none goes on twice.
 */
export class ForwardedFrames {
  readonly #states = new WeakMap<Frame, 'pushed' | 'held' | 'forwarded'>();

  /** `process()` is about to be called with the frame. */
  received(frame: Frame): void {
    this.#states.delete(frame);
  }

  /** The processor keeps the frame for later. */
  held(frame: Frame): void {
    if (this.#states.get(frame) !== 'forwarded') this.#states.set(frame, 'held');
  }

  /** The frame is about to be pushed. @returns False when it was forwarded before. */
  pushed(frame: Frame): boolean {
    if (this.#states.get(frame) === 'forwarded') return false;
    this.#states.set(frame, 'pushed');
    return true;
  }

  /** `process()` has settled. @returns Whether the frame is to be forwarded. */
  returned(frame: Frame): boolean {
    return !this.#states.has(frame);
  }

  /** The frame was forwarded without the processor. */
  forwarded(frame: Frame): void {
    this.#states.set(frame, 'forwarded');
  }
}
