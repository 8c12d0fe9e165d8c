import { AsyncLocalStorage } from 'node:async_hooks';
import type { Frame } from '../frames/frame.ts';

/**
 * One call of a processor's `process()`: from the frame being handed in until the promise is settled.
 *
 * `process()` and `push()` do not say on whose behalf they are called, and must not have to. So that what a
 * dropped call pushes later can be told from what the processor's other calls push, each runs in an
 * asynchronous context of its own.
 */
export class FrameWork {
  /** Whose `process()` it is. */
  readonly owner: object;
  readonly frame: Frame;
  /** An interruption, a cancel or a time limit gave it up; nothing it pushes counts any more. */
  dropped = false;
  settled = false;
  #controller: AbortController | undefined;

  /** Whether it runs in an asynchronous context of its own. */
  readonly tracked: boolean;

  constructor(owner: object, frame: Frame, tracked: boolean) {
    this.owner = owner;
    this.frame = frame;
    this.tracked = tracked;
  }

  /** Aborts when the work is dropped; made only when asked for. */
  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    if (this.dropped) this.#controller.abort();
    return this.#controller.signal;
  }

  drop(): void {
    this.dropped = true;
    this.#controller?.abort();
  }
}

/** The work that the running code belongs to. */
export const currentWork: AsyncLocalStorage<FrameWork> = new AsyncLocalStorage<FrameWork>();
