/**
 * The TypeScript in the documentation compiles and runs: against the sources' build, in a folder in which
 * endframe is installed.
 *
 * A block without a mark is a program that runs by itself, with a FakeLiveKitServer in its environment. The rooms
 * that it names are gone afterwards, and what it prints is what its `// prints:` says.
 * ` ```ts server ` is a whole bot: it needs a real server, and somebody who calls it by the
 * link that it prints, or it would wait for ever.
 * ` ```ts test ` is a test: part of a test file, and compiled and run as that.
 */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { FakeLiveKitServer } from '../../src/testing/fake-livekit-server.ts';
import { type LiveKitServer, startLiveKitServer } from '../../src/testing/start-livekit-server.ts';
import { spawnCaller } from '../support/caller.ts';
import { describeWith } from '../support/requirements.ts';
import { listRooms } from '../support/room-service.ts';
import { type CodeBlock, type CompiledBlocks, codeBlocks, compileBlocks } from './code-blocks.ts';
import { documents } from './documents.ts';

// programs start as fast as the machine lets them; nothing here is about time
vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 });
const patience = { timeout: 120_000 };
const describeWithServer = await describeWith('livekit-server', '@livekit/rtc-node');

const blocks = documents.flatMap(codeBlocks);
const withMark = (mark: string) => blocks.filter((block) => block.mark === mark);
/** Shows that errors are found, and where. */
const broken: CodeBlock = {
  place: 'broken.md:10',
  line: 10,
  mark: '',
  code: "import { EndFrame } from 'endframe';\nnew EndFrame(42);\n",
};

interface Server {
  readonly url: string;
  readonly apiKey: string;
  readonly apiSecret: string;
}

let compiled: CompiledBlocks;
beforeAll(async () => {
  compiled = await compileBlocks([...withMark(''), ...withMark('server'), broken]);
});
afterAll(() => compiled[Symbol.asyncDispose]());

/** Runs a program of the folder; a bot's address is replaced by the server's. */
async function run(block: CodeBlock, { url, apiKey, apiSecret }: Server, onLine?: (line: string) => void) {
  const program = compiled.programOf(block);
  writeFileSync(program, readFileSync(program, 'utf8').replaceAll('ws://localhost:7880', url));
  const child = spawn(process.execPath, [program], {
    cwd: compiled.folder,
    env: { ...process.env, LIVEKIT_URL: url, LIVEKIT_API_KEY: apiKey, LIVEKIT_API_SECRET: apiSecret },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const lines: string[] = [];
  createInterface(child.stdout).on('line', (line) => {
    lines.push(line);
    onLine?.(line);
  });
  const [errors, [code]] = await Promise.all([text(child.stderr), once(child, 'close')]);
  return { printed: lines.join(', '), errors, code };
}

describe('the TypeScript in the documentation', () => {
  it('is found', () => {
    expect(withMark('').length).toBeGreaterThan(3);
    expect(withMark('server').length).toBeGreaterThan(0);
  });

  it('has no marks but those that are known here', () => {
    expect(blocks.filter(({ mark }) => !['', 'server', 'test'].includes(mark))).toEqual([]);
  });

  it('compiles, and an error would be found', () => {
    expect(compiled.errors).toEqual([expect.stringMatching(/^broken\.md:11 TS2345 /)]);
  });

  it.each(withMark(''))('runs, at $place', async (block) => {
    await using server = await FakeLiveKitServer.start();
    const named = [...block.code.matchAll(/roomName: '(.+?)'/g)].map(([, name = '']) => name);
    for (const name of ['call', ...named]) server.createRoom(name);

    const { printed, errors, code } = await run(block, server);

    expect({ errors, code }).toEqual({ errors: '', code: 0 });
    expect(printed).toBe(/^\/\/ prints: (.+)$/m.exec(block.code)?.[1] ?? '');
    const needsRoom = /endframe\/livekit/.test(block.code);
    expect(server.rooms.map(({ name }) => name)).toEqual(needsRoom ? [] : ['call']);
  });

  it.each(withMark('test'))('is part of a test file, at $place', ({ code }) => {
    const file = new URL('my-bot-always-hangs-up.test.ts', import.meta.url);
    expect(readFileSync(file, 'utf8')).toContain(code);
  });

  it('has a row for each example', () => {
    const examples = new URL('../../examples/', import.meta.url);
    const rows = readFileSync(new URL('README.md', examples), 'utf8').matchAll(/^\| \[(.+?)\]\(\1\)/gm);
    const files = readdirSync(examples).filter((name) => name.endsWith('.ts'));
    expect([...rows].map(([, name]) => name)).toEqual(files.sort());
  });
});

describeWithServer('the bots in the documentation', () => {
  let server: LiveKitServer;
  beforeAll(async () => {
    // of its own: which room a bot has made is found out by looking at all of them
    server = await startLiveKitServer({ config: {} });
  });
  afterAll(() => server.stop());

  it.each(withMark('server'))('have a call, and their room is gone, at $place', async (block) => {
    const printed: string[] = [];
    const bot = run(block, server, (line) => printed.push(line));
    // the link that a bot prints is all that its caller needs
    const token = await vi.waitFor(() => {
      const [link] = printed.join('\n').match(/https:\S+/) ?? [];
      const query = new URL(link ?? '').searchParams;
      expect(query.get('liveKitUrl')).toBe(server.url);
      return query.get('token') ?? '';
    }, patience);
    const roomName = await vi.waitFor(async () => {
      const [room] = await listRooms(server);
      if (room === undefined) throw new Error('the bot has not joined');
      return room.name;
    }, patience);
    await using caller = spawnCaller({ url: server.url, token });
    await caller.waitFor('trackSubscribed', { timeoutMs: 120_000 });
    expect(await listRooms(server, roomName)).toHaveLength(1);
    // the server may be 3 s late in telling of somebody who says nothing
    await caller.playTone(440, 500);
    await caller.leave();

    expect(await bot).toMatchObject({ code: 0 });
    expect(await listRooms(server)).toEqual([]);
  });
});
