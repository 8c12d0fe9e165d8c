// Runs the bundle of a program in its place, where there is one: see bundle-programs.ts.

const { existsSync } = require('node:fs');
const Module = require('node:module');
const { join, relative, resolve, sep } = require('node:path');
const { pathToFileURL } = require('node:url');

const folder = process.env.ENDFRAME_TEST_BUNDLES;
const [, program = ''] = process.argv;
if (folder !== undefined && program.endsWith('.ts')) {
  const name = relative(resolve(__dirname, '../..'), program).replaceAll(sep, '-');
  const bundle = join(folder, `${name}.mjs`);
  if (existsSync(bundle)) {
    // the loader that comes after this one has nothing to do
    globalThis[Symbol.for('endframe.test.bundle')] = true;
    Module.runMain = () => void import(pathToFileURL(bundle).href);
  }
}
