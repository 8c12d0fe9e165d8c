import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { silentLogger } from '../../../src/lib/logger.ts';
import { GuardianClient, guardian as processGuardian } from '../../../src/rooms/guardian/guardian-client.ts';
import type { RoomToGuard, ToGuardian } from '../../../src/rooms/guardian/protocol.ts';
import type { GuardianProcessEvents } from '../../../src/rooms/guardian/spawn-guardian.ts';
import { RoomDeleter } from '../../../src/rooms/room-deleter.ts';
import { FakeLiveKitServer } from '../../../src/testing/fake-livekit-server.ts';
import { DoomedBot, type DoomedBotOptions, killBots, startBot } from '../../support/doomed-bot.ts';
import { diesWithin, isAlive } from '../../support/is-alive.ts';
import { promised } from '../../support/promised.ts';

const waiting = { timeout: 90_000, interval: 10 };
const secret = 'secret-that-is-in-no-command-line';
const servers = new Set<FakeLiveKitServer>();
afterAll(async () => {
  await killBots();
  await Promise.all([...servers].map((server) => server.stop()));
  servers.clear();
});

/** A server with the bot's room, and with one of a name alike that must stay. */
async function setup() {
  const server = await FakeLiveKitServer.start({ apiSecret: secret });
  servers.add(server);
  const [roomName, bystander] = ['my-room', 'my-room-2'];
  server.createRoom(roomName);
  server.createRoom(bystander);
  const names = (): string[] => server.rooms.map(({ name }) => name).sort();
  return {
    server,
    bot: (options: Partial<DoomedBotOptions> = {}) => startBot({ server, roomName, ...options }),
    isGone: () => vi.waitFor(() => expect(names()).toEqual([bystander]), waiting),
    async staysFor(ms: number) {
      await sleep(ms);
      expect(names()).toEqual([roomName, bystander]);
    },
  };
}

// most of it is waiting, and no test sees the rooms of another
describe.concurrent('the guardian of a bot', () => {
  it('deletes the room when the bot is killed, and ends', async () => {
    const { bot, isGone } = await setup();
    const killed = await bot({ verify: false });
    const pid = await killed.guardianPid();
    killed.kill('SIGKILL');
    await isGone();
    expect(await diesWithin(pid, 5_000)).toBe(true);
  });

  it('survives what kills the whole group of the bot', async () => {
    const { bot, isGone } = await setup();
    (await bot()).killGroup('SIGKILL');
    await isGone();
  });

  it('does nothing while the bot lives', async () => {
    const { bot, staysFor } = await setup();
    const alive = await bot({ guardianHeartbeatMs: 2_500 });
    await staysFor(6_000);
    expect(alive.output).toBe('');
  });

  it('has no secret on its command line and in its environment', async () => {
    const { bot, server } = await setup();
    const pid = await (
      await bot({ env: { LIVEKIT_API_SECRET: secret, OTHER_SECRET: 'hush' } })
    ).guardianPid();
    const seen = ['cmdline', 'environ'].map((name) => readFileSync(`/proc/${pid}/${name}`, 'utf8')).join();
    expect(seen).toContain('endframe guardian');
    for (const word of [secret, server.apiKey, 'my-room', 'hush', 'LIVEKIT'])
      expect(seen).not.toContain(word);
  });

  it('ignores SIGINT, SIGTERM and SIGHUP', async () => {
    const { bot, isGone } = await setup();
    const killed = await bot();
    const pid = await killed.guardianPid();
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.kill(pid, signal);
    await sleep(200);
    expect(isAlive(pid)).toBe(true);
    killed.kill('SIGKILL');
    await isGone();
  });

  it('is replaced when it dies, and the bot says so', async () => {
    const { bot, isGone } = await setup();
    const orphaned = await bot();
    const first = await orphaned.guardianPid();
    process.kill(first, 'SIGKILL');
    await vi.waitFor(async () => expect(await orphaned.guardianPid()).not.toBe(first), waiting);
    expect(orphaned.output).toContain('the guardian has died');
    orphaned.kill('SIGKILL');
    await isGone();
  });

  it('deletes the room of a bot that is stuck, which hears of it later', async () => {
    const { bot, isGone } = await setup();
    const stuck = await bot({ guardianHeartbeatMs: 1_000 });
    stuck.block(6_000);
    await isGone();
    const { outcome } = await stuck.waitFor('outcome');
    expect(outcome).toMatchObject({ status: 'already-gone', trigger: 'exit', attempts: 0 });
    expect(stuck.output).toContain('event loop blocked');
  });

  it('deletes the room of a bot that is frozen', async () => {
    const { bot, isGone } = await setup();
    (await bot({ guardianHeartbeatMs: 1_000 })).kill('SIGSTOP');
    await isGone();
  });

  it('keeps the room when it was frozen together with the bot', async () => {
    const { bot, staysFor, isGone } = await setup();
    const frozen = await bot({ guardianHeartbeatMs: 2_500 });
    const pid = await frozen.guardianPid();
    frozen.kill('SIGSTOP');
    process.kill(pid, 'SIGSTOP');
    await sleep(5_000);
    process.kill(pid, 'SIGCONT');
    frozen.kill('SIGCONT');
    await staysFor(5_000);
    frozen.kill('SIGKILL');
    await isGone();
  });

  it('leaves an orderly end alone, and the bot exits without waiting for it', async () => {
    const { bot, isGone, server } = await setup();
    const orderly = await bot();
    const pid = await orderly.guardianPid();
    const endedAt = performance.now();
    orderly.end();
    expect(await orderly.exited).toEqual({ code: 0, signal: null });
    expect(performance.now() - endedAt).toBeLessThan(promised(2_000));
    await isGone();
    expect(isAlive(pid)).toBe(true);
    expect(server.requests.filter(({ call }) => call === 'DeleteRoom')).toHaveLength(1);
  });

  it('deletes again what comes back after the bot has gone', async () => {
    const { bot, isGone, server } = await setup();
    const orderly = await bot({ room: { owned: true } });
    orderly.end();
    await orderly.exited;
    server.join('my-room', 'ada');
    await isGone();
  });

  it('tells the bot what came back', async () => {
    const { bot, isGone, server } = await setup();
    const cancelled = await bot({ room: { owned: true }, stays: true });
    cancelled.cancel();
    await cancelled.waitFor('outcome');
    server.join('my-room', 'ada');
    await isGone();
    const { reappearance } = await cancelled.waitFor('roomReappeared');
    expect(reappearance).toMatchObject({ roomName: 'my-room', status: 'deleted-again', afterMs: 1_000 });
  });

  it('leaves a newer room of a shared name alone', async () => {
    const { bot, staysFor, server } = await setup();
    const orderly = await bot();
    orderly.end();
    await orderly.exited;
    server.createRoom('my-room');
    await staysFor(3_000);
  });

  it('goes on where the bot has to give up', async () => {
    const { bot, isGone, server } = await setup();
    const late = await bot({ deadlineMs: 700 });
    server.fail({ kind: 'status', status: 503 });
    late.cancel();
    expect(await late.exited).toEqual({ code: 3, signal: null });
    expect(late.events).toContainEqual({
      event: 'outcome',
      outcome: expect.objectContaining({ status: 'handed-over' }),
    });
    server.heal();
    await isGone();
  });

  it('goes on where a proxy answered the bot for LiveKit', async () => {
    const { bot, isGone, server } = await setup();
    const refused = await bot();
    server.fail({ kind: 'status', status: 302 });
    refused.cancel();
    expect(await refused.exited).toEqual({ code: 3, signal: null });
    server.heal();
    await isGone();
  });

  it('keeps a room that the bot would have kept', async () => {
    const { bot, staysFor, isGone, server } = await setup();
    const ada = server.join('my-room', 'ada');
    const first = await bot({ deleteWhen: 'no-humans-left' });
    first.kill('SIGKILL');
    await staysFor(1_500);
    ada.leave();
    (await bot({ deleteWhen: 'no-humans-left' })).kill('SIGKILL');
    await isGone();
  });

  it('watches on over a bot that was only stuck, and whose room it kept', async () => {
    const { bot, isGone, staysFor, server } = await setup();
    const ada = server.join('my-room', 'ada');
    const stuck = await bot({ deleteWhen: 'no-humans-left', ownIdentity: 'bot', guardianHeartbeatMs: 1_000 });
    const pid = await stuck.guardianPid();
    stuck.block(3_000);
    await vi.waitFor(() => expect(stuck.output).toContain('event loop blocked'), waiting);
    await staysFor(0);
    expect(await stuck.guardianPid()).toBe(pid);
    ada.leave();
    stuck.kill('SIGKILL');
    await isGone();
  });

  it('spares a bot that was stuck while LiveKit was away', async () => {
    const { bot, staysFor, server } = await setup();
    const stuck = await bot({ guardianHeartbeatMs: 2_500 });
    server.fail({ kind: 'status', status: 503 });
    const before = server.requests.length;
    stuck.block(5_000);
    await vi.waitFor(() => expect(server.requests.length).toBeGreaterThan(before), waiting);
    // answers only when its loop turns again
    await stuck.guardianPid();
    server.heal();
    // longer than the guardian's longest pause between attempts
    await staysFor(6_000);
  });

  it('leaves a newer room of a shared name alone that was there before the bot died', async () => {
    const { bot, staysFor, server } = await setup();
    const killed = await bot({
      verify: false,
      room: { owned: false, sid: server.room('my-room')?.sid },
    });
    const pid = await killed.guardianPid();
    server.deleteRoom('my-room');
    server.createRoom('my-room');
    killed.kill('SIGKILL');
    expect(await diesWithin(pid, 10_000)).toBe(true);
    await staysFor(0);
  });

  it('deletes the room of a bot that is killed while it loads its models', async () => {
    const { server, isGone } = await setup();
    const loading = new DoomedBot({ server, roomName: 'my-room', loadMs: 60_000, guardianHeartbeatMs: 500 });
    await loading.waitFor('loading');
    loading.kill('SIGKILL');
    await isGone();
  });

  it('counts nobody as stuck who loads models before the start', async () => {
    const { bot, staysFor, isGone } = await setup();
    const loaded = await bot({ loadMs: 5_000, guardianHeartbeatMs: 2_000 });
    await staysFor(0);
    expect(loaded.output).toBe('');
    loaded.kill('SIGSTOP');
    await isGone();
  });

  it.each([{ guardian: false }, { deleteWhen: 'never' }] as const)(
    'is not there with %o',
    async (options) => {
      const { bot, staysFor } = await setup();
      const unguarded = await bot(options);
      await expect(unguarded.guardianPid(300)).rejects.toThrow('no armed guardian');
      unguarded.kill('SIGKILL');
      await staysFor(1_000);
    },
  );
});

describe('GuardianClient', () => {
  const guarded: RoomToGuard = {
    roomName: 'room',
    room: { owned: true },
    credentials: { apiKey: 'k', apiSecret: 's', baseUrl: 'http://127.0.0.1:9', attemptTimeoutMs: 1_000 },
    deleteWhen: 'always',
    ownIdentity: undefined,
    verify: false,
    heartbeatMs: 4_000,
  };

  /** A guardian's process that does nothing by itself. */
  function fakeProcesses() {
    const started: (GuardianProcessEvents & { sent: ToGuardian[]; beats: number })[] = [];
    const warn = vi.fn();
    const guardian = new GuardianClient((events) => {
      const one = { ...events, sent: [] as ToGuardian[], beats: 0 };
      started.push(one);
      return {
        pid: started.length,
        send: (message) => one.sent.push(message),
        write: () => {
          one.beats += 1;
        },
      };
    });
    const onNews = vi.fn();
    const watch = () => guardian.watch(guarded, { logger: { ...silentLogger, warn }, onNews });
    return { started, guardian, warn, watch, onNews };
  }

  it('has one process for all rooms', () => {
    const { started, watch } = fakeProcesses();
    const [first, second] = [watch(), watch()];
    expect(started).toHaveLength(1);
    expect(started[0]?.sent).toMatchObject([
      { type: 'watch', id: 1 },
      { type: 'watch', id: 2 },
    ]);
    started[0]?.onMessage({ type: 'armed', id: 2 });
    expect([first.armed, second.armed]).toEqual([false, true]);
  });

  describe('its beats', () => {
    beforeEach(() => void vi.useFakeTimers());
    afterEach(() => void vi.useRealTimers());

    it('beats four times per limit, until nothing is left to watch', () => {
      const { started, watch } = fakeProcesses();
      const hold = watch();
      vi.advanceTimersByTime(4_000);
      expect(started[0]?.beats).toBe(4);
      hold.release();
      expect(vi.getTimerCount()).toBe(0);
    });

    it('beats on while rooms come and go', () => {
      const { started, watch } = fakeProcesses();
      watch();
      for (let rooms = 0; rooms < 16; rooms += 1) {
        watch();
        vi.advanceTimersByTime(250);
        started[0]?.onMessage({ type: 'finished', id: rooms + 2 });
        vi.advanceTimersByTime(250);
      }
      expect(started[0]?.beats).toBe(8);
    });

    it('beats from when silence begins to mean something', () => {
      const { started, guardian } = fakeProcesses();
      const options = { logger: silentLogger, onNews: () => {} };
      const hold = guardian.watch({ ...guarded, heartbeatMs: null }, options);
      vi.advanceTimersByTime(4_000);
      expect(started[0]?.beats).toBe(0);
      hold.update(guarded);
      vi.advanceTimersByTime(4_000);
      expect(started[0]?.beats).toBe(4);
    });
  });

  it('is not armed for a room that is finished', () => {
    const { started, watch } = fakeProcesses();
    const hold = watch();
    expect([hold.armed, hold.isComing]).toEqual([false, true]);
    started[0]?.onMessage({ type: 'armed', id: 1 });
    expect([hold.armed, hold.isComing]).toEqual([true, true]);
    started[0]?.onMessage({ type: 'finished', id: 1 });
    expect([hold.armed, hold.isComing]).toEqual([false, false]);
  });

  it('has the same process go on for a room that comes while the last one is finished', async () => {
    const guardian = new GuardianClient();
    const options = { logger: silentLogger, onNews: () => {} };
    const first = guardian.watch(guarded, options);
    await vi.waitFor(() => expect(first.armed).toBe(true), waiting);
    const { pid } = guardian;
    first.verify();
    const second = guardian.watch(guarded, options);
    await vi.waitFor(() => expect(second.armed).toBe(true), waiting);
    expect(guardian.pid).toBe(pid);
    second.release();
    expect(await diesWithin(pid ?? 0, 5_000)).toBe(true);
  });

  it('tells a new process everything that the old one knew', () => {
    const { started, watch } = fakeProcesses();
    const holds = [watch(), watch(), watch()];
    started[0]?.onMessage({ type: 'armed', id: 1 });
    holds[0]?.release();
    holds[1]?.verify();
    started[0]?.onEnd(new Error('SIGKILL'));
    expect(started[1]?.sent.map(({ type, id }) => [type, id])).toEqual([
      ['watch', 2],
      ['verify', 2],
      ['watch', 3],
    ]);
  });

  it('starts no other process when nothing is left to watch', () => {
    const { started, watch } = fakeProcesses();
    watch();
    started[0]?.onMessage({ type: 'armed', id: 1 });
    started[0]?.onMessage({ type: 'finished', id: 1 });
    started[0]?.onEnd(new Error('SIGKILL'));
    expect(started).toHaveLength(1);
    watch();
    expect(started).toHaveLength(2);
  });

  describe('that cannot be started', () => {
    beforeEach(() => void vi.useFakeTimers());
    afterEach(() => void vi.useRealTimers());

    /** The seconds in which processes were started, where each of them comes to an end at once. */
    function startsOf(end: (events: GuardianProcessEvents) => void) {
      const atS: number[] = [];
      const logger = { ...silentLogger, warn: vi.fn(), info: vi.fn() };
      const startedAt = Date.now();
      const guardian = new GuardianClient((events) => {
        atS.push((Date.now() - startedAt) / 1_000);
        end(events);
        return { pid: 1, send: () => {}, write: () => {} };
      });
      const watch = () => guardian.watch(guarded, { logger, onNews: () => {} });
      return { atS, logger, watch };
    }

    it.each([
      [
        'by an error that is thrown',
        () => {
          throw new Error('EMFILE');
        },
      ],
      [
        'by an error that is told',
        ({ onEnd }: GuardianProcessEvents) => queueMicrotask(() => onEnd(new Error('EMFILE'))),
      ],
    ])('is tried again ever later, with one warning: %s', async (_, end) => {
      const { atS, logger, watch } = startsOf(end);
      const hold = watch();
      await vi.advanceTimersByTimeAsync(200_000);
      expect(atS).toEqual([0, 1, 3, 7, 15, 31, 63, 123, 183]);
      expect(logger.warn).toHaveBeenCalledExactlyOnceWith(
        { error: new Error('EMFILE') },
        expect.stringContaining('no guardian'),
      );
      expect([hold.armed, hold.isComing]).toEqual([false, false]);
      hold.takeOver();
      hold.verify();
    });

    it('is not tried more often because rooms come and go', async () => {
      const { atS, watch } = startsOf(() => {
        throw new Error('EMFILE');
      });
      for (let room = 0; room < 100; room += 1) {
        watch().release();
        watch();
        await vi.advanceTimersByTimeAsync(50);
      }
      expect(atS).toEqual([0, 1, 3]);
    });

    it('warns again when it was there in between', async () => {
      let fails = true;
      const processes: GuardianProcessEvents[] = [];
      const { logger, watch } = startsOf((events) => {
        if (fails) throw new Error('EMFILE');
        processes.push(events);
      });
      watch();
      fails = false;
      await vi.advanceTimersByTimeAsync(1_000);
      processes[0]?.onMessage({ type: 'armed', id: 1 });
      expect(logger.info).toHaveBeenCalledExactlyOnceWith({}, 'there is a guardian now');
      fails = true;
      await vi.advanceTimersByTimeAsync(60_000);
      processes[0]?.onEnd(new Error('SIGKILL'));
      expect(logger.warn.mock.calls.map(([{ error }]) => error.message)).toEqual([
        'EMFILE',
        'SIGKILL',
        'EMFILE',
      ]);
    });

    it('is replaced at once after it was of use, and ever later when it always dies soon', async () => {
      const { atS, watch } = startsOf((events) => {
        setTimeout(() => events.onMessage({ type: 'armed', id: 1 }), 10);
        setTimeout(() => events.onEnd(new Error('SIGSEGV')), 500);
      });
      watch();
      await vi.advanceTimersByTimeAsync(12_000);
      expect(atS).toEqual([0, 0.5, 3, 7.5]);
    });

    it('keeps no process alive', () => {
      const { watch } = startsOf(() => {
        throw new Error('EMFILE');
      });
      const timeouts = vi.spyOn(globalThis, 'setTimeout');
      watch();
      const retry = timeouts.mock.results.at(-1)?.value as NodeJS.Timeout;
      expect(retry.hasRef()).toBe(false);
    });
  });

  it('passes on what its process did by itself', () => {
    const { started, watch, onNews } = fakeProcesses();
    watch();
    const news = { type: 'settled', id: 1, status: 'deleted', cause: 'stuck' } as const;
    started[0]?.onMessage(news);
    expect(onNews).toHaveBeenCalledExactlyOnceWith(news);
  });
});

describe('RoomDeleter with a rest of another make', () => {
  const rest = { deleteRoomByName: async (): Promise<true> => true };

  it.each([
    [true, 1],
    [undefined, 0],
  ])('has no guardian: asked for by %s, it warns %i times', async (guardian, times) => {
    const warn = vi.fn();
    const deleter = new RoomDeleter({ roomName: 'r', rest, guardian, logger: { ...silentLogger, warn } });
    await deleter.arm({ guardian: true });
    await deleter.arm({ guardian: true });
    expect(warn).toHaveBeenCalledTimes(times);
    expect(processGuardian.pid).toBeUndefined();
  });
});
