/**
 * The arguments that make Node run the guardian's program.
 *
 * Here it is a file. The build replaces this module by one that contains the whole program as text
 * (test/support/finish-build.mjs), so that a bundle of one file has its guardian too, and needs no disk.
 */

import { fileURLToPath } from 'node:url';

/** Arguments for Node, after its options. */
export function guardianArgs(): string[] {
  return [...loaderArgs(), fileURLToPath(new URL('./main.ts', import.meta.url))];
}

/** From the sources the guardian uses the loader of the bot. */
function loaderArgs(): string[] {
  const place = process.execArgv.findIndex((arg) => arg === '--import' || arg.startsWith('--import='));
  return place < 0
    ? []
    : process.execArgv.slice(place, process.execArgv[place] === '--import' ? place + 2 : place + 1);
}
