// Lets Node run the .ts files of this repository, also Node 20, which cannot by itself:
//   node --import ./test/support/typescript-loader.mjs some-script.ts
// The types are only taken away (tsconfig allows erasable syntax only); nothing is checked.

import { readFile } from 'node:fs/promises';
import { register } from 'node:module';
import { fileURLToPath } from 'node:url';
import { isMainThread } from 'node:worker_threads';

if (isMainThread) register(import.meta.url);

/** @type {import('node:module').LoadHook} */
export async function load(url, context, nextLoad) {
  if (!url.startsWith('file:') || !url.endsWith('.ts')) return nextLoad(url, context);
  const file = fileURLToPath(url);
  // vite brings it along, and it starts in a twentieth of the time that the TypeScript compiler takes
  const { transformSync } = await import('rolldown/utils');
  const { code, errors } = transformSync(file, await readFile(file, 'utf8'), {
    typescript: { onlyRemoveTypeImports: true },
  });
  if (errors.length > 0) throw new SyntaxError(`${file}: ${errors[0]?.message}`);
  return { format: 'module', source: code, shortCircuit: true };
}
