import type { Frame, FrameDirection } from '../frames/frame.ts';
import type { FrameWorks } from './frame-works.ts';

/** One call of a processor's `process()`: from the frame being handed in until the promise is settled. */
export class FrameWork {
  /** Whose `process()` it is. */
  readonly owner: FrameWorks;
  /** Whether code that continues it can be told from other code. */
  readonly hasContext: boolean;
  /** The turn of the event loop in which it began. */
  turn: number;
  frame: Frame;
  direction: FrameDirection;
  /** An interruption, a cancel or a time limit gave it up; nothing it pushes counts any more. */
  dropped = false;
  settled = false;
  readonly fulfilled: () => void;
  readonly rejected: (error: unknown) => void;
  #controller: AbortController | undefined;

  constructor(owner: FrameWorks, frame: Frame, direction: FrameDirection, turn: number, hasContext: boolean) {
    this.owner = owner;
    this.frame = frame;
    this.direction = direction;
    this.turn = turn;
    this.hasContext = hasContext;
    this.fulfilled = () => owner.onSettled(this);
    this.rejected = (error) => owner.onSettled(this, { error });
  }

  /** Aborts when the work is dropped; made only when asked for. */
  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    if (this.dropped) this.#controller.abort();
    return this.#controller.signal;
  }

  /** Whether it is over, and nobody could mistake what comes for it. */
  get isSpare(): boolean {
    return this.settled && !this.dropped && !this.hasContext && this.#controller === undefined;
  }

  /** Makes another call of it, which is cheaper than a new object. */
  beginAgain(frame: Frame, direction: FrameDirection, turn: number): void {
    this.frame = frame;
    this.direction = direction;
    this.turn = turn;
    this.settled = false;
  }

  drop(): void {
    this.dropped = true;
    this.#controller?.abort();
  }
}
