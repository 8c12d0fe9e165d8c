/** How tests start a TypeScript file of this repository in a process of its own, also on Node 20. */

import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** To put before the script. In tests most of them run from a bundle: see bundle-programs.ts. */
export const nodeArgs: readonly string[] = [
  '--require',
  fileURLToPath(new URL('./run-bundle.cjs', import.meta.url)),
  '--import',
  new URL('./typescript-loader.mjs', import.meta.url).href,
];

/** `node script ...args`, for a script in TypeScript. */
export function spawnScript(
  script: string,
  args: readonly string[],
  options: SpawnOptions = {},
): ChildProcess {
  return spawn(process.execPath, [...nodeArgs, script, ...args], options);
}
