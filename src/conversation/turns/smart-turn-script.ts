/**
 * The program of smart turn's worker thread.
 *
 * Here it is a file. The build replaces this module by one that contains the whole program as text
 * (test/support/finish-build.mjs), so that a bundle of one file has its worker too.
 */

import type { WorkerOptions } from 'node:worker_threads';
import { loaderArgs } from '../../lib/loader-args.ts';

/** What a `Worker` is made of. */
export interface SmartTurnScript {
  /** A file, or the program itself. */
  readonly script: string | URL;
  /** How Node runs it. */
  readonly options: WorkerOptions;
}

/** @returns The program, which needs `SmartTurnWorkerData`. */
export function smartTurnScript(): SmartTurnScript {
  return { script: new URL('./smart-turn-worker.ts', import.meta.url), options: { execArgv: loaderArgs() } };
}
