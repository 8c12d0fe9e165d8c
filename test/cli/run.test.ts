import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { FakeLiveKitServer } from '../../src/testing/fake-livekit-server.ts';
import { promised } from '../support/promised.ts';
import { nodeArgs } from '../support/run-typescript.ts';

const main = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));
const bot = fileURLToPath(new URL('./crashing-bot-program.ts', import.meta.url));
const runArgs = [process.execPath, ...nodeArgs, main, 'run'];
const namespace = ['unshare', '--pid', '--fork', '--mount-proc', '--kill-child'];
const hasNamespaces = spawnSync(namespace[0] ?? '', [...namespace.slice(1), 'true']).status === 0;

function start([command = '', ...args]: readonly string[], env: NodeJS.ProcessEnv = {}) {
  const child: ChildProcess = spawn(command, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
  });
  const exited = once(child, 'exit').then(([code, signal]) => ({ code, signal, atMs: performance.now() }));
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  }
  const prints = (text: string) => vi.waitFor(() => expect(output).toContain(text), { timeout: 90_000 });
  return { child, exited, prints };
}

const node = (script: string) => [...runArgs, process.execPath, '-e', script];

describe.concurrent('endframe run', () => {
  it('ends with 0, a second after a bot that has ended so', async () => {
    const { exited, prints } = start(node('console.log("ending", process.argv[1])').concat('argument'));
    await prints('ending argument');
    const endingAtMs = performance.now();
    const { code, atMs } = await exited;
    expect(code).toBe(0);
    expect(atMs - endingAtMs).toBeGreaterThan(900);
    expect(atMs - endingAtMs).toBeLessThan(promised(4_000));
  });

  it('ends with the code of the bot, seconds after it', async () => {
    const { exited, prints } = start(node('console.log("ending"); process.exitCode = 3'));
    await prints('ending');
    const endingAtMs = performance.now();
    const { code, atMs } = await exited;
    expect(code).toBe(3);
    expect(atMs - endingAtMs).toBeGreaterThan(4_900);
  });

  it.each([
    ['SIGTERM', 0],
    ['SIGINT', 0],
    ['SIGHUP', 0],
  ] as const)('hands %s to the bot', async (signal, code) => {
    const script = `process.on("${signal}", () => process.exit(0)); console.log("ready"); setInterval(() => {}, 1e6)`;
    const { child, exited, prints } = start(node(script));
    await prints('ready');
    child.kill(signal);
    expect(await exited).toMatchObject({ code, signal: null });
  });

  it('ends with 128 and the number of the signal that killed the bot', async () => {
    expect(await start(node('process.kill(process.pid, "SIGKILL")')).exited).toMatchObject({ code: 137 });
  });

  it('takes the command after --, as others do', async () => {
    const { exited } = start([...runArgs, '--', process.execPath, '-e', '0']);
    expect((await exited).code).toBe(0);
  });

  it('ends with 127 when there is no such command', async () => {
    expect(await start([...runArgs, 'no-such-command']).exited).toMatchObject({ code: 127 });
  });
});

describe.skipIf(!hasNamespaces)('a bot that dies in a container', () => {
  let server: FakeLiveKitServer;
  beforeEach(async () => {
    server = await FakeLiveKitServer.start();
    server.createRoom('call');
    server.createRoom('call-2');
  });
  afterEach(() => server.stop());

  const die = (how: 'abort' | 'exit', ...before: readonly string[]) =>
    start([...namespace, ...before, process.execPath, ...nodeArgs, bot, server.httpUrl, 'call', how], {
      BOT_KEY: server.apiKey,
      BOT_SECRET: server.apiSecret,
    });

  it('leaves its room when it is process 1', async () => {
    await die('abort').exited;
    expect(server.rooms.map(({ name }) => name)).toEqual(['call', 'call-2']);
  });

  it.each([
    ['a crash', 'abort', 134],
    ['process.exit(0)', 'exit', 0],
  ] as const)('leaves no room under endframe run: %s', async (_, how, code) => {
    const { exited } = die(how, ...runArgs);
    await vi.waitFor(() => expect(server.rooms.map(({ name }) => name)).toEqual(['call-2']), {
      timeout: 90_000,
    });
    expect(await exited).toMatchObject({ code });
  });
});
