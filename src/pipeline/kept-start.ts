import type { StartFrame } from '../frames/lifecycle.ts';
import type { Logger } from '../lib/logger.ts';
import { type FrameProcessor, forceFrame, hasFrame } from '../processors/frame-processor.ts';

/** How soon a processor that keeps the StartFrame is named, in milliseconds. */
const nameAfterMs = 1_000;
/** How long all further ones have, once the first has been passed by; in milliseconds. */
const graceMs = 1_000;

/**
 * Processors whose `process()` has returned without pushing the StartFrame: mostly the push was forgotten. Each is
 * named, and the frame goes on without it; one that pushes it later by itself is left alone until then.
 */
export class KeptStart {
  readonly #frame: StartFrame;
  readonly #limitMs: number | null;
  readonly #logger: Logger;
  readonly #timers: ReturnType<typeof setTimeout>[] = [];
  /** When the first one was passed by. */
  #forcedAtMs: number | undefined;

  /** @param limitMs How long a processor may keep the frame; `null` for ever. */
  constructor(frame: StartFrame, limitMs: number | null, logger: Logger) {
    this.#frame = frame;
    this.#limitMs = limitMs;
    this.#logger = logger;
  }

  keptBy(processor: FrameProcessor): void {
    this.#later(nameAfterMs, processor, () =>
      this.#logger.warn(
        { processor: processor.name },
        'process() has returned without pushing the StartFrame, which everything waits for',
      ),
    );
    if (this.#limitMs === null) return;
    const leftMs = this.#leftMs(this.#limitMs);
    if (leftMs === 0) forceFrame(processor, this.#frame);
    else this.#later(leftMs, processor, () => this.#force(processor));
  }

  stop(): void {
    for (const timer of this.#timers) clearTimeout(timer);
  }

  #force(processor: FrameProcessor): void {
    this.#forcedAtMs ??= performance.now();
    forceFrame(processor, this.#frame);
  }

  #leftMs(limitMs: number): number {
    if (this.#forcedAtMs === undefined) return limitMs;
    return Math.min(limitMs, Math.max(0, this.#forcedAtMs + graceMs - performance.now()));
  }

  #later(ms: number, processor: FrameProcessor, action: () => void): void {
    this.#timers.push(
      setTimeout(() => {
        if (hasFrame(processor, this.#frame)) action();
      }, ms),
    );
  }
}
