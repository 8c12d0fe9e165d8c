/** Flush probes: frames that go through a pipeline and back, to find out when everything ahead of them is processed. */

import type { Frame } from '../frames/frame.ts';
import { PipelineFlushFrame } from '../frames/probes.ts';
import { withTimeout } from '../lib/timeout.ts';
import type { Pipeline } from './pipeline.ts';

/** The probes of one run. */
export class FlushProbes {
  readonly #pipeline: Pipeline;
  /** By the frame that is under way. */
  readonly #pending = new Map<Frame, (isFlushed: boolean) => void>();

  constructor(pipeline: Pipeline) {
    this.#pipeline = pipeline;
  }

  /** @returns Whether the probe came back within the timeout, and before the run was over. */
  async send(timeoutMs: number): Promise<boolean> {
    const probe = new PipelineFlushFrame();
    let settle = (_isFlushed: boolean): void => {};
    const isFlushed = new Promise<boolean>((resolve) => {
      settle = resolve;
    });
    this.#pending.set(probe, settle);
    this.#pipeline.queueFrame(probe);
    const end = await withTimeout(isFlushed, timeoutMs);
    for (const [frame, resolve] of this.#pending) if (resolve === settle) this.#pending.delete(frame);
    return end === 'done' && isFlushed;
  }

  /** A probe has come out downstream: a new frame goes back, as a parallel pipeline lets each frame out only once. */
  sendBack(probe: Frame): void {
    const settle = this.#pending.get(probe);
    if (settle === undefined) return;
    const returning = new PipelineFlushFrame();
    this.#pending.delete(probe);
    this.#pending.set(returning, settle);
    this.#pipeline.queueFrame(returning, 'upstream');
  }

  /** A probe has come back. */
  received(probe: Frame): void {
    this.#pending.get(probe)?.(true);
  }

  /** The run is over. */
  abort(): void {
    for (const settle of this.#pending.values()) settle(false);
  }
}
