/** A bot's process is asked to go, or makes a mistake: the room is gone and the exit code tells how it went. */

import { afterAll, beforeAll, expect, it } from 'vitest';
import { FakeLiveKitServer } from '../../src/testing/fake-livekit-server.ts';
import type { LiveKitServer } from '../../src/testing/start-livekit-server.ts';
import { type Caller, spawnCaller } from '../support/caller.ts';
import { promised } from '../support/promised.ts';
import { describeWith } from '../support/requirements.ts';
import { listRooms, roomExists, roomService } from '../support/room-service.ts';
import { sharedLiveKit } from '../support/shared-services.ts';
import { Bot, type BotOptions } from '../support/talking-bot.ts';
import { joinToken } from '../support/tokens.ts';

const describe = await describeWith('livekit-server', '@livekit/rtc-node');

/** What a busy machine may take to start a process and join. */
const patienceMs = 90_000;
/** 500 are promised; the rest is what the signal takes to arrive. */
const forcedExitMs = 700;

// most of it is waiting, and each test has a room of its own
describe('a bot in a room with a caller', () => {
  let server: LiveKitServer;
  let silent: FakeLiveKitServer;
  let rooms = 0;

  beforeAll(async () => {
    server = await sharedLiveKit();
    const { apiKey, apiSecret } = server;
    silent = await FakeLiveKitServer.start({ apiKey, apiSecret });
    silent.fail({ kind: 'silence' }, { method: 'DeleteRoom' });
  });
  afterAll(async () => {
    await Promise.all([server.stop(), silent.stop()]);
  });

  async function setup(options: Partial<BotOptions> = {}) {
    const roomName = `signals-${process.pid}-${rooms++}`;
    await roomService(server).createRoom({ name: bystanderOf(roomName), emptyTimeout: 600 });
    const bot = new Bot(server, { roomName, identity: 'bot', ...options });
    const caller = spawnCaller({ url: server.url, token: await joinToken(server, roomName, 'ada') });
    const hangUp = async (): Promise<void> => {
      await Promise.all([caller.stop(), bot[Symbol.asyncDispose]()]);
    };
    await Promise.all([bot.has('started'), listensTo(caller)]).catch(async (error: unknown) => {
      await hangUp();
      throw error;
    });
    // for the bots that look there whether it is still their room
    const [room] = await listRooms(server, roomName);
    silent.createRoom(roomName, { sid: room?.sid ?? '', creationTimeMs: Number(room?.creationTimeMs) });
    return { roomName, bot, caller, [Symbol.asyncDispose]: hangUp };
  }

  async function listensTo(caller: Caller): Promise<void> {
    await caller.waitFor('joined', { timeoutMs: patienceMs });
    await caller.waitFor('trackSubscribed', { timeoutMs: patienceMs });
  }

  function bystanderOf(roomName: string): string {
    return `${roomName}-2`;
  }

  /** @returns When the caller was out. */
  async function expectGone({ roomName, caller }: { roomName: string; caller: Caller }): Promise<number> {
    const { at, reason } = await caller.waitFor('disconnected');
    expect(reason).toBe('ROOM_DELETED');
    expect(await roomExists(server, roomName)).toBe(false);
    expect(await roomExists(server, bystanderOf(roomName))).toBe(true);
    return at;
  }

  it.concurrent.each(['SIGTERM', 'SIGINT', 'SIGHUP'] as const)(
    'deletes it within a second of %s and exits with 0',
    async (signal) => {
      await using call = await setup();
      const { bot } = call;
      const sentAt = bot.signal(signal);
      expect(await bot.exited).toMatchObject({ code: 0, signal: null });
      expect(await bot.has('settled')).toMatchObject({ reason: 'cancelled' });
      expect((await expectGone(call)) - sentAt).toBeLessThan(promised(1_000));
    },
  );

  it.concurrent('cuts what it says at a signal', async () => {
    await using call = await setup({ whenAsked: { does: 'say', ms: 8_000 } });
    const { bot, caller } = call;
    bot.ask();
    await caller.waitFor('audioStarted');
    bot.signal('SIGTERM');
    expect(await bot.exited).toMatchObject({ code: 0 });
    await expectGone(call);
    await caller.exited;
    expect((await caller.heard('bot')).heardMs).toBeLessThan(promised(4_000, 7_000));
  });

  it.concurrent("says its goodbye to the end with onSignal: 'end'", async () => {
    const ms = 1_500;
    await using call = await setup({ onSignal: 'end', whenAsked: { does: 'say', ms } });
    const { bot, caller } = call;
    bot.ask();
    await caller.waitFor('audioStarted');
    bot.signal('SIGTERM');
    expect(await bot.exited).toMatchObject({ code: 0 });
    expect(await bot.has('settled')).toMatchObject({ reason: 'ended' });
    await expectGone(call);
    await caller.exited;
    expect((await caller.heard('bot')).heardMs).toBeGreaterThan(promised(ms - 50, ms * 0.7));
  });

  it.concurrent.each(['throw', 'reject'] as const)(
    'deletes it when its code does %s, and exits with 1',
    async (does) => {
      await using call = await setup({ whenAsked: { does } });
      const { bot } = call;
      bot.ask();
      expect(await bot.exited).toMatchObject({ code: 1, signal: null });
      expect(bot.output).toMatch(/(thrown|rejected) on purpose/);
      await expectGone(call);
    },
  );

  it.concurrent.each([
    ['with', true],
    ['without', false],
  ] as const)('exits by itself when it has ended, %s a guardian', async (_, guardian) => {
    await using call = await setup({ guardian, whenAsked: { does: 'sayAndEnd', ms: 200 } });
    const { bot } = call;
    bot.ask();
    expect(await bot.exited).toMatchObject({ code: 0, signal: null });
    const settled = await bot.has('settled', { reason: 'ended' });
    const exit = await bot.has('exit');
    expect(exit.at - settled.at).toBeLessThan(promised(2_000));
    await expectGone(call);
  });

  it.concurrent('exits within 8 s and with 3 when nobody answers the deletion', async () => {
    await using call = await setup({ apiUrl: silent.httpUrl });
    const { bot, roomName } = call;
    const sentAt = bot.signal('SIGTERM');
    expect(await bot.exited).toMatchObject({ code: 3, signal: null });
    const exit = await bot.has('exit');
    expect(exit.at - sentAt).toBeLessThan(promised(8_000));
    expect(await bot.has('outcome')).toMatchObject({ status: 'failed' });
    expect(await roomExists(server, roomName)).toBe(true);
  });

  it.concurrent.each([
    ['SIGTERM', 143],
    ['SIGINT', 130],
  ] as const)('exits at once at a second signal %s, with %i', async (signal, code) => {
    await using call = await setup({ apiUrl: silent.httpUrl });
    const { bot } = call;
    bot.signal('SIGTERM');
    await bot.has('entered', { frame: 'CancelFrame' });
    const sentAt = bot.signal(signal);
    expect(await bot.exited).toMatchObject({ code, signal: null });
    const exit = await bot.has('exit');
    expect(exit.at - sentAt).toBeLessThan(promised(forcedExitMs));
  });

  it.concurrent('starts the deletion at a second signal', async () => {
    await using call = await setup({ onSignal: 'end', whenAsked: { does: 'say', ms: 8_000 } });
    const { bot, caller } = call;
    bot.ask();
    await caller.waitFor('audioStarted');
    bot.signal('SIGTERM');
    await bot.has('entered', { frame: 'EndFrame' });
    const sentAt = bot.signal('SIGINT');
    expect(await bot.exited).toMatchObject({ code: 130, signal: null });
    const exit = await bot.has('exit');
    expect(exit.at - sentAt).toBeLessThan(promised(forcedExitMs));
    await expectGone(call);
  });
});
