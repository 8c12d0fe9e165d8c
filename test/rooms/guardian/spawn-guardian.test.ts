import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { FakeLiveKitServer } from '../../../src/testing/fake-livekit-server.ts';
import { isAlive } from '../../support/is-alive.ts';
import { nodeArgs } from '../../support/run-typescript.ts';
import type { StartReport } from './spawn-guardian-program.ts';

const waiting = { timeout: 90_000, interval: 50 };
const script = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

const undo: (() => unknown)[] = [];
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step();
});

/** A bot of a room on a server, and its guardian's start as it sees it. */
async function setup(options: { node?: string; maxFiles?: number; env?: Record<string, string> } = {}) {
  const server = await FakeLiveKitServer.start({ apiSecret: 'a secret that is in no command line' });
  undo.push(() => server.stop());
  server.createRoom('my-room');
  const { apiKey, apiSecret, httpUrl: apiUrl } = server;
  const node = [process.execPath, ...nodeArgs, script('spawn-guardian-program.ts')];
  const child = spawn('/bin/sh', ['-c', `ulimit -n ${options.maxFiles ?? 256} && exec "$@"`, 'sh', ...node], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    env: {
      ...process.env,
      ...options.env,
      BOT_REST: JSON.stringify({ apiKey, apiSecret, apiUrl }),
      BOT_NODE: options.node,
      BOT_TAKES_ALL_FILES: options.maxFiles === undefined ? '' : 'true',
    },
  });
  undo.push(() => child.kill('SIGKILL'));
  await once(child, 'message');
  return {
    child,
    report: () => ask(child, 'report'),
    free: () => ask(child, 'free'),
    isGone: () => vi.waitFor(() => expect(server.room('my-room')).toBeUndefined(), waiting),
  };
}

async function ask(child: ChildProcess, question: 'report' | 'free'): Promise<StartReport> {
  child.send(question);
  const [report] = await once(child, 'message');
  return report as StartReport;
}

/** Another program by the name of node; `$0` stays what it was called by. */
function fakeNode(text: string): { path: string; file: (name: string) => string } {
  const folder = mkdtempSync(join(tmpdir(), 'endframe-node-'));
  undo.push(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'node');
  writeFileSync(path, `#!/bin/sh\ncd '${folder}'\n${text}\n`);
  chmodSync(path, 0o755);
  return { path, file: (name) => readFileSync(join(folder, name), 'utf8') };
}

describe('a guardian that cannot start', () => {
  it('leaves the loop alone while there is no file descriptor, says EMFILE once, and comes when there is', async () => {
    const { child, report, free, isGone } = await setup({ maxFiles: 64 });
    await vi.waitFor(async () => expect((await report()).turns).toBeGreaterThan(50), waiting);
    const { warnings, armed, cpuShare } = await report();
    expect(warnings).toEqual([expect.stringMatching(/^no guardian can be started.* EMFILE$/)]);
    expect(armed).toBe(false);
    expect(cpuShare).toBeLessThan(0.5);
    await free();
    await vi.waitFor(async () => expect((await report()).armed).toBe(true), waiting);
    expect((await report()).warnings).toHaveLength(1);
    child.kill('SIGKILL');
    await isGone();
  });

  it('is killed and replaced when it hangs in its start, and the bot says so', async () => {
    const node = fakeNode(`
      if [ ! -e first ]; then echo $$ > first; exec sleep 1000; fi
      exec '${process.execPath}' "$@"`);
    const { child, report, isGone } = await setup({ node: node.path });
    await vi.waitFor(async () => expect((await report()).armed).toBe(true), waiting);
    expect((await report()).warnings).toEqual([
      expect.stringMatching(/no guardian.*not ready within 5000 ms$/),
    ]);
    expect(isAlive(Number(node.file('first')))).toBe(false);
    child.kill('SIGKILL');
    await isGone();
  });

  it('says why where Node does not take its arguments', async () => {
    const { report } = await setup({ node: fakeNode('exit 9').path });
    await vi.waitFor(async () => expect((await report()).warnings).toHaveLength(1), waiting);
    expect((await report()).warnings).toEqual([
      expect.stringMatching(/no guardian.*ended with exit code 9$/),
    ]);
  });

  it('ends by itself when it never hears of a room, though its pipe stays open', async () => {
    const clock = 'data:text/javascript,const real=setTimeout;globalThis.setTimeout=(f,ms)=>real(f,ms/1000)';
    const program = script('../../../src/rooms/guardian/main.ts');
    const child = spawn(process.execPath, ['--import', clock, ...nodeArgs, program], {
      stdio: ['ignore', 'ignore', 'inherit', 'pipe'],
    });
    undo.push(() => child.kill('SIGKILL'));
    expect(await once(child, 'exit')).toEqual([1, null]);
  });
});

describe('a guardian', () => {
  it('goes the way to LiveKit that the bot goes, unless a password is part of it', async () => {
    const node = fakeNode(`env > environment; echo "$@" > arguments; exec '${process.execPath}' "$@"`);
    const { report } = await setup({
      node: node.path,
      env: {
        NODE_USE_ENV_PROXY: '0',
        NO_PROXY: '127.0.0.1',
        HTTPS_PROXY: 'http://user:hush@127.0.0.1:9',
        NODE_OPTIONS: '--use-openssl-ca --max-http-header-size=20000',
      },
    });
    await vi.waitFor(async () => expect((await report()).armed).toBe(true), waiting);
    const [given, environment] = [node.file('arguments'), node.file('environment').split('\n')];
    expect(given).toContain('--use-openssl-ca ');
    expect(given).not.toMatch(/header|my-room|secret/);
    expect(environment).toEqual(expect.arrayContaining(['NODE_USE_ENV_PROXY=0', 'NO_PROXY=127.0.0.1']));
    expect(environment.join()).not.toMatch(/HTTPS_PROXY|hush/);
  });
});
