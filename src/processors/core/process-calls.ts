/** The calls of a processor's `process()`: which are pending, which were abandoned, and to which one a push belongs. */

import { AsyncLocalStorage } from 'node:async_hooks';
import type { Frame, FrameDirection } from '../../frames/frame.ts';
import type { Processor } from './processor-types.ts';

/** Calls a processor's `process()`. */
export type Process = (processor: Processor, frame: Frame, direction: FrameDirection) => void | Promise<void>;

/** The call that the running code belongs to, across everything it awaits. */
const callContext = new AsyncLocalStorage<ProcessCall>();

/** One call of a `process()`. */
export class ProcessCall {
  /** The processor's calls. */
  readonly owner: ProcessCalls;
  /** The frame that is processed. */
  readonly frame: Frame;
  /** The direction of the frame. */
  readonly direction: FrameDirection;
  /** What `process()` returned, once it has. */
  promise: Promise<void> | undefined;
  /** Abandoned by an interruption, a cancel or a time limit: what it pushes until it settles is dropped. */
  isAbandoned = false;
  /** Whether the call has settled. */
  isSettled = false;
  #controller: AbortController | undefined;

  constructor(owner: ProcessCalls, frame: Frame, direction: FrameDirection) {
    this.owner = owner;
    this.frame = frame;
    this.direction = direction;
  }

  /** Aborts when the call is abandoned; created on first use. */
  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    if (this.isAbandoned) this.#controller.abort();
    return this.#controller.signal;
  }

  /** Gives the call up: later pushes are dropped and its signal aborts. */
  abandon(): void {
    this.isAbandoned = true;
    this.#controller?.abort();
  }
}

/** A call of which `process()` has returned a promise. */
export type PendingCall = ProcessCall & { readonly promise: Promise<void> };

/**
 * Attributes each `push()` to the call of `process()` that it is made in, so that pushes of abandoned calls can be
 * dropped.
 *
 * A call that may be asynchronous runs in an `AsyncLocalStorage` context: each one of a `process()` that is declared
 * async, and of any other after the first promise it has returned. What is pushed behind that first promise belongs to
 * no call, like what timers and sockets push, and is never dropped.
 */
export class ProcessCalls {
  /** The pending call with a data or control frame. */
  current: PendingCall | undefined;
  /** The pending call with a system frame. */
  system: PendingCall | undefined;
  /** Whether calls run in a context; decided at the first call. */
  #hasContexts: boolean | undefined;
  /** Whether a call was ever abandoned. */
  #hasAbandoned = false;
  /** The arguments of the call on the stack; what is pushed meanwhile belongs to it. */
  #frame: Frame | undefined;
  #direction: FrameDirection = 'downstream';
  /** The call on the stack, where an object was needed. */
  #call: ProcessCall | undefined;

  /** The call that the running code belongs to. */
  get running(): ProcessCall | undefined {
    if (this.#frame !== undefined) {
      this.#call ??= new ProcessCall(this, this.#frame, this.#direction);
      return this.#call;
    }
    const call = callContext.getStore();
    return call?.owner === this ? call : undefined;
  }

  /** Calls `process`. @returns The call when it is pending, `undefined` when it is done. */
  run(
    process: Process,
    processor: Processor,
    frame: Frame,
    direction: FrameDirection,
  ): PendingCall | undefined {
    const outerFrame = this.#frame;
    const outerDirection = this.#direction;
    const outerCall = this.#call;
    this.#frame = frame;
    this.#direction = direction;
    this.#call = undefined;
    try {
      this.#hasContexts ??= isDeclaredAsync(processor);
      const result = this.#hasContexts
        ? callContext.run(this.running as ProcessCall, process, processor, frame, direction)
        : process(processor, frame, direction);
      if (!isPromise(result)) return undefined;
      this.#hasContexts = true;
      const call = this.running as ProcessCall;
      call.promise = result;
      return call as PendingCall;
    } finally {
      this.#frame = outerFrame;
      this.#direction = outerDirection;
      this.#call = outerCall;
    }
  }

  /** Gives a call up: its later pushes are dropped. */
  abandon(call: ProcessCall): void {
    this.#hasAbandoned = true;
    call.abandon();
    if (call === this.current) this.current = undefined;
    if (call === this.system) this.system = undefined;
  }

  /** Abandons what is pending, before another run. */
  reset(): void {
    if (this.current !== undefined) this.abandon(this.current);
    if (this.system !== undefined) this.abandon(this.system);
  }

  /** Whether the running code belongs to an abandoned call. */
  get isAbandoned(): boolean {
    if (!this.#hasAbandoned || this.#frame !== undefined) return false;
    const call = callContext.getStore();
    return call?.owner === this && call.isAbandoned && !call.isSettled;
  }

  /** Runs an action about a frame outside of the call on the stack: what it pushes is not dropped. */
  runDetached(frame: Frame, action: () => void): void {
    const outerFrame = this.#frame;
    const outerCall = this.#call;
    this.#frame = frame;
    this.#call = undefined;
    try {
      action();
    } finally {
      this.#frame = outerFrame;
      this.#call = outerCall;
    }
  }
}

/** Whether the `process()` of a processor, or one that it overrides, is an async function. */
function isDeclaredAsync(processor: object): boolean {
  for (let owner = processor; owner !== null; owner = Object.getPrototypeOf(owner)) {
    const method: unknown = Object.getOwnPropertyDescriptor(owner, 'process')?.value;
    // also true for one of another realm, as test runners have them
    if (Object.prototype.toString.call(method) === '[object AsyncFunction]') return true;
  }
  return false;
}

function isPromise(value: unknown): value is Promise<void> {
  return typeof value === 'object' && value !== null && 'then' in value;
}
