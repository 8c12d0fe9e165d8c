/** Finds or builds the `livekit-server` program. */

import { constants } from 'node:fs';
import { access, mkdir, mkdtemp, readdir, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { errorMessage, MissingDependencyError } from '../lib/errors.ts';
import { writeOrDrop } from '../lib/logger.ts';
import { startSupervised } from './supervised-process.ts';

/** The version that is built where none is installed: the newest that `go install` can build. */
export const liveKitServerVersion = 'v1.13.5';

const suffix = process.platform === 'win32' ? '.exe' : '';
const progressEveryMs = 3_000;
const lockStaleMs = 15_000;
const buildLimitMs = 15 * 60_000;

const threeWays = `There are three ways to get one: set LIVEKIT_URL, LIVEKIT_API_KEY and LIVEKIT_API_SECRET to use a running server; install livekit-server so that it is on PATH (https://docs.livekit.io/home/self-hosting/local/); or install Go (https://go.dev/dl/), with which ${liveKitServerVersion} is built once.`;

/** Options of the lookup. */
export interface LiveKitServerProgramOptions {
  /** Exactly this one, such as `v1.9.11`, and none on PATH. Default: any on PATH, else {@link liveKitServerVersion}. */
  readonly version?: string | undefined;
  /** Called with a line every few seconds during a build. Default: printed to stderr. */
  readonly onProgress?: (message: string) => void;
}

/** The default of every `onProgress`. */
export function printProgress(message: string): void {
  writeOrDrop(process.stderr, `endframe: ${message}\n`);
}

/** A version of the server that is to be built. */
interface Build {
  readonly version: string;
  /** Path of Go. */
  readonly go: string;
  readonly folder: string;
  readonly program: string;
  readonly onProgress: (message: string) => void;
}

/**
 * The path of a `livekit-server`: from PATH, else built with Go and kept in the user's cache folder.
 *
 * Concurrent processes share one build.
 *
 * @throws {MissingDependencyError} There is none, and no Go to build it, or the build failed.
 */
export async function liveKitServerProgram({
  version: wanted,
  onProgress = printProgress,
}: LiveKitServerProgramOptions = {}): Promise<string> {
  const installed = wanted === undefined ? await findOnPath('livekit-server') : undefined;
  if (installed !== undefined) return installed;
  const version = wanted ?? liveKitServerVersion;
  const folder = cacheFolder(version);
  const program = join(folder, `livekit-server${suffix}`);
  if (await isExecutable(program)) return program;
  const go = await findOnPath('go');
  if (go === undefined) throw new MissingDependencyError('livekit-server', threeWays);
  try {
    await mkdir(folder, { recursive: true });
    await buildOnce({ version, go, folder, program, onProgress });
  } catch (error) {
    const reason = errorMessage(error);
    throw new MissingDependencyError(
      'livekit-server',
      `Building it with Go failed: ${reason}\n${threeWays}`,
      { cause: error },
    );
  }
  return program;
}

function cacheFolder(version: string): string {
  const base = process.env.XDG_CACHE_HOME || join(homedir(), '.cache');
  return join(base, 'endframe', `livekit-server-${version}`);
}

async function findOnPath(name: string): Promise<string | undefined> {
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    const file = join(folder, name + suffix);
    if (folder !== '' && (await isExecutable(file))) return file;
  }
  return undefined;
}

async function isExecutable(file: string): Promise<boolean> {
  try {
    await access(file, constants.X_OK);
    return (await stat(file)).isFile();
  } catch {
    return false;
  }
}

/** One process builds and keeps its lock file fresh; the others wait for the program to appear. */
async function buildOnce(wanted: Build): Promise<void> {
  const { version, folder, program, onProgress } = wanted;
  const lock = join(folder, 'lock');
  const begun = Date.now();
  let lastMessage = 0;
  while (!(await isExecutable(program))) {
    if (await take(lock)) {
      try {
        // another process may have finished between the check and the lock
        if (!(await isExecutable(program))) await build(wanted, lock);
      } finally {
        await rm(lock, { force: true });
      }
      return;
    }
    if (Date.now() - lastMessage >= progressEveryMs) {
      lastMessage = Date.now();
      onProgress(`another process is building livekit-server ${version}, ${secondsSince(begun)} s`);
    }
    await sleep(250);
  }
}

/** True when this process holds the lock; removes the lock of a process that died. */
async function take(lock: string): Promise<boolean> {
  try {
    await writeFile(lock, String(process.pid), { flag: 'wx' });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  const age = await stat(lock).then(
    ({ mtimeMs }) => Date.now() - mtimeMs,
    () => 0,
  );
  if (age > lockStaleMs) await rm(lock, { force: true });
  return false;
}

/** Builds into a temporary folder and moves the result, so that no partial program is visible. */
async function build({ version, go, folder, program, onProgress }: Build, lock: string): Promise<void> {
  for (const name of await readdir(folder)) {
    if (name.startsWith('build-')) await rm(join(folder, name), { recursive: true, force: true });
  }
  const target = await mkdtemp(join(folder, 'build-'));
  const begun = Date.now();
  let last = '';
  const report = (): void => {
    onProgress(`building livekit-server ${version} with Go, once, ${secondsSince(begun)} s${last}`);
    void utimes(lock, new Date(), new Date()).catch(() => {});
  };
  const timer = setInterval(report, progressEveryMs);
  try {
    report();
    const module = `github.com/livekit/livekit-server/cmd/server@${version}`;
    const compiler = await startSupervised(go, ['install', '-v', module], {
      env: { ...process.env, GOBIN: target },
      cwd: target,
      onLine: (line) => {
        last = `, ${line}`;
      },
    });
    const limit = setTimeout(() => void compiler.kill(), buildLimitMs);
    const { code, tail } = await compiler.exited;
    clearTimeout(limit);
    if (code !== 0) throw new Error(tail || `go install ended with ${code ?? 'a signal'}`);
    await rename(join(target, `server${suffix}`), program);
    onProgress(`livekit-server ${version} is built, ${secondsSince(begun)} s`);
  } finally {
    clearInterval(timer);
    await rm(target, { recursive: true, force: true });
  }
}

function secondsSince(then: number): number {
  return Math.round((Date.now() - then) / 1_000);
}
