import { HeartbeatFrame } from '../frames/heartbeat.ts';

export interface HeartbeatOptions {
  /** How often a heartbeat is sent, in milliseconds. Default 1 000. */
  readonly periodMs?: number;
  /** How long none may come out before it is told, in milliseconds. Default 10 000. */
  readonly timeoutMs?: number;
}

/** Sends heartbeats through the pipeline; tells, again and again, when they do not come out. */
export class Heartbeat {
  readonly #periodMs: number;
  readonly #timeoutMs: number;
  readonly #send: (frame: HeartbeatFrame) => void;
  readonly #onTimeout: (timeoutMs: number) => void;
  #beat: ReturnType<typeof setInterval> | undefined;
  #watch: ReturnType<typeof setInterval> | undefined;

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
    const beat = (): void => this.#send(new HeartbeatFrame(performance.now()));
    beat();
    this.#beat = setInterval(beat, this.#periodMs);
    this.#watch = setInterval(() => this.#onTimeout(this.#timeoutMs), this.#timeoutMs);
  }

  /** One has come out. */
  received(): void {
    this.#watch?.refresh();
  }

  stop(): void {
    clearInterval(this.#beat);
    clearInterval(this.#watch);
    this.#watch = undefined; // a refresh would bring it back
  }
}
