/** Measures the start of a pipeline. */

import { BotConnectedFrame, ClientConnectedFrame } from '../frames/participants.ts';
import { SafeEventEmitter } from '../lib/emitter.ts';
import type { FrameProcessor } from '../processors/frame-processor.ts';
import type { FrameProcessed, FramePushed, Observer, ProcessorSetUp } from './observer.ts';
import { checkProcessorClasses, type ProcessorClass } from './processor-classes.ts';

/** Options of a startup timing observer. */
export interface StartupTimingObserverOptions {
  /** Which processors are reported, with subclasses. Default all except compounds. */
  readonly processors?: readonly ProcessorClass[];
}

/** The startup of one processor. */
export interface ProcessorStartupTiming {
  /** Its name. */
  readonly processor: string;
  /** Duration of its `setup()`. */
  readonly setupMs: number;
  /** From the StartFrame's arrival until it pushed the frame on. */
  readonly startMs: number;
  /** From the first StartFrame's arrival anywhere to that at this one. */
  readonly startOffsetMs: number;
  /** `setupMs` and `startMs` together. */
  readonly durationMs: number;
}

/** The startup of a pipeline. */
export interface StartupTimingReport {
  /** When the processors began to be set up. */
  readonly startedAt: Date;
  /** From there until the StartFrame had come out; less than the sum, since setups run concurrently. */
  readonly totalMs: number;
  /** In the order in which they pushed the StartFrame on. */
  readonly processors: readonly ProcessorStartupTiming[];
}

/** The startup of the transport, in milliseconds from the beginning of the setups. */
export interface TransportTimingReport {
  /** Beginning of the setups, by the wall clock. */
  readonly startedAt: Date;
  /** Until the bot was in the room; `undefined` where the transport does not report it. */
  readonly botConnectedMs: number | undefined;
  /** Until the first participant was in the room. */
  readonly clientConnectedMs: number;
}

/** Events of a startup timing observer. */
export interface StartupTimingObserverEvents {
  /** The pipeline has started; at most once. */
  startupTimingReported: (report: StartupTimingReport) => void;
  /** The pipeline has started and the first participant is in the room; at most once. */
  transportTimingReported: (report: TransportTimingReport) => void;
}

/**
 * Reports what makes a pipeline slow to start: each processor's `setup()` and its work at the StartFrame.
 *
 * @see Pipecat `observers/startup_timing_observer.py`, `StartupTimingObserver`
 */
export class StartupTimingObserver extends SafeEventEmitter<StartupTimingObserverEvents> implements Observer {
  readonly #classes: readonly ProcessorClass[] | undefined;
  readonly #setupMs = new Map<FrameProcessor, number>();
  readonly #arrivedMs = new Map<FrameProcessor, number>();
  readonly #timings: ProcessorStartupTiming[] = [];
  #beganMs = Number.POSITIVE_INFINITY;
  #startFrameId: number | undefined;
  #firstArrivalMs = 0;
  #startedMs = 0;
  #hasStarted = false;
  #botConnectedMs: number | undefined;
  #clientConnectedMs: number | undefined;

  /** @throws {InvalidOptionError} `processors` is no list of classes. */
  constructor({ processors }: StartupTimingObserverOptions = {}) {
    super();
    if (processors !== undefined) checkProcessorClasses('processors', processors);
    this.#classes = processors;
  }

  onProcessorSetup({ processor, startedMs, finishedMs }: ProcessorSetUp): void {
    this.#beganMs = Math.min(this.#beganMs, startedMs);
    this.#setupMs.set(processor, finishedMs - startedMs);
  }

  onProcessFrame({ processor, frame, timestampMs }: FrameProcessed): void {
    if (frame.frameRole !== 'start' || this.#hasStarted) return;
    if (this.#startFrameId === undefined) {
      this.#startFrameId = frame.id;
      this.#firstArrivalMs = timestampMs;
    }
    if (frame.id === this.#startFrameId) this.#arrivedMs.set(processor, timestampMs);
  }

  onPushFrame({ source, frame, timestampMs }: FramePushed): void {
    if (frame.frameRole === 'start') {
      if (frame.id === this.#startFrameId && !this.#hasStarted) this.#passedOn(source, timestampMs);
    } else if (frame instanceof BotConnectedFrame) this.#botConnectedMs ??= timestampMs;
    else if (frame instanceof ClientConnectedFrame && this.#clientConnectedMs === undefined) {
      this.#clientConnectedMs = timestampMs;
      if (this.#hasStarted) this.#reportTransport(timestampMs);
    }
  }

  onPipelineStarted(): void {
    if (this.#hasStarted) return;
    this.#hasStarted = true;
    // the observer was added after the setups
    if (this.#beganMs === Number.POSITIVE_INFINITY) this.#beganMs = this.#firstArrivalMs;
    const totalMs = this.#startedMs - this.#beganMs;
    this.emit('startupTimingReported', { startedAt: this.#startedAt, totalMs, processors: this.#timings });
    if (this.#clientConnectedMs !== undefined) this.#reportTransport(this.#clientConnectedMs);
    this.#setupMs.clear();
    this.#arrivedMs.clear();
  }

  get #startedAt(): Date {
    return new Date(performance.timeOrigin + this.#beganMs);
  }

  #passedOn(processor: FrameProcessor, timestampMs: number): void {
    this.#startedMs = timestampMs;
    const arrivedMs = this.#arrivedMs.get(processor);
    if (arrivedMs === undefined || !this.#isReported(processor)) return;
    this.#arrivedMs.delete(processor);
    const setupMs = this.#setupMs.get(processor) ?? 0;
    const startMs = timestampMs - arrivedMs;
    this.#timings.push({
      processor: processor.name,
      setupMs,
      startMs,
      startOffsetMs: arrivedMs - this.#firstArrivalMs,
      durationMs: setupMs + startMs,
    });
  }

  #isReported(processor: FrameProcessor): boolean {
    if (this.#classes === undefined) return processor.processors.length === 0;
    return this.#classes.some((processorClass) => processor instanceof processorClass);
  }

  #reportTransport(clientConnectedMs: number): void {
    const sinceBegin = (ms: number): number => ms - this.#beganMs;
    this.emit('transportTimingReported', {
      startedAt: this.#startedAt,
      botConnectedMs: this.#botConnectedMs === undefined ? undefined : sinceBegin(this.#botConnectedMs),
      clientConnectedMs: sinceBegin(clientConnectedMs),
    });
  }
}
