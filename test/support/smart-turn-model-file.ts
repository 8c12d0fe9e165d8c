/** The model of smart turn: a file that is not shipped, as it is Pipecat's. */

import { execFile } from 'node:child_process';
import { access, mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { testCache } from './install-onnx.ts';

const run = promisify(execFile);
const name = 'smart-turn-v3.2-cpu.onnx';

/** Its path: of SMART_TURN_MODEL, from the cache, or by pip the first time, 12 MB. */
export async function smartTurnModelFile(): Promise<string> {
  const given = process.env.SMART_TURN_MODEL;
  if (given) return given;
  const file = join(testCache, name);
  await access(file).catch(() => fetchTo(file));
  return file;
}

async function fetchTo(file: string): Promise<void> {
  await mkdir(testCache, { recursive: true });
  const fresh = await mkdtemp(join(testCache, 'pipecat-'));
  try {
    const limit = { cwd: fresh, timeout: 2 * 60_000 };
    await run('python3', ['-m', 'pip', 'download', '--no-deps', '--quiet', 'pipecat-ai==1.14.0'], limit);
    const [wheel = ''] = await readdir(fresh);
    await run('python3', ['-m', 'zipfile', '-e', wheel, 'wheel'], limit);
    await rename(join(fresh, 'wheel/pipecat/audio/turn/smart_turn/data', name), file);
  } finally {
    await rm(fresh, { recursive: true, force: true });
  }
}
