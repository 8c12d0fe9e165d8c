/** Deduplicates frames that are seen at every hop. */

import type { Frame } from '../frames/frame.ts';

/** Many more frames than are under way at a time. */
const rememberedFrames = 128;

/** A bounded set of the latest frames. */
export class SeenFrames {
  readonly #ids = new Set<number>();

  /** True for the first call with a frame. */
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
