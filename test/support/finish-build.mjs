// The part of the build that the compiler does not do: makes dist work from a bundle of one file.

import { rm, truncate, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';

const dist = new URL('../../dist/', import.meta.url);
await embedGuardian();
await embedSmartTurn();
await bareImportOfNative();

/** Puts the guardian's program, as text, in the place of a module that looks for its file. */
async function embedGuardian() {
  const args = ['--input-type=commonjs', '--eval', await programFrom('rooms/guardian/main.js')];
  await replace(
    'rooms/guardian/program.js',
    `/** Arguments for Node, to be put behind its options: the guardian's program itself. */
export function guardianArgs() {
    return ${JSON.stringify(args)};
}
`,
  );
}

/** The same for the worker thread of smart turn. */
async function embedSmartTurn() {
  const script = await programFrom('conversation/turns/smart-turn-worker.js');
  await replace(
    'conversation/turns/smart-turn-script.js',
    `/** The program itself, which runs without the options of this process. */
export function smartTurnScript() {
    return { script: ${JSON.stringify(script)}, options: { eval: true, execArgv: [] } };
}
`,
  );
}

/**
 * @param {string} file With all that it imports, as text for a CommonJS `--eval`.
 * @returns {Promise<string>}
 */
async function programFrom(file) {
  const bundle = await rolldown({
    input: fileURLToPath(new URL(file, dist)),
    platform: 'node',
    onLog: (_level, log) => {
      throw new Error(log.message);
    },
  });
  const { output } = await bundle.generate({ format: 'cjs', minify: true, codeSplitting: false });
  await bundle.close();
  const [{ code, imports, dynamicImports }, ...others] = output;
  const foreign = [...imports, ...dynamicImports].filter((name) => !name.startsWith('node:'));
  if (others.length > 0 || foreign.length > 0) throw new Error(`${file} needs more than Node: ${foreign}`);
  // in a function: what `--eval` runs has its names in common with everything global
  return `(()=>{"use strict";${code.trim()}})()`;
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
