import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { silentLogger } from '../../src/lib/logger.ts';
import { InMemoryEngine } from '../../src/sweeper/engine/in-memory-engine.ts';
import { Sweeper } from '../../src/sweeper/sweeper.ts';
import type { OrphanReport } from '../../src/sweeper/sweeper-events.ts';
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
const name = 'agents-1';

/** A room whose bot is dead, and a live neighbour. */
async function setup(options: Partial<SweeperOptions> = {}) {
  const world = new World();
  world.human(name);
  world.bot('agents-live');
  // passes at whole polls, from the first on
  const engine = new InMemoryEngine({ random: () => 1 });
  const sweeper = new Sweeper({ rest: world, prefix: 'agents-', engine, logger: silentLogger, ...options });
  sweepers.push(sweeper);
  const told: [string, OrphanReport][] = [];
  for (const event of ['roomReaped', 'roomSpared', 'roomReapFailed'] as const) {
    sweeper.on(event, (report) => told.push([event, report]));
  }
  sweeper.start();
  const seconds = (count: number) => passes(count * 1_000);
  return { world, sweeper, told, seconds };
}

describe('reaping', () => {
  it('tells what it deleted and why', async () => {
    const { told, seconds, world } = await setup();
    await seconds(40);
    expect(world.deleted).toEqual([name]);
    expect(told).toEqual([
      [
        'roomReaped',
        expect.objectContaining({ roomName: name, sid: 'RM_0', reason: 'bot-gone', status: 'deleted' }),
      ],
    ]);
    expect(told[0]?.[1].silentMs).toBeGreaterThanOrEqual(30_000);
  });

  it('spares a room that was created anew between look and deletion', async () => {
    const { world, sweeper, told, seconds } = await setup();
    sweeper.once('orphanFound', () => world.create(name, undefined, 'RM_new'));
    await seconds(40);
    expect(told).toEqual([['roomSpared', expect.objectContaining({ sparedBecause: 'replaced' })]]);
    expect(world.names).toContain(name);
    await seconds(60);
    expect(world.deleted).toEqual([name]);
  });

  it('spares a room of the same sid that is another one all the same', async () => {
    const { world, sweeper, told, seconds } = await setup();
    sweeper.once('orphanFound', () => world.create(name, undefined, 'RM_0'));
    await seconds(40);
    expect(told).toEqual([['roomSpared', expect.objectContaining({ sparedBecause: 'replaced' })]]);
  });

  it('spares a room whose bot came back between look and deletion', async () => {
    const { world, sweeper, told, seconds } = await setup();
    sweeper.once('orphanFound', () => world.bot(name));
    await seconds(300);
    expect(told).toEqual([['roomSpared', expect.objectContaining({ sparedBecause: 'bot-alive' })]]);
    expect(world.deleted).toEqual([]);
  });

  it('spares a room that lost its marker between look and deletion', async () => {
    const { world, sweeper, told, seconds } = await setup();
    sweeper.once('orphanFound', () => world.metadata(name, '{}'));
    await seconds(300);
    expect(told).toEqual([['roomSpared', expect.objectContaining({ sparedBecause: 'marker-missing' })]]);
  });

  it('counts a room that somebody else deleted in between as gone', async () => {
    const { world, sweeper, told, seconds } = await setup();
    sweeper.once('orphanFound', () => void world.deleteRoomByName(name));
    await seconds(40);
    expect(told).toEqual([['roomReaped', expect.objectContaining({ status: 'already-gone' })]]);
  });

  it('tries again, and looks again before each attempt', async () => {
    const { world, told, seconds } = await setup();
    world.failing.set('deleteRoomByName', restError('unavailable', name, 503));
    setTimeout(() => world.failing.clear(), 36_000);
    await seconds(45);
    expect(world.calls.deleteRoomByName).toBeGreaterThan(2);
    expect(told).toEqual([['roomReaped', expect.objectContaining({ status: 'deleted' })]]);
  });

  it('looks once more when its last look took too long', async () => {
    let frozenMs = 0;
    const engine = new InMemoryEngine({ nowMs: () => performance.now() + frozenMs, random: () => 1 });
    const { world, sweeper, told, seconds } = await setup({ engine });
    const list = world.listRooms.bind(world);
    let lastLooks = 0;
    sweeper.once('orphanFound', () => {
      world.listRooms = async (names) => {
        const listed = await list(names);
        if (names.length === 1) lastLooks += 1;
        // after the answer about the participants
        await new Promise((resolve) => setTimeout(resolve, 5));
        // frozen for longer than a poll, and shorter than what voids an observation
        if (lastLooks === 1) frozenMs = 6_000;
        return listed;
      };
    });
    await seconds(45);
    expect(lastLooks).toBe(2);
    expect(told.map(([event]) => event)).toEqual(['roomReaped']);
  });

  it.each([
    ['is given up', restError('timeout', name)],
    ['is refused at last', restError('unavailable', name, 503)],
  ])('tries again at once when a deletion that took several polls %s', async (_title, error) => {
    const { world, told, seconds } = await setup({ pollMs: 1_000, leaseTtlMs: 4_000, graceMs: 4_000 });
    const deleteRoom = world.deleteRoomByName.bind(world);
    let deletions = 0;
    world.deleteRoomByName = async (roomName) => {
      deletions += 1;
      if (deletions > 1) return deleteRoom(roomName);
      await new Promise((resolve) => setTimeout(resolve, 3_000));
      throw error;
    };
    await seconds(10);
    expect(told).toEqual([['roomReaped', expect.objectContaining({ status: 'deleted' })]]);
    expect(deletions).toBe(2);
  });

  it('tells nothing about orphans for which it has no time yet, and deletes them in a later pass', async () => {
    const { world, sweeper, told, seconds } = await setup({ minDeletionCap: 100 });
    const found = vi.fn();
    sweeper.on('orphanFound', found);
    for (let index = 0; index < 40; index += 1) world.human(`agents-slow-${index}`);
    const deleteRoom = world.deleteRoomByName.bind(world);
    world.deleteRoomByName = async (roomName) => {
      await new Promise((resolve) => setTimeout(resolve, 6_000));
      return deleteRoom(roomName);
    };
    await seconds(50);
    expect(found).toHaveBeenCalledTimes(16);
    await seconds(60);
    expect(world.names).toEqual(['agents-live']);
    expect(told.every(([event]) => event === 'roomReaped')).toBe(true);
    expect(found).toHaveBeenCalledTimes(41);
  });

  it('spares a bot that comes back between two attempts', async () => {
    const { world, told, seconds } = await setup();
    world.failing.set('deleteRoomByName', restError('unavailable', name, 503));
    setTimeout(() => world.bot(name), 35_500);
    setTimeout(() => world.failing.clear(), 36_000);
    await seconds(300);
    expect(told).toEqual([['roomSpared', expect.objectContaining({ sparedBecause: 'bot-alive' })]]);
    expect(world.deleted).toEqual([]);
  });

  it('counts a room as deleted that is another one since the answer to its deletion was lost', async () => {
    const { world, told, seconds } = await setup();
    const deleteRoom = world.deleteRoomByName.bind(world);
    let deletions = 0;
    world.deleteRoomByName = async (roomName) => {
      await deleteRoom(roomName);
      deletions += 1;
      if (deletions > 1) return true;
      world.human(roomName);
      throw restError('timeout', roomName);
    };
    await seconds(45);
    expect(told).toEqual([['roomReaped', expect.objectContaining({ sid: 'RM_0', status: 'deleted' })]]);
    expect([deletions, world.names]).toEqual([1, ['agents-live', name]]);
  });

  it('says when it failed, and comes back to it later and later', async () => {
    const { world, told, seconds } = await setup();
    world.failing.set('deleteRoomByName', restError('auth', name, 401));
    await seconds(3_600);
    expect(told[0]).toEqual([
      'roomReapFailed',
      expect.objectContaining({ status: 'failed', error: expect.objectContaining({ kind: 'auth' }) }),
    ]);
    expect(told.length).toBeGreaterThan(10);
    expect(told.length).toBeLessThan(22);
    world.failing.clear();
    await seconds(310);
    expect(told.at(-1)?.[0]).toBe('roomReaped');
  });

  it('does not let rooms that resist hold up the others', async () => {
    const { world, seconds } = await setup({ minDeletionCap: 100 });
    for (let index = 0; index < 40; index += 1) world.human(`agents-stuck-${index}`);
    for (let index = 0; index < 40; index += 1) {
      world.failing.set(`deleteRoomByName agents-stuck-${index}`, restError('unavailable', '', 503));
    }
    await seconds(120);
    const bot = world.bot('agents-late');
    await seconds(30);
    bot.block();
    await seconds(41);
    expect(world.deleted).toContain('agents-late');
  });

  it('lets a deletion that has begun come to its end when it is stopped', async () => {
    const { sweeper, told, seconds } = await setup();
    let stopped: Promise<void> | undefined;
    sweeper.once('orphanFound', () => {
      stopped = sweeper.stop();
    });
    await seconds(60);
    await stopped;
    expect(told.map(([event]) => event)).toEqual(['roomReaped']);
  });
});
