/**
 * What keeping a room alive costs: `node --import ./test/support/typescript-loader.mjs test/bench/lease.ts`.
 *
 * A bot's beat, written to a real LiveKit, and a sweeper's look, with and without the queue on Redis.
 */

import { Room } from '@livekit/rtc-node';
import { silentLogger } from '../../src/lib/logger.ts';
import { leaseAttribute } from '../../src/rooms/lease.ts';
import { LiveKitRESTHelper } from '../../src/rooms/rest/livekit-rest-helper.ts';
import { BullMqEngine } from '../../src/sweeper/engine/bullmq-engine.ts';
import { InMemoryEngine } from '../../src/sweeper/engine/in-memory-engine.ts';
import { Sweeper } from '../../src/sweeper/sweeper.ts';
import { FakeLiveKitServer } from '../../src/testing/fake-livekit-server.ts';
import { startLiveKitServer } from '../../src/testing/start-livekit-server.ts';
import { startRedis } from '../support/start-redis.ts';
import { tokenFor } from '../support/tokens.ts';

const beats = 500;
const rooms = 300;
const looksWanted = 1_000;

/** Milliseconds of each call, one after the other, and of processor time for all of them. */
async function time(count: number, call: (index: number) => Promise<unknown>) {
  const times: number[] = [];
  const cpu = process.cpuUsage();
  for (let index = 0; index < count; index += 1) {
    const startedMs = performance.now();
    await call(index);
    times.push(performance.now() - startedMs);
  }
  const { user, system } = process.cpuUsage(cpu);
  times.sort((one, other) => one - other);
  const at = (share: number): number => Number((times[Math.floor(count * share)] ?? 0).toFixed(2));
  return {
    'p50 ms': at(0.5),
    'p95 ms': at(0.95),
    'CPU ms': Number(((user + system) / 1_000 / count).toFixed(2)),
  };
}

async function onARealServer(): Promise<void> {
  const server = await startLiveKitServer();
  const grant = { roomJoin: true, room: 'leased', agent: true, canUpdateOwnMetadata: true };
  const room = new Room();
  const options = { autoSubscribe: false, dynacast: false };
  await room.connect(server.url, await tokenFor(server, 'bot', grant), options);
  const beat = (count: number) => room.localParticipant?.setAttributes({ [leaseAttribute]: `run.${count}` });
  print({ what: 'a beat', ...(await time(beats, async (count) => beat(count))) });
  const rest = new LiveKitRESTHelper({ ...server, apiUrl: server.httpUrl });
  print({ what: 'a look', ...(await time(beats, () => rest.listParticipants('leased'))) });
  await room.disconnect();
  await server.stop();
}

/** Looks as fast as they can be had, of a process that does nothing else but be LiveKit as well. */
async function withAnEngine(what: string, redisUrl?: string): Promise<number> {
  const server = await FakeLiveKitServer.start();
  for (let index = 0; index < rooms; index += 1) {
    server.createRoom(`crowd-${index}`, { metadata: '{"endframe":true}' });
    server.join(`crowd-${index}`, 'bot', { agent: true });
  }
  const rest = new LiveKitRESTHelper({ ...server, apiUrl: server.httpUrl });
  const engine =
    redisUrl === undefined ? new InMemoryEngine() : new BullMqEngine({ redisUrl, logger: silentLogger });
  const limits = { pollMs: 300, leaseTtlMs: 900, graceMs: 600_000 };
  const sweeper = new Sweeper({ rest, prefix: 'crowd-', engine, logger: silentLogger, ...limits });
  let looked = 0;
  const done = new Promise<void>((resolve) => {
    sweeper.on('swept', (pass) => {
      looked += pass.looked;
      if (looked >= looksWanted) resolve();
    });
  });
  const startedMs = performance.now();
  const cpu = process.cpuUsage();
  sweeper.start();
  await done;
  const { user, system } = process.cpuUsage(cpu);
  const perSecond = Math.round((1_000 * looked) / (performance.now() - startedMs));
  print({
    what,
    looks: looked,
    'a second': perSecond,
    'CPU ms': Number(((user + system) / 1_000 / looked).toFixed(2)),
  });
  await sweeper.stop();
  await server.stop();
  return looked;
}

function print(row: object): void {
  process.stdout.write(`${JSON.stringify(row)}\n`);
}

await onARealServer();
await withAnEngine('looks, in memory');
const redis = await startRedis();
const figure = async (name: string): Promise<number> =>
  Number(new RegExp(`${name}:(\\d+)`).exec(await redis.client.info())?.[1]);
const before = await figure('total_commands_processed');
const bytesBefore = await figure('used_memory');
const looked = await withAnEngine('looks, shared by BullMQ', redis.url);
const commands = ((await figure('total_commands_processed')) - before) / looked;
const bytes = ((await figure('used_memory')) - bytesBefore) / rooms;
print({ what: 'Redis', 'commands a look': Math.round(commands), 'bytes a room, at most': Math.round(bytes) });
await redis[Symbol.asyncDispose]();
process.exit();
