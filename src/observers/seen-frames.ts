import type { Frame } from '../frames/frame.ts';

/** How many frames are remembered: many more than are on their way at a time. */
const rememberedFrames = 128;

/** Tells a frame's first hop from the others; remembers the latest frames only. */
export class SeenFrames {
  readonly #ids = new Set<number>();

  /** True the first time it is asked about a frame. */
  isNew(frame: Frame): boolean {
    if (this.#ids.has(frame.id)) return false;
    this.#ids.add(frame.id);
    if (this.#ids.size > rememberedFrames) {
      const [oldest] = this.#ids;
      this.#ids.delete(oldest as number);
    }
    return true;
  }
}
