import { type Frame, SystemFrame } from '../frames/frame.ts';
import { type FrameClass, isOneOf } from '../frames/of-frame.ts';

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

  /** Whether it has to see every frame that is pushed; system frames are shown to it anyway. */
  get watchesPushes(): boolean {
    return this.#classes.some(
      ({ prototype }) => !(prototype instanceof SystemFrame) && prototype !== SystemFrame.prototype,
    );
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
    if (frame.frameRole === 'start' || isOneOf(frame, this.#classes)) {
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
