/** A processor can be in one run at a time: it has one queue, one neighbour on each side, one connection. */

import { PipelineError } from '../lib/errors.ts';
import type { FrameProcessor } from '../processors/frame-processor.ts';

const inUse = new WeakSet<FrameProcessor>();

/** Whether a processor is acquired by a run. */
export function isInUse(processor: FrameProcessor): boolean {
  return inUse.has(processor);
}

/**
 * Acquires a processor, and all that it is composed of, for a run.
 *
 * @returns Releases them; idempotent.
 * @throws {PipelineError} One of them is in another run, or is in this one twice; then none is acquired.
 */
export function acquireProcessors(pipeline: FrameProcessor): () => void {
  const acquired = new Set<FrameProcessor>();
  const collect = (processor: FrameProcessor): void => {
    if (inUse.has(processor))
      throw new PipelineError(`${processor.name} is in another task, which still runs`);
    if (acquired.has(processor)) throw new PipelineError(`${processor.name} is in this pipeline twice`);
    acquired.add(processor);
    processor.processors.forEach(collect);
  };
  collect(pipeline);
  for (const processor of acquired) inUse.add(processor);
  return () => {
    for (const processor of acquired) inUse.delete(processor);
    acquired.clear();
  };
}
