/** Probe frames: heartbeats at an interval show whether a pipeline is stuck, flush probes when it is empty. */

import type { Frame } from '../frames/frame.ts';
import { HeartbeatFrame, PipelineFlushFrame } from '../frames/probes.ts';
import { withTimeout } from '../lib/timeout.ts';
import type { Pipeline } from './pipeline.ts';

/** How often heartbeats are sent, and when their absence is reported. */
export interface HeartbeatOptions {
  /** Interval, in milliseconds. Default 1 000. */
  readonly periodMs?: number;
  /** How long none may come out before `heartbeatTimeout`, in milliseconds. Default 10 000. */
  readonly timeoutMs?: number;
}

/** The heartbeats of one run. */
export class Heartbeat {
  readonly #periodMs: number;
  readonly #timeoutMs: number;
  readonly #send: (frame: HeartbeatFrame) => void;
  readonly #onTimeout: (timeoutMs: number) => void;
  #interval: ReturnType<typeof setInterval> | undefined;
  #timeout: ReturnType<typeof setInterval> | undefined;

  /** @param onTimeout Called after each `timeoutMs` in which none has come out. */
  constructor(
    { periodMs = 1_000, timeoutMs = 10_000 }: HeartbeatOptions,
    send: (frame: HeartbeatFrame) => void,
    onTimeout: (timeoutMs: number) => void,
  ) {
    this.#periodMs = periodMs;
    this.#timeoutMs = timeoutMs;
    this.#send = send;
    this.#onTimeout = onTimeout;
  }

  /** Starts the interval. */
  start(): void {
    const send = (): void => this.#send(new HeartbeatFrame(performance.now()));
    send();
    this.#interval = setInterval(send, this.#periodMs);
    this.#timeout = setInterval(() => this.#onTimeout(this.#timeoutMs), this.#timeoutMs);
  }

  /** One has come out. */
  received(): void {
    this.#timeout?.refresh();
  }

  /** Ends the interval. */
  stop(): void {
    clearInterval(this.#interval);
    clearInterval(this.#timeout);
    this.#timeout = undefined; // a refresh would start it again
  }
}

/** The probes of one run. */
export class FlushProbes {
  readonly #pipeline: Pipeline;
  /** By the frame that is under way. */
  readonly #pending = new Map<Frame, (isFlushed: boolean) => void>();

  constructor(pipeline: Pipeline) {
    this.#pipeline = pipeline;
  }

  /** @returns Whether the probe came back within the timeout, and before the run was over. */
  async send(timeoutMs: number): Promise<boolean> {
    const probe = new PipelineFlushFrame();
    let settle = (_isFlushed: boolean): void => {};
    const isFlushed = new Promise<boolean>((resolve) => {
      settle = resolve;
    });
    this.#pending.set(probe, settle);
    this.#pipeline.queueFrame(probe);
    const end = await withTimeout(isFlushed, timeoutMs);
    for (const [frame, resolve] of this.#pending) if (resolve === settle) this.#pending.delete(frame);
    return end === 'done' && isFlushed;
  }

  /** A probe has come out downstream: a new frame goes back, as a parallel pipeline lets each frame out only once. */
  sendBack(probe: Frame): void {
    const settle = this.#pending.get(probe);
    if (settle === undefined) return;
    const returning = new PipelineFlushFrame();
    this.#pending.delete(probe);
    this.#pending.set(returning, settle);
    this.#pipeline.queueFrame(returning, 'upstream');
  }

  /** A probe has come back. */
  received(probe: Frame): void {
    this.#pending.get(probe)?.(true);
  }

  /** The run is over. */
  abort(): void {
    for (const settle of this.#pending.values()) settle(false);
  }
}
