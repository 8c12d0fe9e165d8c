import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterEach, expect, it, describe as plainDescribe, vi } from 'vitest';
import { InvalidOptionError } from '../../src/lib/errors.ts';
import {
  type LiveKitServer,
  type StartLiveKitServerOptions,
  startLiveKitServer,
} from '../../src/testing/start-livekit-server.ts';
import { diesWithin, isAlive } from '../support/is-alive.ts';
import { describeWith } from '../support/requirements.ts';
import { listRooms, roomService } from '../support/room-service.ts';
import { spawnScript } from '../support/run-typescript.ts';

const describe = await describeWith('livekit-server');

afterEach(() => void vi.unstubAllEnvs());

describe('startLiveKitServer', () => {
  const started: LiveKitServer[] = [];
  afterEach(async () => {
    await Promise.all(started.splice(0).map((server) => server.stop()));
  });

  /** Never the server that the environment names: these tests are about starting one. */
  async function start({ config = {}, ...options }: StartLiveKitServerOptions = {}): Promise<LiveKitServer> {
    const server = await startLiveKitServer({ config, ...options });
    started.push(server);
    return server;
  }

  it('answers with its own keys on its own port', async () => {
    const server = await start();
    expect(await listRooms(server)).toEqual([]);
    expect(server.url.replace('ws:', 'http:')).toBe(server.httpUrl);
    expect(server.apiSecret.length).toBeGreaterThanOrEqual(32);
    expect(server.external).toBe(false);
  });

  it('runs several side by side', async () => {
    const [one, two] = await Promise.all([start(), start()]);
    await roomService(one).createRoom({ name: 'only here' });
    expect(await listRooms(one)).toHaveLength(1);
    expect(await listRooms(two)).toEqual([]);
  });

  it('takes settings, and can come back on the same port with the same keys', async () => {
    const first = await start();
    await first.stop();
    const config = {
      port: Number(new URL(first.httpUrl).port),
      keys: { [first.apiKey]: first.apiSecret },
      room: { auto_create: false },
    };
    const second = await start({ config });
    expect(second.httpUrl).toBe(first.httpUrl);
    expect(await listRooms(first)).toEqual([]);
  });

  it('says what the server printed when it does not start', async () => {
    await expect(start({ config: { no_such_setting: 1 } })).rejects.toThrow(/no_such_setting/);
  });

  it('keeps the secret out of the command line', async () => {
    const { apiSecret, pid } = await start();
    const { execFileSync } = await import('node:child_process');
    const commands = execFileSync('ps', ['-e', '-o', 'pid,args'], { encoding: 'utf8' });
    expect(commands).toContain(String(pid));
    expect(commands).not.toContain(apiSecret);
  });

  it('is gone after stop, however often that is called', async () => {
    const server = await start();
    await Promise.all([server.stop(), server.stop(), server[Symbol.asyncDispose]()]);
    expect(isAlive(server.pid ?? 0)).toBe(false);
    await server.stop();
  });

  it('stops also when it is frozen', async () => {
    const server = await start();
    process.kill(server.pid ?? 0, 'SIGSTOP');
    await server.stop();
    expect(isAlive(server.pid ?? 0)).toBe(false);
  });
});

describe('the process that started a LiveKit server', () => {
  const pids: number[] = [];
  afterEach(() => {
    for (const pid of pids.splice(0)) if (isAlive(pid)) process.kill(pid, 'SIGKILL');
  });

  /** A process that starts a server, says its pid, and then does as told. */
  async function starter(
    then: 'stays' | 'ends',
  ): Promise<{ serverPid: number; starter: ReturnType<typeof spawnScript> }> {
    const script = fileURLToPath(new URL('./server-starter.ts', import.meta.url));
    const child = spawnScript(script, [then], { stdio: ['ignore', 'pipe', 'inherit'] });
    if (child.stdout === null) throw new Error('no output');
    const [line] = await once(createInterface({ input: child.stdout }), 'line');
    if (child.pid !== undefined) pids.push(child.pid);
    pids.push(Number(line));
    return { serverPid: Number(line), starter: child };
  }

  it.each(['SIGKILL', 'SIGTERM', 'SIGINT'] as const)('takes it along when it gets %s', async (signal) => {
    const { serverPid, starter: child } = await starter('stays');
    expect(isAlive(serverPid)).toBe(true);
    child.kill(signal);
    expect(await diesWithin(serverPid, 2_000)).toBe(true);
  });

  it('is not kept alive by it', async () => {
    const { serverPid, starter: child } = await starter('ends');
    expect((await once(child, 'exit'))[0]).toBe(0);
    expect(await diesWithin(serverPid, 2_000)).toBe(true);
  });
});

plainDescribe('startLiveKitServer with LIVEKIT_URL', () => {
  function environment(url: string, key: string, secret: string): void {
    vi.stubEnv('LIVEKIT_URL', url);
    vi.stubEnv('LIVEKIT_API_KEY', key);
    vi.stubEnv('LIVEKIT_API_SECRET', secret);
  }

  it.each([
    ['wss://example.invalid/', 'wss://example.invalid', 'https://example.invalid'],
    ['http://127.0.0.1:7880', 'ws://127.0.0.1:7880', 'http://127.0.0.1:7880'],
  ])('uses the server at %s', async (given, url, httpUrl) => {
    environment(given, 'key', 'secret');
    const server = await startLiveKitServer();
    expect(server).toMatchObject({ url, httpUrl, apiKey: 'key', apiSecret: 'secret', external: true });
    expect(server.pid).toBeUndefined();
    await server.stop();
  });

  it.each([
    ['', 'secret', 'LIVEKIT_API_KEY'],
    ['key', '', 'LIVEKIT_API_SECRET'],
  ])('refuses a missing key or secret (%j, %j)', async (key, secret, option) => {
    environment('ws://127.0.0.1:7880', key, secret);
    await expect(startLiveKitServer()).rejects.toThrow(InvalidOptionError);
    await expect(startLiveKitServer()).rejects.toThrow(option);
  });
});
