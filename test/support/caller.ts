import { type Caller, type CallerOptions, spawnCaller as spawn } from '../../src/testing/caller.ts';
import { nodeArgs } from './run-typescript.ts';

export type { Caller, CallerEvent } from '../../src/testing/caller.ts';

/** A real participant in a process of its own; see src/testing/caller.ts. */
export function spawnCaller(options: Omit<CallerOptions, 'nodeArgs'>): Caller {
  return spawn({ ...options, nodeArgs });
}
