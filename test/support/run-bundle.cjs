// Runs the bundle of a program in its place, where there is one: see bundle-programs.ts.

const { existsSync } = require('node:fs');
const Module = require('node:module');
const { join, relative, resolve, sep } = require('node:path');
const { pathToFileURL } = require('node:url');

const folder = process.env.ENDFRAME_TEST_BUNDLES;
const [, program = ''] = process.argv;
// what a test has imported in front of a program would not be: only the loader may be left out
const options = [...process.execArgv, ...(process.env.NODE_OPTIONS ?? '').split(' ')];
const isAlone = options.filter((option) => option.startsWith('--import')).length <= 1;
if (folder !== undefined && isAlone && program.endsWith('.ts')) {
  const name = relative(resolve(__dirname, '../..'), program).replaceAll(sep, '-');
  const bundle = join(folder, `${name}.mjs`);
  if (existsSync(bundle)) {
    // the loader that comes after this one has nothing to do
    globalThis[Symbol.for('endframe.test.bundle')] = true;
    Module.runMain = () => void import(pathToFileURL(bundle).href);
  }
}
