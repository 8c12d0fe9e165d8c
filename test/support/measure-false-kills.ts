/**
 * Sweepers with their real limits, for as long as it takes: whatever breaks around them, no room of a living bot
 * is deleted, and the one of the dead bot is. `measure-false-kills.ts [PART OF A TITLE]`; one JSON object each.
 */

import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { generateRoomName } from '../../src/rooms/room-name.ts';
import { type LiveKitServer, startLiveKitServer } from '../../src/testing/start-livekit-server.ts';
import { type LeasedBotsOptions, prepareLeasedBots, startLeasedBots } from '../sweeper/leased-bots.ts';
import { listRooms, roomService } from './room-service.ts';
import { spawnScript } from './run-typescript.ts';
import { type RedisServer, startRedis } from './start-redis.ts';

const prefix = 'live-';
const liveBots = 5;
const leaseTtlMs = 30_000;
const pollMs = 5_000;
/** A killed bot without a lease is listed for so long. */
const presenceMs = 21_000;
/** To look and to delete; and once more where a busy machine looked too late. */
const measuringMs = 2_000;
const beforeMs = 15_000;
const afterMs = 2 * pollMs;
const sweepProgram = fileURLToPath(new URL('../sweeper/sweep-program.ts', import.meta.url));

interface Scene {
  readonly server: LiveKitServer;
  readonly redis: RedisServer | undefined;
  readonly sweepers: readonly ReturnType<typeof spawnScript>[];
}

interface Scenario {
  readonly title: string;
  /** What breaks; the dead bot dies when it begins, and its time counts from its end. */
  readonly fault: (scene: Scene) => Promise<void>;
  /** Sweepers that share Redis, each with its calendar off by so many milliseconds; default one without Redis. */
  readonly sharing?: readonly number[];
  readonly bots?: LeasedBotsOptions;
  /** Its `ListParticipants` fails for the first of the rooms. */
  readonly failing?: boolean;
  /** The bot of one more room is killed, and another takes its place. */
  readonly restarts?: boolean;
}

const scenarios: readonly Scenario[] = [
  {
    title: 'LiveKit is frozen for 60 s',
    bots: { comesBack: true },
    fault: ({ server: { pid = 0 } }) => freeze([pid], 60_000),
  },
  {
    title: 'the sweeper is frozen for 60 s',
    fault: ({ sweepers }) =>
      freeze(
        sweepers.flatMap(({ pid = [] }) => pid),
        60_000,
      ),
  },
  {
    title: 'Redis is away for 30 s',
    sharing: [0, 0],
    fault: async ({ redis }) => {
      await redis?.stop();
      await sleep(30_000);
      await redis?.start();
    },
  },
  { title: 'FLUSHALL', sharing: [0, 0], fault: async ({ redis }) => void (await redis?.client.flushall()) },
  {
    title: 'one calendar is 2 min ahead, another 2 min behind',
    sharing: [120_000, -120_000],
    fault: async () => {},
  },
  { title: 'a bot starts again within the time', restarts: true, fault: () => sleep(leaseTtlMs / 2) },
  {
    title: 'bots may not write attributes',
    bots: { grant: () => ({ canUpdateOwnMetadata: false }) },
    fault: () => sleep(presenceMs),
  },
  { title: 'ListParticipants fails for one room', failing: true, fault: () => sleep(leaseTtlMs) },
];

async function freeze(pids: readonly number[], forMs: number): Promise<void> {
  for (const pid of pids) process.kill(pid, 'SIGSTOP');
  await sleep(forMs);
  for (const pid of pids) process.kill(pid, 'SIGCONT');
}

/** Passes everything on, but what a room's participants are asked for. */
async function startPickyProxy(
  target: string,
  failingRoom: string,
): Promise<AsyncDisposable & { url: string }> {
  const server = createServer(async (request, response) => {
    const body = await text(request);
    if (request.url?.endsWith('ListParticipants') && body.includes(failingRoom)) {
      response.writeHead(503).end();
      return;
    }
    const { authorization = '', 'content-type': type = '' } = request.headers;
    const headers = { authorization, 'content-type': type };
    const answer = await fetch(`${target}${request.url}`, { method: 'POST', headers, body });
    const contentType = answer.headers.get('content-type') ?? '';
    response.writeHead(answer.status, { 'content-type': contentType }).end(await answer.text());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
    },
  };
}

/** `endframe sweep --watch --yes` with nothing but defaults, and what it prints. */
function startSweeper(env: NodeJS.ProcessEnv, redis: RedisServer | undefined) {
  const sharing = redis === undefined ? [] : ['--redis', redis.url];
  const args = ['--match', prefix, '--watch', '--yes', '--json', ...sharing];
  const child = spawnScript(sweepProgram, args, {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const lines: string[] = [];
  child.stdout?.setEncoding('utf8').on('data', (chunk: string) => lines.push(...chunk.split('\n')));
  return { child, lines };
}

async function play({ title, fault, sharing, bots, failing, restarts }: Scenario): Promise<object> {
  const toEnd: AsyncDisposable[] = [];
  const keep = <T extends AsyncDisposable>(resource: T): T => {
    toEnd.push(resource);
    return resource;
  };
  try {
    // empty rooms are LiveKit's own affair, and must not be mistaken for swept ones
    const room = { empty_timeout: 3_600, departure_timeout: 3_600 };
    const server = keep(await startLiveKitServer({ config: { room } }));
    const redis = sharing && keep(await startRedis({ appendOnly: true }));
    const rooms = Array.from({ length: liveBots }, () => generateRoomName(prefix));
    const [dead, restarted, foreign] = [
      generateRoomName(prefix),
      generateRoomName(prefix),
      `${prefix}of-others`,
    ];
    const real = { beatMs: 5_000, ...bots };
    keep(await startLeasedBots(server, rooms, real));
    const doomed = keep(await startLeasedBots(server, [dead], real));
    const first = restarts ? keep(await startLeasedBots(server, [restarted], real)) : undefined;
    const second = restarts ? await prepareLeasedBots(server) : undefined;
    await roomService(server).createRoom({ name: foreign, emptyTimeout: 3_600 });

    const way = failing ? keep(await startPickyProxy(server.httpUrl, rooms[0] ?? '')).url : server.httpUrl;
    const { apiKey: LIVEKIT_API_KEY, apiSecret: LIVEKIT_API_SECRET } = server;
    const sweepers = (sharing ?? [0]).map((shiftMs) => {
      const env = { LIVEKIT_URL: way, LIVEKIT_API_KEY, LIVEKIT_API_SECRET, SHIFT_MS: String(shiftMs) };
      return startSweeper(env, redis);
    });
    keep({ [Symbol.asyncDispose]: async () => sweepers.forEach(({ child }) => void child.kill('SIGKILL')) });
    await sleep(beforeMs);
    const sids = async () => (await listRooms(server)).map(({ name, sid }) => `${name} ${sid}`).sort();
    const expected = (await sids()).filter((line) => !line.startsWith(dead));

    doomed.kill('SIGKILL');
    first?.kill('SIGKILL');
    await fault({ server, redis, sweepers: sweepers.map(({ child }) => child) });
    if (second !== undefined) keep(await second.join([restarted], real));
    const faultEndedMs = performance.now();
    const limitMs = leaseTtlMs + 2 * pollMs + measuringMs + (bots?.grant ? presenceMs : 0);
    while ((await listRooms(server, dead)).length > 0) {
      if (performance.now() - faultEndedMs > 2 * limitMs) break;
      await sleep(100);
    }
    const goneAfterMs = performance.now() - faultEndedMs;
    await sleep(afterMs);
    const left = await sids();
    const lines = sweepers.flatMap((sweeper) => sweeper.lines).filter((line) => line.includes('"orphan"'));
    const reaped = lines.map((line) => JSON.parse(line)).filter(({ status }) => status === 'deleted');
    const wrong = expected.filter((line) => !left.includes(line));
    const passed =
      wrong.length === 0 &&
      left.length === expected.length &&
      goneAfterMs < limitMs &&
      reaped.length === 1 &&
      reaped[0].roomName === dead;
    const falseKills = wrong.length;
    return {
      title,
      passed,
      live: expected.length - 1,
      falseKills,
      goneAfterMs,
      limitMs,
      reaped: reaped.length,
    };
  } catch (error) {
    return { title, passed: false, error: String(error) };
  } finally {
    for (const resource of toEnd.reverse()) await resource[Symbol.asyncDispose]();
  }
}

const [part = ''] = process.argv.slice(2);
const waiting = scenarios.filter(({ title }) => title.includes(part));
/** Each is a server, ten bots and two sweepers. */
const atOnce = 4;
await Promise.all(
  Array.from({ length: atOnce }, async () => {
    for (let scenario = waiting.shift(); scenario !== undefined; scenario = waiting.shift())
      process.stdout.write(`${JSON.stringify(await play(scenario))}\n`);
  }),
);
process.exit();
