/** faults.md 1.1: a deletion over a bad network, against the real server; one test per row, named after it. */

import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { pipeline } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest';
import { InvalidOptionError } from '../../src/lib/errors.ts';
import { silentLogger } from '../../src/lib/logger.ts';
import {
  LiveKitRESTHelper,
  type LiveKitRESTHelperOptions,
} from '../../src/rooms/rest/livekit-rest-helper.ts';
import { RoomDeleter } from '../../src/rooms/room-deleter.ts';
import { type LiveKitServer, startLiveKitServer } from '../../src/testing/start-livekit-server.ts';
import {
  type Answer,
  answers,
  endlessBody,
  neverAnswers,
  resetsInTheBody,
  serve,
  speaksNoHttp,
  stallsInTheBody,
} from '../rooms/rest/misbehaving-server.ts';
import { killBots, startBot } from '../support/doomed-bot.ts';
import { promised } from '../support/promised.ts';
import { describeWith } from '../support/requirements.ts';
import { listRooms, roomExists, roomService } from '../support/room-service.ts';
import { nodeArgs } from '../support/run-typescript.ts';
import { sharedLiveKit } from '../support/shared-services.ts';
import { now } from '../support/talking-bot.ts';
import { startTcpProxy, type TcpProxy, type Toxics } from '../support/tcp-proxy.ts';

const describe = await describeWith('livekit-server');
const page = answers(200, '<!doctype html><title>Sign in</title>');

describe('a deletion', () => {
  let server: LiveKitServer;
  let proxy: TcpProxy;
  let rooms = 0;
  const bystanders: string[] = [];
  const proxies: AsyncDisposable[] = [];

  beforeAll(async () => {
    server = await sharedLiveKit();
  });
  afterEach(async () => {
    vi.useRealTimers();
    await killBots();
    await Promise.all(proxies.splice(0).map((one) => one[Symbol.asyncDispose]()));
    // in every row: nothing else was deleted
    const left = (await listRooms(server, ...bystanders)).map(({ name }) => name);
    expect(left.sort()).toEqual([...bystanders].sort());
  });

  interface Setup extends Partial<LiveKitRESTHelperOptions> {
    readonly name?: string;
    readonly deadlineMs?: number;
  }

  /** A room, one beside it with a name alike, and a deleter for the first. */
  async function setup({ name, deadlineMs = 15_000, ...rest }: Setup = {}) {
    const roomName = name ?? `rest-${process.pid}-${rooms++}`;
    const bystander = `${roomName.slice(0, 100)}-2`;
    bystanders.push(bystander);
    for (const one of [roomName, bystander])
      await roomService(server).createRoom({ name: one, emptyTimeout: 600 });
    const { apiKey, apiSecret, httpUrl: apiUrl } = server;
    const helper = new LiveKitRESTHelper({ apiKey, apiSecret, apiUrl, attemptTimeoutMs: 2_000, ...rest });
    const error = vi.fn();
    const logger = { ...silentLogger, error };
    const deleter = new RoomDeleter({ roomName, rest: helper, deadlineMs, logger, verify: false });
    return { roomName, deleter, loggedErrors: error, exists: () => roomExists(server, roomName) };
  }

  async function poisoned(toxics: Partial<Toxics>) {
    proxy = await startTcpProxy(server.httpUrl);
    proxies.push(proxy);
    await proxy.poison(toxics);
    return setup({ apiUrl: proxy.url, attemptTimeoutMs: 500 });
  }

  /** The real server, once the given answers are used up. */
  async function behind(
    answer: readonly Answer[],
    { path = '', ...options }: Setup & { path?: string } = {},
  ) {
    const timesMs: number[] = [];
    const forwards: Answer = async (response, { url, headers, body }) => {
      const { authorization = '' } = headers;
      const type = { authorization, 'content-type': 'application/json' };
      const real = await fetch(`${server.httpUrl}${url?.replace(path, '')}`, {
        method: 'POST',
        headers: type,
        body,
      });
      response.writeHead(real.status, { 'content-type': 'application/json' }).end(await real.text());
    };
    const noted = [...answer, forwards].map<Answer>((one) => (response, request) => {
      timesMs.push(performance.now());
      one(response, request);
    });
    const { url, requests } = await serve(...noted);
    return { ...(await setup({ apiUrl: `${url}${path}`, ...options })), requests, timesMs };
  }

  it('row 1: connection refused, then up', async () => {
    const { deleter, exists } = await poisoned({ down: true });
    setTimeout(() => void proxy.heal(), 1_500);
    const outcome = await deleter.deleteRoom('end');
    expect(outcome).toMatchObject({ status: 'deleted' });
    expect(outcome.attempts).toBeGreaterThan(1);
    expect(await exists()).toBe(false);
  });

  it('row 2: DNS failure for good, with a guardian and without', async () => {
    const roomNames = ['guarded', 'unguarded'].map((name) => `rest-${process.pid}-${name}`);
    bystanders.push(...roomNames);
    for (const name of roomNames) await roomService(server).createRoom({ name, emptyTimeout: 600 });
    const ends = roomNames.map(async (roomName, index) => {
      await using bot = await startBot({
        server,
        apiUrl: 'http://livekit.invalid',
        roomName,
        guardian: index === 0,
      });
      const guardian = index === 0 ? await bot.guardianPid() : undefined;
      const endedAt = now();
      bot.end();
      const { outcome } = await bot.waitFor('outcome');
      expect(await bot.exited).toEqual({ code: 3, signal: null });
      expect(bot.endedAt - endedAt).toBeLessThan(promised(7_000 + 1_500));
      // it would go on trying for ten minutes
      if (guardian !== undefined) process.kill(guardian, 'SIGKILL');
      return outcome;
    });
    const [guarded, unguarded] = await Promise.all(ends);
    expect(guarded).toMatchObject({ status: 'handed-over' });
    expect(unguarded).toMatchObject({ status: 'failed' });
    // a slow answer of the resolver is cut off by the limit of an attempt
    expect(['network', 'timeout']).toContain(unguarded?.error?.kind);
  });

  it.each([
    ['row 3: reply lost', { blackHole: 'down' }, false],
    ['row 3: reply reset', { reset: 'down' }, false],
    ['row 4: request lost', { blackHole: 'up' }, true],
    ['row 4: request reset', { reset: 'up' }, true],
    ['row 5: reply cut short', { limitBytes: 60 }, false],
  ] as const)('%s', async (_, toxics, stillThere) => {
    const { deleter, exists } = await poisoned(toxics);
    const struck = proxy.struck();
    const deletion = deleter.deleteRoom('end');
    await struck;
    expect(await exists()).toBe(stillThere);
    await proxy.heal();
    const outcome = await deletion;
    expect(outcome).toMatchObject({ status: 'deleted' });
    expect(outcome.attempts).toBeGreaterThan(1);
    expect(await exists()).toBe(false);
  });

  it.each([
    ['row 5: reset in mid body', [resetsInTheBody()]],
    ['row 6: headers, then nothing', [stallsInTheBody]],
    ['row 6: no headers', [neverAnswers]],
    ['row 7: 5xx twice', [answers(503), answers(500)]],
    ['row 13: 200 of a captive portal', [page]],
    ['row 13: 200 of a health page', [answers(200, 'OK')]],
    ['row 13: 200 and nothing', [answers(200)]],
    ['row 15: endless body', [endlessBody()]],
    ['row 16: no HTTP', [speaksNoHttp]],
    ['row 16: broken JSON', [answers(200, '{"cut":')]],
    ['row 16: no UTF-8', [answers(200, Buffer.from('{"\xff":1}', 'latin1'))]],
    ['row 16: headers beyond all measure', [answers(200, '{}', { 'X-Long': 'x'.repeat(100_000) })]],
  ] as const)('%s, then ok', async (_, answer) => {
    const { deleter, exists, requests } = await behind(answer, { attemptTimeoutMs: 500 });
    expect(await deleter.deleteRoom('end')).toMatchObject({ status: 'deleted' });
    expect(requests.length).toBeGreaterThan(answer.length);
    expect(await exists()).toBe(false);
  });

  it.each([
    ['of 100 MB', { 'Content-Length': '104857600' }],
    ['that never ends', {}],
  ])('row 15: a body %s is cut off, and the process grows by less than 5 MB', async (_, headers) => {
    const sent = { bytes: 0 };
    const times = 20;
    // what every process has to load is loaded by answers that are just too long
    const warmUp = Array.from({ length: times }, () => answers(200, 'x'.repeat(70_000)));
    const { url, requests } = await serve(...warmUp, (response, request) => {
      response.setHeaders(new Map(Object.entries(headers)));
      endlessBody(sent)(response, request);
    });
    const program = fileURLToPath(new URL('../support/deletion-memory-program.ts', import.meta.url));
    const args = [...nodeArgs, '--expose-gc', program, url, String(times)];
    const { stdout } = await promisify(execFile)(process.execPath, args);
    const { kinds, grewBytes } = JSON.parse(stdout);
    expect(kinds).toEqual(['bad_response']);
    expect(grewBytes).toBeLessThan(5e6);
    // what the buffers of two sockets hold, besides the 64 kB
    expect(requests).toHaveLength(2 * times);
    expect(sent.bytes / times).toBeLessThan(10e6);
  });

  it('row 9: wrong secret', async () => {
    const { deleter, exists } = await setup({ apiSecret: 'wrong' });
    const outcome = await deleter.deleteRoom('end');
    expect(outcome).toMatchObject({ status: 'failed', attempts: 1, error: { kind: 'auth' } });
    expect(outcome.error?.message).not.toContain('eyJ');
    expect(await exists()).toBe(true);
  });

  it.each([
    ['1', 1_000, 1_400],
    ['Tue, 24 Nov 2026 12:00:01 GMT', 1_000, 1_400],
    // so that a last try fits in before the deadline
    ['3600', 4_000 - 2_000, 4_000],
    ['-1', 0, 400],
    ['soon', 0, 400],
  ])('row 8: 429 with Retry-After: %s', async (retryAfter, fromMs, toMs) => {
    const headers = { Date: 'Tue, 24 Nov 2026 12:00:00 GMT', 'Retry-After': retryAfter };
    const { deleter, exists, timesMs } = await behind([answers(429, '', headers)], { deadlineMs: 4_000 });
    expect(await deleter.deleteRoom('end')).toMatchObject({ status: 'deleted', attempts: 2 });
    const [first = 0, second = 0] = timesMs;
    // timers and requests are not exact to the millisecond
    expect(second - first).toBeGreaterThan(fromMs - 50);
    expect(second - first).toBeLessThan(promised(toMs));
    expect(await exists()).toBe(false);
  });

  const missingGrant = '{"code":"unauthenticated","msg":"permissions denied"}';
  it.each([
    ['row 10: 401 of a key without the grant', answers(401, missingGrant), 'auth', 'what proxies in between'],
    ['row 10: 403 of a proxy', answers(403, '<html>Forbidden</html>'), 'auth', 'what proxies in between'],
    ['row 14: redirect', answers(302, '', { Location: 'http://127.0.0.1:9/' }), 'bad_response', 'apiUrl'],
    [
      'row 14: redirect of a POST',
      answers(307, '', { Location: 'http://127.0.0.1:9/' }),
      'bad_response',
      'apiUrl',
    ],
  ] as const)('%s', async (_, answer, kind, hint) => {
    const { deleter, requests, exists, loggedErrors } = await behind([answer]);
    expect(await deleter.deleteRoom('end')).toMatchObject({ status: 'failed', attempts: 1, error: { kind } });
    expect(requests).toHaveLength(1);
    expect(await exists()).toBe(true);
    expect(loggedErrors).toHaveBeenCalledExactlyOnceWith(
      expect.objectContaining({ hint: expect.stringContaining(hint) }),
      expect.any(String),
    );
  });

  it.each([-600_000, -90_000, 90_000, 600_000])('row 11: clock off by %i ms', async (offsetMs) => {
    const { deleter, exists } = await setup();
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + offsetMs });
    expect(await deleter.deleteRoom('end')).toMatchObject({ status: 'deleted', attempts: 1 });
    vi.useRealTimers();
    expect(await exists()).toBe(false);
  });

  it('row 12: the room is not there', async () => {
    const { deleter, roomName } = await setup();
    await roomService(server).deleteRoom(roomName);
    expect(await deleter.deleteRoom('end')).toMatchObject({ status: 'already-gone', attempts: 1 });
  });

  it.each(
    ['a/b?c#d', '../up', '"q\'s"\n', 'e\u0301 \u202e👩‍👧', '%2e', 'ü'.repeat(128)].map((name) => ({ name })),
  )('row 17: an odd name, %#', async ({ name }) => {
    const { deleter, exists } = await setup({ name });
    expect(await deleter.deleteRoom('end')).toMatchObject({ status: 'deleted' });
    expect(await exists()).toBe(false);
  });

  it.each([
    ['empty', ''],
    ['too long', 'x'.repeat(257)],
    ['ill-formed', '\ud800'],
  ])('row 18: a name that is %s', (_, roomName) => {
    const { apiKey, apiSecret, httpUrl: apiUrl } = server;
    const rest = new LiveKitRESTHelper({ apiKey, apiSecret, apiUrl });
    expect(() => new RoomDeleter({ roomName, rest })).toThrow(InvalidOptionError);
  });

  it('row 19: the URL as ws, and with slashes', async () => {
    const { deleter, exists } = await setup({ apiUrl: `${server.url}///` });
    expect(await deleter.deleteRoom('end')).toMatchObject({ status: 'deleted', attempts: 1 });
    expect(await exists()).toBe(false);
  });

  it('row 19: the URL with a base path', async () => {
    const { deleter, exists, requests } = await behind([], { path: '/behind/a-proxy' });
    expect(await deleter.deleteRoom('end')).toMatchObject({ status: 'deleted', attempts: 1 });
    expect(requests.map(({ url }) => url)).toEqual(['/behind/a-proxy/twirp/livekit.RoomService/DeleteRoom']);
    expect(await exists()).toBe(false);
  });

  it('row 19: the URL with an IPv6 address', async () => {
    const { port } = new URL(server.httpUrl);
    const forwards = createServer((client) => {
      pipeline(client, connect(Number(port), '127.0.0.1'), client, () => {});
    }).listen(0, '::1');
    await once(forwards, 'listening');
    const { deleter, exists } = await setup({
      apiUrl: `ws://[::1]:${(forwards.address() as AddressInfo).port}`,
    });
    expect(await deleter.deleteRoom('end')).toMatchObject({ status: 'deleted', attempts: 1 });
    expect(await exists()).toBe(false);
    forwards.close();
  });

  it.each(['http://user:pass@host', 'http://host/?x', 'http://host/#x', 'ftp://host'])(
    'row 20: the URL %s',
    (url) => {
      expect(() => new LiveKitRESTHelper({ apiKey: 'k', apiSecret: 's', apiUrl: url })).toThrow(
        /^(?!.*pass@)/,
      );
    },
  );

  it('row 21: eight at once', async () => {
    const { deleter, requests } = await behind([]);
    const outcomes = await Promise.all(Array.from({ length: 8 }, () => deleter.deleteRoom('end')));
    expect(new Set(outcomes).size).toBe(1);
    expect(requests).toHaveLength(1);
  });
});

describe('while LiveKit is frozen', () => {
  let server: LiveKitServer;
  beforeAll(async () => {
    // one of its own: nobody else may be frozen with it
    server = await startLiveKitServer({ config: {} });
    for (const name of ['frozen', 'frozen-2'])
      await roomService(server).createRoom({ name, emptyTimeout: 600 });
  });
  afterEach(async () => {
    process.kill(server.pid as number, 'SIGCONT');
    await killBots();
  });
  afterAll(() => server.stop());

  const isGone = () =>
    vi.waitFor(async () => expect((await listRooms(server)).map(({ name }) => name)).toEqual(['frozen-2']), {
      timeout: 90_000,
    });

  it('row 22: the end of a bot is handed over, and the guardian deletes after the thaw', async () => {
    const bot = await startBot({ server, roomName: 'frozen', deadlineMs: 1_500, attemptTimeoutMs: 500 });
    process.kill(server.pid as number, 'SIGSTOP');
    const endedAt = now();
    bot.end();
    expect(await bot.exited).toEqual({ code: 3, signal: null });
    expect(bot.endedAt - endedAt).toBeLessThan(promised(1_500 + 1_500));
    expect(bot.events).toContainEqual({
      event: 'outcome',
      outcome: expect.objectContaining({ status: 'handed-over' }),
    });
    process.kill(server.pid as number, 'SIGCONT');
    await isGone();
  });

  it('row 42: a second signal exits at once, and the guardian deletes after the thaw', async () => {
    await roomService(server).createRoom({ name: 'frozen', emptyTimeout: 600 });
    const bot = await startBot({ server, roomName: 'frozen' });
    process.kill(server.pid as number, 'SIGSTOP');
    bot.kill('SIGTERM');
    await bot.waitFor('cancelling');
    const secondAt = now();
    bot.kill('SIGTERM');
    expect(await bot.exited).toEqual({ code: 143, signal: null });
    expect(bot.endedAt - secondAt).toBeLessThan(promised(1_000));
    process.kill(server.pid as number, 'SIGCONT');
    await isGone();
  });

  it('a bot that is killed meanwhile has its room deleted after the thaw', async () => {
    await roomService(server).createRoom({ name: 'frozen', emptyTimeout: 600 });
    const bot = await startBot({ server, roomName: 'frozen', attemptTimeoutMs: 500 });
    process.kill(server.pid as number, 'SIGSTOP');
    bot.kill('SIGKILL');
    await new Promise((resolve) => setTimeout(resolve, 2_000));
    process.kill(server.pid as number, 'SIGCONT');
    await isGone();
  });
});
