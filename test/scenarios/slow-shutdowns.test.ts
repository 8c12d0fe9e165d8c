/** faults.md 1.2 and 1.3: a process that is kept from going as fast as it should has its room deleted all the same. */

import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { beforeAll, expect, it } from 'vitest';
import type { LiveKitServer } from '../../src/testing/start-livekit-server.ts';
import { type Caller, spawnCaller } from '../support/caller.ts';
import { startBot } from '../support/doomed-bot.ts';
import { promised } from '../support/promised.ts';
import { describeWith } from '../support/requirements.ts';
import { listRooms, roomService } from '../support/room-service.ts';
import { spawnScript } from '../support/run-typescript.ts';
import { sharedLiveKit } from '../support/shared-services.ts';
import { Bot, now } from '../support/talking-bot.ts';
import { joinToken } from '../support/tokens.ts';

const describe = await describeWith('livekit-server', '@livekit/rtc-node');
const listener = fileURLToPath(new URL('../support/hanging-listener-program.ts', import.meta.url));

describe('the room of a bot', () => {
  let server: LiveKitServer;
  let rooms = 0;
  beforeAll(async () => {
    server = await sharedLiveKit();
  });

  /** A name, the room of a name alike, and what is left of the two. */
  async function setup() {
    const roomName = `slow-${process.pid}-${rooms++}`;
    const bystander = `${roomName}-2`;
    await roomService(server).createRoom({ name: bystander, emptyTimeout: 600 });
    const left = async () => (await listRooms(server, roomName, bystander)).map(({ name }) => name);
    return { roomName, expectGone: async () => expect(await left()).toEqual([bystander]) };
  }

  async function newCaller(roomName: string): Promise<Caller> {
    const caller = spawnCaller({ url: server.url, token: await joinToken(server, roomName, 'ada') });
    await caller.waitFor('joined', { timeoutMs: 90_000 });
    return caller;
  }

  it.concurrent('row 47: is gone when its blocked loop is free again and hears of a SIGTERM', async () => {
    const { roomName, expectGone } = await setup();
    await using caller = await newCaller(roomName);
    // longer than the block: the bot itself is to do it
    await using bot = await startBot({ server, url: server.url, roomName, guardianHeartbeatMs: 30_000 });
    const blockedAt = now();
    bot.block(6_000);
    await sleep(500);
    bot.kill('SIGTERM');
    const { at, reason } = await caller.waitFor('disconnected', { timeoutMs: 90_000 });
    expect(reason).toBe('ROOM_DELETED');
    expect(at - blockedAt).toBeGreaterThan(6_000);
    expect(at - blockedAt).toBeLessThan(6_000 + promised(1_000));
    expect(await bot.exited).toEqual({ code: 0, signal: null });
    expect((await bot.waitFor('outcome')).outcome).toMatchObject({ status: 'deleted', trigger: 'cancel' });
    await expectGone();
  });

  it.concurrent('row 52: is gone although a goodbye is longer than a shutdown may take', async () => {
    const { roomName, expectGone } = await setup();
    await using caller = await newCaller(roomName);
    const goodbye = { does: 'say', ms: 20_000 } as const;
    await using bot = new Bot(server, { roomName, identity: 'bot', onSignal: 'end', whenAsked: goodbye });
    await bot.has('started');
    bot.ask();
    await caller.waitFor('audioStarted');
    const signalledAt = bot.signal('SIGTERM');
    await bot.has('entered', { frame: 'EndFrame' });
    const cancelled = await bot.has('entered', { frame: 'CancelFrame' });
    const { at, reason } = await caller.waitFor('disconnected', { timeoutMs: 90_000 });
    expect(reason).toBe('ROOM_DELETED');
    // a quarter of 8 s is kept for what has to be done after it
    expect(cancelled.at - signalledAt).toBeGreaterThan(5_900);
    expect(at - cancelled.at).toBeLessThan(promised(1_000));
    expect(await bot.exited).toEqual({ code: 0, signal: null });
    expect((await bot.has('exit')).at - signalledAt).toBeLessThan(promised(8_000));
    expect(await bot.has('settled')).toMatchObject({ reason: 'cancelled' });
    expect(await bot.has('outcome')).toMatchObject({ status: 'deleted', trigger: 'cancel' });
    await expectGone();
  });

  it.concurrent.each([
    ['at the end of the conversation', []],
    ['at a SIGTERM, and keeps the process busy', ['stays']],
  ])('row 30: is gone when a listener to "finished" hangs %s', async (_, args) => {
    const { roomName, expectGone } = await setup();
    await roomService(server).createRoom({ name: roomName, emptyTimeout: 600 });
    const { url: LIVEKIT_URL, apiKey: LIVEKIT_API_KEY, apiSecret: LIVEKIT_API_SECRET } = server;
    const env = { ...process.env, LIVEKIT_URL, LIVEKIT_API_KEY, LIVEKIT_API_SECRET };
    const bot = spawnScript(listener, [roomName, ...args], { stdio: ['ignore', 'pipe', 'inherit'], env });
    const exited = once(bot, 'close');
    const tooLong = setTimeout(() => bot.kill('SIGKILL'), 30_000);
    const said: string[] = [];
    let endsAt = Number.NaN;
    for await (const line of createInterface({ input: bot.stdout as NodeJS.ReadableStream })) {
      said.push(line);
      if (line !== 'started') continue;
      endsAt = performance.now();
      if (args.length > 0) bot.kill('SIGTERM');
    }
    expect(await exited).toEqual([0, null]);
    clearTimeout(tooLong);
    expect(performance.now() - endsAt).toBeLessThan(promised(7_000));
    expect(said).toEqual(['started', 'deleted', 'finished']);
    await expectGone();
  });
});
