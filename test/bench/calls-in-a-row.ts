/**
 * Many calls in this one process, one after the other: join, talk, end.
 *
 *     node --import ./test/support/typescript-loader.mjs test/bench/calls-in-a-row.ts 100
 *
 * Arguments: how many calls are counted, and `bare` for the same with nothing but the SDK, as a control: the
 * SDK's own native memory grows with every join.
 */

import { RoomServiceClient } from 'livekit-server-sdk';
import { EndFrame } from '../../src/frames/lifecycle.ts';
import type { Caller } from '../../src/testing/caller.ts';
import { startLiveKitServer } from '../../src/testing/start-livekit-server.ts';
import { tone } from '../support/tone.ts';
import { type Memory, memory, openThings, startCaller, startEchoBot, tellFigures } from './calls.ts';
import { bareCall } from './calls-bare.ts';

const [countText = '100', kind = 'ours'] = process.argv.slice(2);
const count = Number(countText);
/** Calls until everything is loaded, and most of it compiled: code is JavaScript memory too. */
const warmup = Math.min(12, Math.ceil(count / 2));
/** What may come and go and is no leak. */
const heapSlackMB = 1.5;
const saidMs = 300;

const server = await startLiveKitServer();
const rooms = new RoomServiceClient(server.httpUrl, server.apiKey, server.apiSecret);
const reasons = new Map<string, number>();

/** One whole call with our transport. @returns Whether it ended as it should. */
async function ourCall(): Promise<boolean> {
  const bot = startEchoBot(server);
  const caller = await startCaller(server, bot.transport.roomName);
  await bot.started;
  await caller.waitFor('trackSubscribed', { timeoutMs: 30_000 });
  await caller.playTone(440, saidMs);
  bot.task.queueFrames([tone(880, saidMs), new EndFrame()]);
  const { reason, forced } = await bot.run;
  await note(caller);
  return reason === 'ended' && !forced && bot.echo.heardMs > 0;
}

async function note(caller: Caller): Promise<void> {
  const { reason } = await caller.waitFor('disconnected', { timeoutMs: 30_000 });
  reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
  await caller.exited;
}

let inOrder = 0;
let before: Memory = await memory();
let openBefore = '';
const start = performance.now();
for (let number = 1; number <= warmup + count; number += 1) {
  const ok = kind === 'bare' ? await bareCall(server, note) : await ourCall();
  if (number === warmup) {
    before = await memory();
    openBefore = openThings();
  } else if (number > warmup && ok) inOrder += 1;
}
const seconds = (performance.now() - start) / 1_000;
const after = await memory();
const openAfter = openThings();
const left = await rooms.listRooms();
await server.stop();

const heapGrowth = after.heapMB - before.heapMB;
const isOurs = kind !== 'bare';
tellFigures(`${count} calls in a row, ${isOurs ? 'endframe' : 'the bare SDK'} (${seconds.toFixed(0)} s)`, [
  { what: 'calls that ended in order', measured: `${inOrder} of ${count}`, ok: inOrder === count },
  {
    what: 'callers were told',
    measured: [...reasons].map(([reason, times]) => `${reason} ${times} times`).join(', '),
    ok: reasons.get('ROOM_DELETED') === warmup + count,
  },
  { what: 'rooms left', measured: String(left.length), ok: left.length === 0 },
  {
    what: 'JavaScript memory, growth',
    measured: `${heapGrowth.toFixed(2)} MB, ${((heapGrowth * 1e3) / count).toFixed(1)} kB a call`,
    ...(isOurs && { ok: heapGrowth < heapSlackMB }),
  },
  {
    what: 'memory in all, growth',
    measured: `${((after.rssMB - before.rssMB) / count).toFixed(2)} MB a call (${before.rssMB.toFixed(0)} to ${after.rssMB.toFixed(0)} MB)`,
  },
  { what: 'open before', measured: openBefore },
  { what: 'open after', measured: openAfter, ...(isOurs && { ok: openAfter === openBefore }) },
]);
// what the bare SDK leaves behind keeps a process alive; ours has to end by itself
if (!isOurs) process.exit();
