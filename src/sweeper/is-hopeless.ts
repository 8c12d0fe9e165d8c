import { LiveKitRESTError, MissingDependencyError } from '../errors.ts';

/** Whether a sweeper that has not begun yet waits in vain: keys, clocks and packages get right by hand only. */
export function isHopeless(error: unknown): boolean {
  if (error instanceof LiveKitRESTError) return error.kind === 'auth' || error.kind === 'clock';
  return error instanceof MissingDependencyError;
}
