/**
 * Many bots in many rooms in this one process, each talking with a caller; the callers are in another process:
 *
 *     node --import ./test/support/typescript-loader.mjs test/bench/calls-at-once.ts 10 60
 *
 * Arguments: how many, for how many seconds, and the least part of that time in which everybody has to be heard
 * (default 0.9; a machine that does other things as well loses more). CPU and memory are this process's alone.
 */

import { fork } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { RoomServiceClient } from 'livekit-server-sdk';
import { type LiveKitServer, startLiveKitServer } from '../../src/testing/start-livekit-server.ts';
import { nodeArgs } from '../support/run-typescript.ts';
import { joinToken } from '../support/tokens.ts';
import { type EchoBot, type Memory, memory, startEchoBot, tellFigures } from './calls.ts';
import type { CallerEnd, CallersTask } from './calls-callers.ts';

const [count = 10, seconds = 60, leastPart = 0.9] = process.argv.slice(2).map(Number);
const samples = 6;
/** What may come and go in a minute and is no leak. */
const slackMB = { heap: 2, rss: 15 };

const server = await startLiveKitServer();
const alone = await memory();
const bots = Array.from({ length: count }, () => startEchoBot(server));
await Promise.all(bots.map(({ started }) => started));
const callers = await startCallers(
  server,
  bots.map(({ transport }) => transport.roomName),
);
await callers.hearAll;

const heardBefore = heardMs();
const startedAt = performance.now();
const taken: Memory[] = [await memory()];
/** Without what the memory samples take. */
const spent = { cpuMs: 0, wallMs: 0 };
for (let sample = 1; sample <= samples; sample += 1) {
  const cpu = process.cpuUsage();
  const from = performance.now();
  await sleep((seconds * 1_000) / samples);
  const { user, system } = process.cpuUsage(cpu);
  spent.cpuMs += (user + system) / 1_000;
  spent.wallMs += performance.now() - from;
  taken.push(await memory());
}
const elapsedMs = performance.now() - startedAt;
const heardPart = (heardMs() - heardBefore) / elapsedMs / count;

for (const { task } of bots) task.stopWhenDone();
const results = await Promise.all(bots.map(({ run }) => run));
const ends = await callers.ended;
const left = await new RoomServiceClient(server.httpUrl, server.apiKey, server.apiSecret).listRooms();
const echoedMs = ends.map((end) => end.heardMs);
await server.stop();

const [first = alone, ...later] = taken;
// the first part is still warming up
const [settled = first] = later;
const last = later.at(-1) ?? first;
const perBot = (MB: number): string => `${(MB / count).toFixed(1)} MB a bot`;
const growth = { heap: last.heapMB - settled.heapMB, rss: last.rssMB - settled.rssMB };
tellFigures(`${count} bots in ${count} rooms, ${(elapsedMs / 1_000).toFixed(0)} s of two-way audio`, [
  { what: 'CPU', measured: `${((spent.cpuMs * 100) / spent.wallMs / count).toFixed(1)} % of a core a bot` },
  { what: 'memory', measured: `${perBot(last.rssMB - alone.rssMB)}, ${last.rssMB.toFixed(0)} MB in all` },
  { what: 'of it JavaScript', measured: perBot(last.heapMB - alone.heapMB) },
  {
    what: 'JavaScript memory, growth',
    measured: grown('heapMB', growth.heap),
    ok: growth.heap < slackMB.heap,
  },
  { what: 'memory, growth', measured: grown('rssMB', growth.rss), ok: growth.rss < slackMB.rss },
  {
    what: 'heard by the bots, part of the time',
    measured: `${(heardPart * 100).toFixed(1)} %`,
    ok: heardPart > leastPart,
  },
  {
    what: 'echo heard by the callers, the least',
    measured: `${(Math.min(...echoedMs) / 1_000).toFixed(1)} s`,
    ok: Math.min(...echoedMs) > elapsedMs * leastPart,
  },
  {
    what: 'runs that ended in order',
    measured: `${results.filter(({ reason, forced }) => reason === 'ended' && !forced).length} of ${count}`,
    ok: results.every(({ reason, forced }) => reason === 'ended' && !forced),
  },
  {
    what: 'callers who were told ROOM_DELETED',
    measured: `${ends.filter(({ reason }) => reason === 'ROOM_DELETED').length} of ${count}`,
    ok: ends.every(({ reason }) => reason === 'ROOM_DELETED'),
  },
  { what: 'rooms left', measured: String(left.length), ok: left.length === 0 },
]);

function heardMs(): number {
  return bots.reduce((sum: number, { echo }: EchoBot) => sum + echo.heardMs, 0);
}

function grown(which: keyof Memory, growthMB: number): string {
  return `${growthMB.toFixed(1)} MB (${taken.map((one) => one[which].toFixed(0)).join(' ')})`;
}

/** `hearAll` resolves when each of them hears its bot. */
async function startCallers(server: LiveKitServer, roomNames: readonly string[]) {
  const program = fileURLToPath(new URL('./calls-callers.ts', import.meta.url));
  const child = fork(program, { execArgv: [...nodeArgs] });
  const tokens = await Promise.all(roomNames.map((roomName) => joinToken(server, roomName, 'ada')));
  child.send({ url: server.url, tokens } satisfies CallersTask);
  let hearing = 0;
  const { promise: hearAll, resolve: allHear } = settledLater<void>();
  const { promise: ended, resolve: end } = settledLater<readonly CallerEnd[]>();
  child.on('message', (message: 'hears' | readonly CallerEnd[]) => {
    if (message !== 'hears') end(message);
    else if (++hearing === roomNames.length) allHear();
  });
  return { hearAll, ended };
}

function settledLater<T>(): { readonly promise: Promise<T>; readonly resolve: (value: T) => void } {
  let resolve: (value: T) => void = () => {};
  const promise = new Promise<T>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}
