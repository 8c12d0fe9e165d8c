/**
 * Bundles the programs that tests start in processes of their own, hundreds of times: out of one file instead of four
 * hundred a process starts in a half of the time. run-bundle.cjs runs them.
 */

import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { rolldown } from 'rolldown';

const root = fileURLToPath(new URL('../..', import.meta.url));
const cache = join(root, 'node_modules/.cache/test-programs');
const isProgram = /^(src|test\/(?!livekit-agents)).*-program\.ts$/;
/** Packages of many small files; whatever else is imported by a bare name stays outside. */
const isInside = /^(eventemitter3|jose|rxjs)(\/|$)/;
const isBare = /^[^./]/;
const oldMs = 3_600_000;

/** @returns The folder with the bundles of the sources as they are now. */
export async function bundlePrograms(): Promise<string> {
  const files = (await Promise.all(['src', 'test'].map(sourcesIn))).flat();
  const folder = join(cache, await stateOf([...files, 'package-lock.json']));
  if (existsSync(folder)) return folder;
  await removeOld();
  // another run may be at it as well
  const part = `${folder}-${process.pid}`;
  await bundle(
    files.filter((file) => isProgram.test(file)),
    part,
  );
  await rename(part, folder).catch(() => rm(part, { recursive: true }));
  return folder;
}

async function sourcesIn(folder: string): Promise<string[]> {
  const names = await readdir(join(root, folder), { recursive: true });
  return names
    .filter((name) => name.endsWith('.ts'))
    .map((name) => `${folder}/${name.replaceAll('\\', '/')}`)
    .sort();
}

async function stateOf(files: readonly string[]): Promise<string> {
  // places of files are part of the bundles
  const hash = createHash('sha256').update(root);
  const stats = await Promise.all(files.map((file) => stat(join(root, file))));
  for (const [index, { mtimeMs, size }] of stats.entries())
    hash.update(`${files[index]} ${mtimeMs} ${size}\n`);
  return hash.digest('hex').slice(0, 16);
}

async function removeOld(): Promise<void> {
  await mkdir(cache, { recursive: true });
  for (const name of await readdir(cache)) {
    const { mtimeMs } = await stat(join(cache, name));
    if (Date.now() - mtimeMs > oldMs) await rm(join(cache, name), { recursive: true, force: true });
  }
}

/** Each gets the name of its program, such as `test-support-doomed-bot-program.ts.mjs`. */
async function bundle(programs: readonly string[], dir: string): Promise<void> {
  const bundles = await rolldown({
    input: Object.fromEntries(programs.map((file) => [file.replaceAll('/', '-'), file])),
    cwd: root,
    platform: 'node',
    external: (id) => isBare.test(id) && !isInside.test(id),
    // a module that is only imported for what it does stays
    treeshake: { moduleSideEffects: true },
    plugins: [
      {
        name: 'files are found from where the source is',
        transform: (code, id) =>
          id.endsWith('.ts') && code.includes('import.meta.url')
            ? code.replaceAll('import.meta.url', JSON.stringify(pathToFileURL(id).href))
            : null,
      },
    ],
  });
  await bundles.write({
    dir,
    format: 'esm',
    entryFileNames: '[name].mjs',
    chunkFileNames: '[name]-[hash].mjs',
  });
  await bundles.close();
}
