/** The idle timeout: calls back when neither a user nor the bot was heard for a while. */

import type { Frame } from '../frames/frame.ts';
import { type FrameClass, isOneOf } from '../frames/of-frame.ts';

/** After so long without activity, an activity that never ended does not count any more; in milliseconds. */
const longestActivityMs = 3_600_000;

/** A frame of a function call; a user's turn has no id, as there is one at a time. */
interface Activity {
  readonly toolCallId?: string;
}

/**
 * One timer, rescheduled when it fires.
 *
 * By default it uses the {@link Frame.frameActivity} of frames: a user's turn and a function call count for as long as
 * they last, up to an hour.
 */
export class IdleTimer {
  readonly #classes: readonly FrameClass[] | undefined;
  readonly #limitMs: number;
  readonly #onIdle: () => void;
  readonly #counted = new WeakSet<Frame>();
  /** Function calls, and the user's turn, that have begun and not ended. */
  readonly #ongoing = new Set<string | undefined>();
  #activeAtMs = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** @param classes Frames that count as activity, instead of those with a `frameActivity`. */
  constructor(classes: readonly FrameClass[] | undefined, limitMs: number, onIdle: () => void) {
    this.#classes = classes;
    this.#limitMs = limitMs;
    this.#onIdle = onIdle;
  }

  /** Whether it needs every frame that is pushed; otherwise those with an activity are enough. */
  get needsAllFrames(): boolean {
    return this.#classes !== undefined;
  }

  /** Starts the timer. */
  start(): void {
    this.reset();
    this.#wait(this.#limitMs);
  }

  /** Stops the timer. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  /** A user or the bot is heard. */
  reset(): void {
    this.#activeAtMs = performance.now();
  }

  /** A frame was pushed. */
  onFrame(frame: Frame): void {
    if (this.#classes === undefined) this.#onActivity(frame);
    else if (isOneOf(frame, this.#classes)) this.reset();
  }

  #onActivity(frame: Frame): void {
    const { frameActivity: activity } = frame;
    if (activity === undefined) return;
    this.reset();
    // a frame is pushed again at each hop, perhaps after its activity has ended
    if (activity === 'sign' || this.#counted.has(frame)) return;
    this.#counted.add(frame);
    const { toolCallId } = frame as Frame & Activity;
    if (activity === 'begins') this.#ongoing.add(toolCallId);
    else this.#ongoing.delete(toolCallId);
  }

  #wait(ms: number): void {
    this.#timer = setTimeout(() => {
      const idleMs = performance.now() - this.#activeAtMs;
      if (idleMs < this.#limitMs - 1) this.#wait(this.#limitMs - idleMs);
      else if (this.#ongoing.size > 0 && idleMs < longestActivityMs) this.#wait(this.#limitMs);
      else {
        this.start();
        this.#onIdle();
      }
    }, ms);
  }
}
