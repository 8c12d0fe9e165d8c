import type { Frame } from '../frames/frame.ts';
import { type FrameClass, isOneOf } from '../frames/of-frame.ts';

/** After so long without a sign, what has begun and not ended is taken to have been forgotten; in milliseconds. */
const longestActivityMs = 3_600_000;

/** What has begun has no id of its own: a user's turn, of which there is one at a time. */
interface Activity {
  readonly toolCallId?: string;
}

/**
 * Tells when nobody was heard for a while. One timer, moved on when it fires.
 *
 * By default it goes by the {@link Frame.frameActivity} of frames: nobody is idle during a user's turn or a function call,
 * however long that takes, up to an hour.
 */
export class IdleWatch {
  readonly #classes: readonly FrameClass[] | undefined;
  readonly #limitMs: number;
  readonly #onIdle: () => void;
  readonly #counted = new WeakSet<Frame>();
  /** Function calls, and the user's turn, that have begun and not ended. */
  readonly #ongoing = new Set<string | undefined>();
  #lastSign = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** @param classes Frames that hold it off, instead of those with an activity. */
  constructor(classes: readonly FrameClass[] | undefined, limitMs: number, onIdle: () => void) {
    this.#classes = classes;
    this.#limitMs = limitMs;
    this.#onIdle = onIdle;
  }

  /** Whether it has to see every frame that is pushed; otherwise those with an activity are enough. */
  get watchesPushes(): boolean {
    return this.#classes !== undefined;
  }

  start(): void {
    this.sign();
    this.#wait(this.#limitMs);
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  /** Somebody is heard. */
  sign(): void {
    this.#lastSign = performance.now();
  }

  /** A frame was pushed. */
  see(frame: Frame): void {
    if (this.#classes === undefined) this.#note(frame);
    else if (isOneOf(frame, this.#classes)) this.sign();
  }

  #note(frame: Frame): void {
    const { frameActivity: activity } = frame;
    if (activity === undefined) return;
    this.sign();
    // a frame is pushed again at each hop, perhaps when what it begins has ended
    if (activity === 'sign' || this.#counted.has(frame)) return;
    this.#counted.add(frame);
    const { toolCallId } = frame as Frame & Activity;
    if (activity === 'begins') this.#ongoing.add(toolCallId);
    else this.#ongoing.delete(toolCallId);
  }

  #wait(ms: number): void {
    this.#timer = setTimeout(() => {
      const idleMs = performance.now() - this.#lastSign;
      if (idleMs < this.#limitMs - 1) this.#wait(this.#limitMs - idleMs);
      else if (this.#ongoing.size > 0 && idleMs < longestActivityMs) this.#wait(this.#limitMs);
      else {
        this.start();
        this.#onIdle();
      }
    }, ms);
  }
}
