/** A processor can be in one run at a time: it has one queue, one neighbour on each side, one connection. */

import { PipelineError } from '../lib/errors.ts';
import type { FrameProcessor } from '../processors/frame-processor.ts';

const inUse = new WeakSet<FrameProcessor>();

export function isInUse(processor: FrameProcessor): boolean {
  return inUse.has(processor);
}

/**
 * Takes a processor, and all that it is made of, for a run.
 *
 * @returns Gives them back; may be called twice.
 * @throws {PipelineError} One of them is in another run, or is in this one twice; then none is taken.
 */
export function takeIntoUse(pipeline: FrameProcessor): () => void {
  const taken = new Set<FrameProcessor>();
  const collect = (processor: FrameProcessor): void => {
    if (inUse.has(processor))
      throw new PipelineError(`${processor.name} is in another task, which still runs`);
    if (taken.has(processor)) throw new PipelineError(`${processor.name} is in this pipeline twice`);
    taken.add(processor);
    processor.processors.forEach(collect);
  };
  collect(pipeline);
  for (const processor of taken) inUse.add(processor);
  return () => {
    for (const processor of taken) inUse.delete(processor);
    taken.clear();
  };
}
