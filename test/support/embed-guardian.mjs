// Part of the build: puts the guardian's program, as text, in the place of dist/rooms/guardian-args.js. From then on
// nothing needs to know where its files are, so that it works from a bundle too.

import { rm, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';

const rooms = new URL('../../dist/rooms/', import.meta.url);
const bundle = await rolldown({
  input: fileURLToPath(new URL('guardian-program.js', rooms)),
  platform: 'node',
  onLog: (_level, log) => {
    throw new Error(log.message);
  },
});
const { output } = await bundle.generate({ format: 'cjs', minify: true, codeSplitting: false });
await bundle.close();
const [{ code, imports, dynamicImports }, ...others] = output;
const foreign = [...imports, ...dynamicImports].filter((name) => !name.startsWith('node:'));
if (others.length > 0 || foreign.length > 0) throw new Error(`the guardian needs more than Node: ${foreign}`);

// in a function: what `--eval` runs has its names in common with everything global
const program = `(()=>{"use strict";${code.trim()}})()`;
const args = ['--input-type=commonjs', '--eval', program];
await writeFile(
  new URL('guardian-args.js', rooms),
  `/** Arguments for Node, to be put behind its options: the guardian's program itself. */
export function guardianArgs() {
    return ${JSON.stringify(args)};
}
`,
);
await rm(new URL('guardian-args.js.map', rooms), { force: true });
