// Lets Node run the .ts files of this repository, also Node 20, which cannot by itself:
//   node --import ./test/support/typescript-loader.mjs some-script.ts
// The types are only taken away (tsconfig allows erasable syntax only); nothing is checked.

import { createHash } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { register } from 'node:module';
import { fileURLToPath } from 'node:url';

// see run-bundle.cjs
const isNeeded = !(Symbol.for('endframe.test.bundle') in globalThis);
// a worker thread needs hooks of its own, but the thread of the hooks has this module, too
const isHooks = import.meta.url.endsWith('?hooks');
if (isNeeded && !isHooks) register(`${import.meta.url}?hooks`);

/** Results, by what they were made of: a test run starts hundreds of processes out of the same files. */
const cache = new URL('../../node_modules/.cache/typescript-loader/', import.meta.url);

/** @type {import('node:module').LoadHook} */
export async function load(url, context, nextLoad) {
  if (!url.startsWith('file:') || !url.endsWith('.ts')) return nextLoad(url, context);
  const file = fileURLToPath(url);
  const source = await readFile(file, 'utf8');
  const cached = new URL(createHash('sha256').update(source).digest('hex'), cache);
  const code = await readFile(cached, 'utf8').catch(async () => {
    const made = await withoutTypes(file, source);
    // without a place to write it goes on as well; renamed, so that no other process reads half of it
    const part = new URL(`${cached}-${process.pid}`);
    await mkdir(cache, { recursive: true })
      .then(() => writeFile(part, made))
      .then(() => rename(part, cached))
      .catch(() => {});
    return made;
  });
  return { format: 'module', source: code, shortCircuit: true };
}

/** @returns {Promise<string>} */
async function withoutTypes(/** @type {string} */ file, /** @type {string} */ source) {
  // vite brings it along, and it starts in a twentieth of the time that the TypeScript compiler takes
  const { transformSync } = await import('rolldown/utils');
  const { code, errors } = transformSync(file, source, { typescript: { onlyRemoveTypeImports: true } });
  if (errors.length > 0) throw new SyntaxError(`${file}: ${errors[0]?.message}`);
  return code;
}
