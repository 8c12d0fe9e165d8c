import type { Frame } from '../frames/frame.ts';
import type { FrameClass } from '../frames/of-frame.ts';

/** Tells when nothing that shows life has moved for a while. One timer, moved on when it fires. */
export class IdleWatch {
  readonly #classes: readonly FrameClass[];
  readonly #limitMs: number;
  readonly #onIdle: () => void;
  #lastSign = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(classes: readonly FrameClass[], limitMs: number, onIdle: () => void) {
    this.#classes = classes;
    this.#limitMs = limitMs;
    this.#onIdle = onIdle;
  }

  start(): void {
    this.#lastSign = performance.now();
    this.#wait(this.#limitMs);
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  /** Looks whether a frame shows life. */
  see(frame: Frame): void {
    if (frame.frameRole === 'start' || this.#classes.some((frameClass) => frame instanceof frameClass)) {
      this.#lastSign = performance.now();
    }
  }

  #wait(ms: number): void {
    this.#timer = setTimeout(() => {
      const idleMs = performance.now() - this.#lastSign;
      if (idleMs < this.#limitMs - 1) {
        this.#wait(this.#limitMs - idleMs);
        return;
      }
      this.start();
      this.#onIdle();
    }, ms);
  }
}
