/**
 * What tells Node to run the guardian's program.
 *
 * Here it is a file. The build puts another module in the place of this one, which holds the whole program as
 * text (test/support/finish-build.mjs): a bundle of one file has its guardian too, and no disk is needed.
 */

import { fileURLToPath } from 'node:url';

/** Arguments for Node, to be put behind its options. */
export function guardianArgs(): string[] {
  return [...loaderArgs(), fileURLToPath(new URL('./guardian-program.ts', import.meta.url))];
}

/** From its sources the guardian runs by the loader that the bot runs by. */
function loaderArgs(): string[] {
  const place = process.execArgv.findIndex((arg) => arg === '--import' || arg.startsWith('--import='));
  return place < 0
    ? []
    : process.execArgv.slice(place, process.execArgv[place] === '--import' ? place + 2 : place + 1);
}
