import { PipelineFlushFrame } from '../frames/flush.ts';
import type { Frame } from '../frames/frame.ts';
import { withTimeout } from '../lib/timeout.ts';
import type { Pipeline } from './pipeline.ts';

/** Probes that go through a pipeline and back, to tell when everything before them is through. */
export class FlushProbes {
  readonly #pipeline: Pipeline;
  /** Who waits for which frame. */
  readonly #waiting = new Map<Frame, (isThrough: boolean) => void>();

  constructor(pipeline: Pipeline) {
    this.#pipeline = pipeline;
  }

  /** @returns Whether the probe came back in time, and before the run was over. */
  async send(timeoutMs: number): Promise<boolean> {
    const probe = new PipelineFlushFrame();
    let back = (_isThrough: boolean): void => {};
    const isThrough = new Promise<boolean>((resolve) => {
      back = resolve;
    });
    this.#waiting.set(probe, back);
    this.#pipeline.queueFrame(probe);
    const end = await withTimeout(isThrough, timeoutMs);
    for (const [frame, resolve] of this.#waiting) if (resolve === back) this.#waiting.delete(frame);
    return end === 'done' && isThrough;
  }

  /** One has come out downstream: a new frame goes back, as a parallel pipeline lets each frame out only once. */
  turn(probe: Frame): void {
    const back = this.#waiting.get(probe);
    if (back === undefined) return;
    const returning = new PipelineFlushFrame();
    this.#waiting.delete(probe);
    this.#waiting.set(returning, back);
    this.#pipeline.queueFrame(returning, 'upstream');
  }

  /** One has come back. */
  arrive(probe: Frame): void {
    this.#waiting.get(probe)?.(true);
  }

  /** The run is over: nobody waits any more. */
  release(): void {
    for (const back of this.#waiting.values()) back(false);
  }
}
