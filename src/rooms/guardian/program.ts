/**
 * The arguments that make Node run the guardian's program.
 *
 * Here it is a file. The build replaces this module by one that contains the whole program as text
 * (test/support/finish-build.mjs), so that a bundle of one file has its guardian too, and needs no disk.
 */

import { fileURLToPath } from 'node:url';
import { loaderArgs } from '../../lib/loader-args.ts';

/** Arguments for Node, after its options. */
export function guardianArgs(): string[] {
  return [...loaderArgs(), fileURLToPath(new URL('./main.ts', import.meta.url))];
}
