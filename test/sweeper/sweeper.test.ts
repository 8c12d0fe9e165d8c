import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { InvalidOptionError } from '../../src/lib/errors.ts';
import { silentLogger } from '../../src/lib/logger.ts';
import { InMemoryEngine } from '../../src/sweeper/engine/in-memory-engine.ts';
import { Sweeper } from '../../src/sweeper/sweeper.ts';
import type { SweepReport } from '../../src/sweeper/sweeper-events.ts';
import type { SweeperOptions } from '../../src/sweeper/sweeper-options.ts';
import { passes } from '../support/fake-time.ts';
import { restError, World } from './sweeper-setup.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(async () => {
  const stopped = Promise.all(sweepers.splice(0).map((sweeper) => sweeper.stop()));
  // deletions that are under way come to their end, in virtual time
  await passes(60_000);
  await stopped;
  vi.useRealTimers();
});
const sweepers: Sweeper[] = [];
const live = ['agents-1', 'agents-2', 'agents-3', 'agents-4', 'agents-5'];

/** Five live bots, a bot that will die, and a room of somebody else; a sweeper that has seen them. */
async function setup(options: Partial<SweeperOptions> = {}) {
  const world = new World();
  const bots = live.map((name) => world.bot(name));
  const doomed = world.bot('agents-dead');
  for (const name of [...live, 'agents-dead']) world.human(name);
  world.create('my-agents-1', '');
  let frozenMs = 0;
  // passes at whole polls, from the first on
  const engine = new InMemoryEngine({ nowMs: () => performance.now() + frozenMs, random: () => 1 });
  const warn = vi.fn();
  const logger = { ...silentLogger, warn };
  const sweeper = new Sweeper({ rest: world, prefix: 'agents-', engine, logger, ...options });
  sweepers.push(sweeper);
  const reports: SweepReport[] = [];
  sweeper.report$.subscribe((report) => reports.push(report));
  sweeper.start();
  const seconds = (count: number) => passes(count * 1_000);
  await seconds(12);
  return {
    world,
    bots,
    doomed,
    sweeper,
    reports,
    warn,
    seconds,
    /** The sweeper's process stands still, and the world goes on. */
    freezesFor: (count: number) => {
      frozenMs += count * 1_000;
    },
    /** How long until the room is gone, in seconds. */
    goneAfter: async (name: string, limit = 120): Promise<number> => {
      for (let waited = 0; waited < limit; waited += 1) {
        if (!world.names.includes(name)) return waited;
        await seconds(1);
      }
      throw new Error(`${name} is still there after ${limit} s`);
    },
  };
}

/** Nobody but the dead one is gone. */
function expectOnlyTheDeadGone({ deleted, names }: World, others: readonly string[] = []): void {
  expect(deleted).toEqual(['agents-dead']);
  expect(names).toEqual([...live, 'my-agents-1', ...others]);
}

/** The same numbers from 0 to 1 for the same seed. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

describe('Sweeper', () => {
  it.each(['kill', 'block'] as const)('deletes within 40 s of a %s, and nothing else', async (how) => {
    const { world, doomed, goneAfter, seconds } = await setup();
    doomed[how]();
    expect(await goneAfter('agents-dead')).toBeLessThanOrEqual(40);
    await seconds(300);
    expectOnlyTheDeadGone(world);
  });

  it('deletes the room of a bot in another language after presence and grace', async () => {
    const { world, goneAfter, seconds } = await setup();
    const bot = world.bot('agents-py', { beats: false });
    await seconds(600);
    bot.leave();
    expect(await goneAfter('agents-py')).toBeLessThanOrEqual(40);
  });

  it('deletes nothing when LiveKit is frozen for a minute, and the dead one afterwards', async () => {
    const { world, doomed, goneAfter, seconds } = await setup();
    doomed.kill();
    world.frozen = true;
    await seconds(60);
    world.frozen = false;
    expect(await goneAfter('agents-dead')).toBeGreaterThan(25);
    await seconds(120);
    expectOnlyTheDeadGone(world);
  });

  it('deletes nothing while LiveKit comes and goes', async () => {
    const { world, seconds } = await setup();
    for (let round = 0; round < 40; round += 1) {
      world.frozen = true;
      await seconds(4 + (round % 7));
      world.frozen = false;
      await seconds(4 + (round % 3));
    }
    expect(world.deleted).toEqual([]);
  });

  it.each([16, 60, 600])('starts again when it was frozen itself for %i s', async (frozenFor) => {
    const { world, bots, doomed, seconds, freezesFor, goneAfter } = await setup();
    await seconds(18);
    // the bots are late with their next beat, of all times
    for (const bot of bots) bot.block();
    freezesFor(frozenFor);
    await seconds(25);
    for (const bot of bots) bot.unblock();
    doomed.kill();
    expect(await goneAfter('agents-dead')).toBeLessThanOrEqual(40);
    await seconds(120);
    expectOnlyTheDeadGone(world);
  });

  it.each([-10 * 365 * 86_400, -120, 120, 10 * 365 * 86_400])(
    'does not mind a calendar that is %i s off',
    async (offS) => {
      const { world, doomed, seconds, goneAfter } = await setup();
      vi.setSystemTime(Date.now() + offS * 1_000);
      await seconds(60);
      expect(world.deleted).toEqual([]);
      doomed.kill();
      await goneAfter('agents-dead', 41);
      expectOnlyTheDeadGone(world);
    },
  );

  it('keeps a room whose bot restarts within the time', async () => {
    const { world, bots, seconds } = await setup();
    for (let round = 0; round < 5; round += 1) {
      bots[0]?.leave();
      await seconds(25);
      bots[0] = world.bot('agents-1');
      await seconds(5);
    }
    expect(world.deleted).toEqual([]);
  });

  it('goes by presence where a bot may not write attributes', async () => {
    const { world, seconds } = await setup();
    world.bot('agents-mute', { beats: false });
    await seconds(600);
    expect(world.deleted).toEqual([]);
  });

  it('handles the others when one room cannot be read, and that one later', async () => {
    const { world, doomed, seconds, goneAfter, reports, warn } = await setup();
    const hidden = world.bot('agents-hidden');
    world.failing.set('listParticipants agents-hidden', restError('unavailable', 'agents-hidden', 503));
    hidden.kill();
    doomed.kill();
    expect(await goneAfter('agents-dead')).toBeLessThanOrEqual(40);
    await seconds(120);
    expect(world.deleted).toEqual(['agents-dead']);
    expect(reports.at(-1)?.failedLooks).toBe(1);
    expect(warn).toHaveBeenCalledWith(
      expect.objectContaining({ roomName: 'agents-hidden' }),
      expect.anything(),
    );
    world.failing.clear();
    expect(await goneAfter('agents-hidden')).toBeGreaterThan(25);
  });

  const calls = ['listRooms', 'listParticipants agents-dead'];
  it.each(calls)('observes the better part of a silence anew after one failed %s', async (call) => {
    const { world, doomed, seconds, goneAfter } = await setup();
    doomed.block();
    await seconds(25);
    world.failing.set(call, restError('unavailable', '', 503));
    await seconds(5);
    world.failing.clear();
    expect(await goneAfter('agents-dead')).toBeGreaterThanOrEqual(20);
    expectOnlyTheDeadGone(world);
  });

  it.each(calls)('deletes the dead one although %s fails every half a minute', async (call) => {
    const { world, doomed, seconds } = await setup();
    doomed.block();
    for (let round = 0; round < 3; round += 1) {
      world.failing.set(call, restError('unavailable', '', 429));
      await seconds(5);
      world.failing.clear();
      await seconds(25);
    }
    expectOnlyTheDeadGone(world);
  });

  it('lists again after a second when a list failed, and later and later', async () => {
    const { world, seconds } = await setup();
    world.failing.set('listRooms', restError('unavailable', '', 503));
    const { listRooms } = world.calls;
    await seconds(5.5);
    expect(world.calls.listRooms - listRooms).toBe(2);
    await seconds(60);
    expect(world.calls.listRooms - listRooms).toBe(15);
  });

  it('deletes the dead one in time while a neighbour cannot be looked at because LiveKit hangs', async () => {
    const { world, doomed, seconds, goneAfter } = await setup();
    world.bot('agents-hidden').block();
    for (let index = 0; index < 30; index += 1) world.bot(`agents-hidden-${index}`);
    for (const name of world.names.filter((one) => one.includes('hidden'))) world.hanging.add(name);
    doomed.block();
    expect(await goneAfter('agents-dead')).toBeLessThanOrEqual(40);
    await seconds(120);
    expect(world.deleted).toEqual(['agents-dead']);
    world.hanging.clear();
    expect(await goneAfter('agents-hidden')).toBeGreaterThan(25);
  });

  it.each([1, 2, 3, 5])(
    'deletes no room of a live bot while LiveKit comes and goes and looks fail, seed %i',
    async (seed) => {
      const { world, doomed, sweeper, seconds, goneAfter } = await setup({
        pollMs: seed % 2 === 0 ? 1_000 : 5_000,
      });
      const random = seeded(seed);
      const slow = Array.from({ length: 6 }, (_, index) => `agents-slow-${index}`);
      for (const name of slow) {
        await seconds(random());
        // the longest that a lease may have to wait for a write that hangs
        world.bot(name, { lateMs: 10_000 * random() });
      }
      for (const endMs = performance.now() + 900_000; performance.now() < endMs; ) {
        world.frozen = true;
        // longer than a poll: what the sweeper does not notice must not cost a beat either
        await seconds(6 + 15 * random());
        world.frozen = false;
        const name = slow[Math.floor(slow.length * random())] ?? '';
        if (random() < 0.5)
          world.failing.set(`listParticipants ${name}`, restError('unavailable', name, 429));
        sweeper.lookSooner(...slow);
        await seconds(1 + 30 * random());
        sweeper.lookSooner(...slow);
        world.failing.clear();
      }
      expect(world.deleted).toEqual([]);
      await seconds(60);
      doomed.block();
      expect(await goneAfter('agents-dead')).toBeLessThanOrEqual(40);
      expectOnlyTheDeadGone(world, slow);
    },
  );

  it('does not count the time of a list that hung and came at last', async () => {
    const { world, sweeper, seconds, doomed, goneAfter } = await setup({ pollMs: 10_000 });
    const late = ['agents-late-1', 'agents-late-2'];
    for (const name of late) world.bot(name, { lateMs: 10_000 });
    const list = world.listRooms.bind(world);
    world.listRooms = async (names) => {
      while (world.frozen) await new Promise((resolve) => setTimeout(resolve, 10));
      return list(names);
    };
    const { listRooms } = world.calls;
    while (world.calls.listRooms < listRooms + 2) await seconds(0.1);
    await seconds(0.1);
    world.frozen = true;
    // the list comes before the gap between the looks is too long
    await seconds(29);
    world.frozen = false;
    for (let hint = 0; hint < 10; hint += 1) {
      sweeper.lookSooner(...world.names);
      await seconds(1.1);
    }
    await seconds(20);
    expect(world.deleted).toEqual([]);
    doomed.block();
    expect(await goneAfter('agents-dead')).toBeLessThanOrEqual(50);
    expectOnlyTheDeadGone(world, late);
  });

  it('starts again for rooms that LiveKit had forgotten for a while', async () => {
    const { world, bots, seconds } = await setup();
    for (const bot of bots) bot.block();
    await seconds(25);
    world.forgetsFor(6_000);
    await seconds(25);
    for (const bot of bots) bot.unblock();
    await seconds(20);
    expect(world.deleted).toEqual([]);
  });

  it('deletes no room whose marker was overwritten, and says so once', async () => {
    const { world, bots, seconds, warn, sweeper } = await setup();
    const found = vi.fn();
    sweeper.on('unmarkedRoomFound', found);
    world.metadata('agents-1', '{"title":"support"}');
    bots[0]?.kill();
    await seconds(300);
    expect(world.deleted).toEqual([]);
    expect(found).toHaveBeenCalledOnce();
    expect(warn).toHaveBeenCalledWith(expect.objectContaining({ roomName: 'agents-1' }), expect.anything());
  });

  it('lets the prefix decide where it was told to', async () => {
    const { world, bots, seconds } = await setup({ marker: 'prefix-only' });
    world.metadata('agents-1', '');
    bots[0]?.kill();
    await seconds(60);
    expect(world.deleted).toEqual(['agents-1']);
  });

  it('deletes a room that is too old, with everybody in it', async () => {
    const { world, seconds } = await setup({ maxSessionMs: 600_000 });
    await seconds(580);
    expect(world.deleted).toEqual([]);
    world.create('agents-new');
    await seconds(25);
    expect(world.deleted.toSorted()).toEqual(['agents-dead', ...live].toSorted());
  });

  it('makes no room old by a room that was created in the future', async () => {
    const { world, seconds } = await setup({ maxSessionMs: 600_000 });
    const nowMs = Date.now();
    vi.setSystemTime(nowMs + 5 * 3_600_000);
    world.bot('agents-future');
    vi.setSystemTime(nowMs);
    await seconds(60);
    expect(world.deleted).toEqual([]);
  });

  it('deletes at most a fifth of the rooms in a pass, and raises the alarm', async () => {
    const { world, bots, sweeper, seconds, reports } = await setup();
    const alarm = vi.fn();
    sweeper.on('deletionsCapped', alarm);
    const crowd = Array.from({ length: 94 }, (_, index) => world.bot(`agents-x${index}`));
    await seconds(10);
    for (const bot of [...crowd, ...bots]) bot.block();
    const times: number[] = [];
    sweeper.on('roomReaped', () => times.push(Date.now()));
    await seconds(120);
    expect(world.names).toEqual(['agents-dead', 'my-agents-1']);
    expect(alarm.mock.calls[0]).toMatchObject([{ owned: 95, cap: 19 }]);
    for (const time of times) {
      expect(times.filter((other) => Math.abs(other - time) < 2_000).length).toBeLessThanOrEqual(20);
    }
    const statuses = reports.flatMap(({ orphans }) => orphans).map(({ status }) => status);
    expect(statuses.filter((status) => status === 'deleted')).toHaveLength(99);
    const passes = reports.filter(({ orphans }) => orphans.some(({ status }) => status === 'capped'));
    expect(alarm).toHaveBeenCalledTimes(passes.length);
  });

  it('deletes nothing in a dry run, and tells what it would', async () => {
    const { world, doomed, seconds, reports } = await setup({ dryRun: true });
    doomed.kill();
    await seconds(60);
    expect(world.calls.deleteRoomByName).toBe(0);
    expect(reports.at(-1)?.orphans).toEqual([
      expect.objectContaining({ roomName: 'agents-dead', reason: 'bot-gone', status: 'would-delete' }),
    ]);
  });

  it.each(['', '  ', undefined, 7])('refuses the prefix %j', (prefix) => {
    const options = { rest: new World(), prefix: prefix as string };
    expect(() => new Sweeper(options)).toThrow(InvalidOptionError);
  });

  it.each([
    { pollMs: 0 },
    { leaseTtlMs: 14_999 },
    { graceMs: -1 },
    { maxSessionMs: 1_000 },
    { maxDeletionShare: 1.1 },
    { minDeletionCap: 0.5 },
    { concurrency: 0 },
    { marker: 'none' },
    { isBot: 'bot' },
    { rest: {} },
    { engine: {} },
  ])('refuses %j', (options) => {
    const all = { rest: new World(), prefix: 'agents-', ...options } as SweeperOptions;
    expect(() => new Sweeper(all)).toThrow(InvalidOptionError);
  });

  it('begins nothing after it was stopped', async () => {
    const { world, doomed, sweeper, seconds } = await setup();
    doomed.kill();
    await sweeper.stop();
    await sweeper.stop();
    const before = { ...world.calls };
    sweeper.start();
    sweeper.lookSooner('agents-1');
    await seconds(120);
    expect(world.calls).toEqual(before);
  });

  it('looks at once when it is asked to, and decides no sooner for it', async () => {
    const { world, doomed, sweeper, seconds, goneAfter } = await setup();
    doomed.block();
    const before = world.calls.listParticipants;
    for (let hint = 0; hint < 100; hint += 1)
      sweeper.lookSooner('agents-dead', 'agents-unknown', 'my-agents-1');
    await passes(200);
    expect(world.calls.listParticipants).toBe(before + 1);
    // it has just looked
    sweeper.lookSooner('agents-dead');
    await passes(200);
    expect(world.calls.listParticipants).toBe(before + 1);
    for (let hint = 0; hint < 30; hint += 1) {
      sweeper.lookSooner('agents-dead');
      await passes(500);
    }
    await seconds(8);
    expect(world.deleted).toEqual([]);
    await goneAfter('agents-dead');
    expectOnlyTheDeadGone(world);
  });

  it('takes no note of hints whose list fails, and of names that no room can have', async () => {
    const { world, doomed, sweeper, goneAfter, seconds, warn } = await setup();
    const failed = vi.fn();
    sweeper.on('sweepFailed', failed);
    doomed.block();
    await seconds(20);
    const { listRooms } = world.calls;
    sweeper.lookSooner('agents-\uD800', `agents-${'x'.repeat(256)}`, '', undefined as never);
    await passes(200);
    expect(world.calls.listRooms).toBe(listRooms);
    world.failing.set('listRooms', restError('unavailable', '', 503));
    sweeper.lookSooner('agents-dead');
    await passes(200);
    world.failing.clear();
    expect(world.calls.listRooms).toBe(listRooms + 1);
    expect(await goneAfter('agents-dead')).toBeLessThanOrEqual(20);
    expect([failed.mock.calls, warn.mock.calls]).toEqual([[], []]);
  });

  it('never lists all rooms for a hint, however many come while it looks', async () => {
    const { world, sweeper, seconds } = await setup();
    const asked: string[][] = [];
    const list = world.listRooms.bind(world);
    world.listRooms = async (names) => {
      asked.push([...names]);
      await new Promise((resolve) => setTimeout(resolve, 1_000));
      return list(names);
    };
    for (let hint = 0; hint < 20; hint += 1) {
      sweeper.lookSooner('agents-1');
      await passes(60);
    }
    await seconds(1.5);
    expect(asked).toEqual([['agents-1'], ['agents-1']]);
  });
});

describe('sweepOnce', () => {
  async function once(world: World, options: Partial<SweeperOptions> = {}) {
    const engine = new InMemoryEngine({ random: () => 1 });
    const sweeper = new Sweeper({ rest: world, prefix: 'agents-', engine, logger: silentLogger, ...options });
    sweepers.push(sweeper);
    const report = sweeper.sweepOnce();
    report.catch(() => {});
    await passes(200_000);
    return report;
  }

  it('watches for as long as it takes, deletes, and tells everything in one report', async () => {
    const world = new World();
    world.bot('agents-1');
    world.bot('agents-dead').block();
    world.human('agents-bare');
    const report = await once(world);
    expect(
      report.orphans.map(({ roomName, reason, status }) => [roomName, reason, status]).toSorted(),
    ).toEqual([
      ['agents-bare', 'bot-gone', 'deleted'],
      ['agents-dead', 'lease-expired', 'deleted'],
    ]);
    expect(report).toMatchObject({ owned: 1, undecided: 0 });
    expect(world.names).toEqual(['agents-1']);
  });

  it('is over at once where there is nothing of ours', async () => {
    const world = new World();
    world.create('other', '');
    await once(world);
    expect(world.calls).toEqual({ listRooms: 1, listParticipants: 0, deleteRoomByName: 0 });
  });

  it('would delete in a dry run', async () => {
    const world = new World();
    world.human('agents-bare');
    const report = await once(world, { dryRun: true });
    expect(report.orphans).toMatchObject([{ roomName: 'agents-bare', status: 'would-delete' }]);
    expect(world.names).toEqual(['agents-bare']);
  });

  it('reports what it has seen although its first pass took longer than all the time it has', async () => {
    const world = new World();
    world.bot('agents-dead').block();
    const list = world.listRooms.bind(world);
    let isFirst = true;
    world.listRooms = async (names) => {
      if (isFirst) await new Promise((resolve) => setTimeout(resolve, 29_000));
      isFirst = false;
      return list(names);
    };
    const report = await once(world, { pollMs: 1_000, leaseTtlMs: 5_000, graceMs: 5_000 });
    expect(report).toMatchObject({ owned: 1, looked: 1, undecided: 1 });
  });

  it('rejects with an error when it is stopped before it has seen anything', async () => {
    const world = new World();
    world.frozen = true;
    const sweeper = new Sweeper({ rest: world, prefix: 'agents-', logger: silentLogger });
    const report = sweeper.sweepOnce();
    report.catch(() => {});
    await sweeper.stop();
    await expect(report).rejects.toBeInstanceOf(Error);
  });

  it('counts no room as left that it has deleted in its last pass', async () => {
    const world = new World();
    world.human('agents-bare');
    world.bot('agents-live');
    const look = world.listParticipants.bind(world);
    world.listParticipants = async (name) => {
      // so that the pass is not over before the deletion
      if (name === 'agents-live') await new Promise((resolve) => setTimeout(resolve, 900));
      return look(name);
    };
    const sweeper = new Sweeper({ rest: world, prefix: 'agents-', logger: silentLogger });
    sweepers.push(sweeper);
    const left: [number, number][] = [];
    sweeper.on('swept', ({ owned }) => left.push([owned, world.names.length]));
    sweeper.start();
    await passes(60_000);
    expect(left.every(([told, there]) => told === there)).toBe(true);
    expect(left.at(-1)).toEqual([1, 1]);
  });

  it('rejects when LiveKit never answered', async () => {
    const world = new World();
    world.failing.set('listRooms', restError('auth', '', 401));
    await expect(once(world)).rejects.toMatchObject({ kind: 'auth' });
  });

  it('gives up on a room that cannot be read', async () => {
    const world = new World();
    world.bot('agents-1');
    world.failing.set('listParticipants', restError('unavailable', '', 503));
    expect(await once(world)).toMatchObject({ undecided: 1, orphans: [] });
  });
});
