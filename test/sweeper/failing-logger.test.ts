import { expect, it, vi } from 'vitest';
import { InMemoryEngine } from '../../src/sweeper/engine/in-memory-engine.ts';
import { MemoryLiveKit } from '../contracts/memory-livekit.ts';
import { SweptWorld } from '../contracts/sweeper-engine.contract.ts';
import { useVirtualTime } from '../support/fake-time.ts';

useVirtualTime();

it('a sweeper does not fail with its logger', async () => {
  await using world = new SweptWorld(new MemoryLiveKit(), () => new InMemoryEngine());
  world.bot('agents-live');
  world.bot('agents-dead');
  world.server.createRoom('agents-unmarked', { metadata: '' });
  const fails = vi.fn(() => {
    throw new Error('the disk is full');
  });
  world.sweep({ logger: { debug: fails, info: fails, warn: fails, error: fails } });
  await world.until(() => world.looks('agents-dead') >= 2);
  world.server.fail({ kind: 'status', status: 503 }, { method: 'ListRooms', times: 2 });
  world.block('agents-dead');
  await world.until(() => !world.names.includes('agents-dead'));
  await world.until(() => world.reaped.length === 1);
  expect(fails.mock.calls.length).toBeGreaterThanOrEqual(3);
  expect(world.names).toEqual(['agents-live', 'agents-unmarked']);
});
