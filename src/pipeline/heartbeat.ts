/** Heartbeats: frames sent through a pipeline at an interval, to find out whether it is stuck. */

import { HeartbeatFrame } from '../frames/probes.ts';

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

  stop(): void {
    clearInterval(this.#interval);
    clearInterval(this.#timeout);
    this.#timeout = undefined; // a refresh would start it again
  }
}
