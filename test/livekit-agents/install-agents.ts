/** Installations of `@livekit/agents`, each in a folder of its own: its rtc-node is another than ours. */

import { execFile } from 'node:child_process';
import { access, mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** The first version of the supported range that is to be had. */
export const oldestAgents = '1.4.4';
/** What the newest was when this was written; tests that must not change by themselves use it. */
export const knownAgents = '1.9.0';

/** The newest version that is to be had, or the newest known one without a network. */
export async function newestAgents(): Promise<string> {
  try {
    const { stdout } = await run('npm', ['view', '@livekit/agents', 'version'], { timeout: 90_000 });
    return stdout.trim() || knownAgents;
  } catch {
    return knownAgents;
  }
}

/** The folder of an installation; made at the first call, kept in the user's cache. */
export async function installAgents(version: string): Promise<string> {
  const cache = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'endframe');
  const folder = join(cache, `agents-${version}`);
  if (await exists(join(folder, 'node_modules/@livekit/agents'))) return folder;
  process.stderr.write(`endframe: installing @livekit/agents ${version} for the tests, about 300 MB\n`);
  await mkdir(cache, { recursive: true });
  const fresh = await mkdtemp(`${folder}-`);
  await writeFile(join(fresh, 'package.json'), '{ "private": true }');
  const packages = [`@livekit/agents@${version}`, '@livekit/rtc-node@^0.13.34', 'zod@^4.1.8'];
  const flags = ['--no-audit', '--no-fund', '--prefer-offline', '--ignore-scripts'];
  await run('npm', ['install', ...flags, ...packages], { cwd: fresh, timeout: 10 * 60_000 });
  // another process may have been faster
  await rename(fresh, folder).catch(() => rm(fresh, { recursive: true, force: true }));
  return folder;
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
