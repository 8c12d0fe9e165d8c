import { type Caller, type CallerOptions, spawnCaller as spawn } from '../../src/cli/caller.ts';
import { nodeArgs } from './run-typescript.ts';

export type { Caller, CallerEvent } from '../../src/cli/caller.ts';

/** A real participant in a process of its own; see src/cli/caller.ts. */
export function spawnCaller(options: Omit<CallerOptions, 'nodeArgs'>): Caller {
  return spawn({ ...options, nodeArgs });
}
