// The part of the build that the compiler does not do: makes dist work from a bundle of one file.

import { rm, truncate, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';

const dist = new URL('../../dist/', import.meta.url);
await embedGuardian();
await bareImportOfNative();

/** Puts the guardian's program, as text, in the place of a module that looks for its file. */
async function embedGuardian() {
  const bundle = await rolldown({
    input: fileURLToPath(new URL('rooms/guardian/main.js', dist)),
    platform: 'node',
    onLog: (_level, log) => {
      throw new Error(log.message);
    },
  });
  const { output } = await bundle.generate({ format: 'cjs', minify: true, codeSplitting: false });
  await bundle.close();
  const [{ code, imports, dynamicImports }, ...others] = output;
  const foreign = [...imports, ...dynamicImports].filter((name) => !name.startsWith('node:'));
  if (others.length > 0 || foreign.length > 0)
    throw new Error(`the guardian needs more than Node: ${foreign}`);

  // in a function: what `--eval` runs has its names in common with everything global
  const program = `(()=>{"use strict";${code.trim()}})()`;
  const args = ['--input-type=commonjs', '--eval', program];
  await replace(
    'rooms/guardian/program.js',
    `/** Arguments for Node, to be put behind its options: the guardian's program itself. */
export function guardianArgs() {
    return ${JSON.stringify(args)};
}
`,
  );
}

/** Without the compiler's rewriting of relative paths, behind which bundlers do not see what they are to ignore. */
async function bareImportOfNative() {
  await replace(
    'lib/import-native.js',
    `export function importNative(name) {
    return import(/* webpackIgnore: true */ /* @vite-ignore */ name);
}
`,
  );
}

/** @param {string} file @param {string} text */
async function replace(file, text) {
  // only what the compiler has written
  await writeFile(new URL(file, dist), text, { flag: 'r+' });
  await truncate(new URL(file, dist), Buffer.byteLength(text));
  await rm(new URL(`${file}.map`, dist), { force: true });
}
