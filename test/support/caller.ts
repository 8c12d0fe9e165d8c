import { type Caller, type CallerOptions, spawnCaller as spawn } from '../../src/testing/caller.ts';
import { nodeArgs } from './run-typescript.ts';

export type { Caller, CallerEvent } from '../../src/testing/caller.ts';

/** A busy machine takes its time to start a process. */
const patienceMs = 90_000;

/** A real participant in a process of its own; see src/testing/caller.ts. */
export function spawnCaller(options: Omit<CallerOptions, 'nodeArgs'>): Caller {
  const caller = spawn({ ...options, nodeArgs });
  const waitFor: Caller['waitFor'] = caller.waitFor.bind(caller);
  caller.waitFor = (event, options) => waitFor(event, { timeoutMs: patienceMs, ...options });
  return caller;
}
