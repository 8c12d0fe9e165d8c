import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { expect, it, type TestContext, vi } from 'vitest';
import { InvalidOptionError, LiveKitRESTError } from '../../../src/lib/errors.ts';
import { silentLogger } from '../../../src/lib/logger.ts';
import { BullMqEngine } from '../../../src/sweeper/engine/bullmq-engine.ts';
import type { Observation } from '../../../src/sweeper/observation.ts';
import type { SweeperRest } from '../../../src/sweeper/sweeper-options.ts';
import { FakeLiveKitServer } from '../../../src/testing/fake-livekit-server.ts';
import { contractLimits, SweptWorld } from '../../contracts/sweeper-engine.contract.ts';
import { startBot } from '../../support/doomed-bot.ts';
import { endedAfter } from '../../support/ended-after-each.ts';
import { promised } from '../../support/promised.ts';
import { describeWith } from '../../support/requirements.ts';
import { spawnScript } from '../../support/run-typescript.ts';
import { startRedis } from '../../support/start-redis.ts';

const describe = await describeWith('redis-server');
const { leaseTtlMs, pollMs } = contractLimits;
const sweepProgram = fileURLToPath(new URL('../sweep-program.ts', import.meta.url));

// most of it is waiting, and each test has a Redis of its own
describe('BullMqEngine', () => {
  const live = ['agents-1', 'agents-2', 'agents-3', 'agents-4', 'agents-5'];

  /** Five live bots and one that is to die, a room of somebody else, and a Redis. */
  async function setup(context: TestContext) {
    const keep = endedAfter(context);
    const redis = keep(await startRedis({ appendOnly: true }));
    const make = (queueName: string) =>
      new BullMqEngine({ redisUrl: redis.url, queueName, lockMs: 1_000, logger: silentLogger });
    const world = keep(new SweptWorld(await FakeLiveKitServer.start(), make));
    for (const room of [...live, 'agents-dead']) world.bot(room);
    world.server.createRoom('agents-foreign');

    /** A sweeper in a process of its own, on the same queue. */
    function spawnSweeper(env: NodeJS.ProcessEnv = {}, more: readonly string[] = []): ChildProcess {
      const { url: LIVEKIT_URL, apiKey: LIVEKIT_API_KEY, apiSecret: LIVEKIT_API_SECRET } = world.server;
      // several processes may have to share a core
      const seconds = { poll: 2 * pollMs, ttl: 2 * leaseTtlMs, grace: 2 * leaseTtlMs };
      const limits = Object.entries(seconds).flatMap(([name, ms]) => [`--${name}`, `${ms / 1_000}`]);
      const args = [
        '--match',
        'agents-',
        '--watch',
        '--yes',
        '--json',
        '--redis',
        redis.url,
        ...limits,
        ...more,
      ];
      const child = spawnScript(sweepProgram, args, {
        env: { ...process.env, LIVEKIT_URL, LIVEKIT_API_KEY, LIVEKIT_API_SECRET, ...env },
        stdio: ['ignore', 'ignore', 'pipe'],
      });
      keep({ [Symbol.asyncDispose]: async () => void child.kill('SIGKILL') });
      return child;
    }

    async function expectOnlyTheDeadGoes(limitMs = promised(3 * leaseTtlMs + 3_000)): Promise<void> {
      await world.until(() => !world.names.includes('agents-dead'), limitMs);
      await sleep(2 * leaseTtlMs);
      expect(world.names).toEqual([...live, 'agents-foreign']);
    }

    /** Of all sweepers that were started as a command. */
    async function queues(): Promise<string[]> {
      return (await redis.client.keys('endframe:endframe-sweeper-*:meta')).map((key) =>
        key.replace(/:meta$/, ''),
      );
    }

    return { redis, world, spawnSweeper, expectOnlyTheDeadGoes, queues };
  }

  // by itself: it keeps this process busy
  it('reaps 200 dead rooms with two sweepers, each once', async (context) => {
    const { world } = await setup(context);
    const crowd = Array.from({ length: 200 }, (_, index) => `agents-crowd-${index}`);
    for (const name of crowd) world.bot(name);
    for (let worker = 0; worker < 2; worker += 1) {
      world.sweep({ minDeletionCap: 1_000, pollMs: 1_500, leaseTtlMs: 6_000, graceMs: 6_000 });
    }
    await world.until(() => world.looks('agents-crowd-199') >= 2);
    for (const name of crowd) world.block(name);
    await world.until(() => world.reaped.length >= 200);
    await sleep(500);
    expect(new Set(world.reaped.map(({ roomName }) => roomName)).size).toBe(200);
    expect(world.reaped.filter(({ status }) => status === 'deleted')).toHaveLength(200);
    expect(world.names).toEqual(expect.arrayContaining([...live, 'agents-dead', 'agents-foreign']));
  });

  it.concurrent('deletes nothing while Redis is away, and the dead one afterwards', async (context) => {
    const { redis, world, expectOnlyTheDeadGoes } = await setup(context);
    world.sweep();
    world.sweep();
    await world.until(() => world.looks('agents-dead') >= 2);
    world.block('agents-dead');
    await redis.stop();
    await sleep(3 * leaseTtlMs);
    expect(world.reaped).toEqual([]);
    await redis.start();
    await expectOnlyTheDeadGoes();
    expect(world.reaped).toHaveLength(1);
  });

  it.concurrent('rebuilds what it knew after FLUSHALL', async (context) => {
    const { redis, world, expectOnlyTheDeadGoes } = await setup(context);
    world.sweep();
    await world.until(() => world.looks('agents-dead') >= 2);
    world.block('agents-dead');
    await sleep(leaseTtlMs / 2);
    await redis.client.flushall();
    await expectOnlyTheDeadGoes();
  });

  it.concurrent('lets a calendar be two minutes ahead, and another two minutes behind', async (context) => {
    const { world, spawnSweeper, expectOnlyTheDeadGoes } = await setup(context);
    spawnSweeper({ SHIFT_MS: '120000' });
    spawnSweeper({ SHIFT_MS: '-120000' });
    await world.until(() => world.looks('agents-dead') >= 5);
    await sleep(2 * leaseTtlMs);
    expect(world.names).toContain('agents-dead');
    world.block('agents-dead');
    await expectOnlyTheDeadGoes();
  });

  it.concurrent('shares a queue with those alone that sweep the same rooms by the same rules', async (context) => {
    const { redis, world, spawnSweeper, queues } = await setup(context);
    await redis.client.flushall();
    for (const more of [[], ['--concurrency', '2'], ['--match', 'other-'], ['--bot', 'robot-']]) {
      spawnSweeper({}, more);
    }
    await vi.waitUntil(async () => (await queues()).length >= 3, { timeout: 90_000 });
    await world.until(() => world.looks('agents-dead') >= 2);
    expect(await queues()).toHaveLength(3);
  });

  it.concurrent('has a look that died with its process made by another', async (context) => {
    const { redis, world, spawnSweeper, expectOnlyTheDeadGoes, queues } = await setup(context);
    const doomed = spawnSweeper();
    await world.until(() => world.looks('agents-dead') >= 2);
    world.block('agents-dead');
    await sleep(leaseTtlMs / 2);
    const active = async (): Promise<number> => {
      const lengths = (await queues()).map((queue) => redis.client.llen(`${queue}:active`));
      return (await Promise.all(lengths)).reduce((sum, length) => sum + length, 0);
    };
    // it takes the request, and dies before the answer
    world.server.fail({ kind: 'silence' }, { method: 'ListParticipants' });
    await vi.waitUntil(async () => (await active()) > 0, { timeout: 90_000, interval: 5 });
    doomed.kill('SIGKILL');
    await once(doomed, 'exit');
    expect(await active()).toBeGreaterThan(0);
    world.server.heal();
    spawnSweeper();
    await expectOnlyTheDeadGoes(promised(15_000 + 30_000, 90_000));
    expect(world.deletions('agents-dead')).toBe(1);
  });

  it.concurrent('goes on when LiveKit refuses the keys of most sweepers', async (context) => {
    const { world, expectOnlyTheDeadGoes } = await setup(context);
    const startedMs = performance.now();
    for (let index = 0; index < 3; index += 1) world.sweep({ rest: world.refused() });
    await sleep(2_000);
    world.sweep();
    await world.until(() => world.looks('agents-dead') >= 2);
    world.block('agents-dead');
    await expectOnlyTheDeadGoes();
    // they ask less and less often: from the eighth time on every 12 polls
    const mostEach = 8 + (performance.now() - startedMs) / (12 * pollMs);
    expect(world.failures.length).toBeLessThan(3 * mostEach);
  });

  it.concurrent.for(['listParticipants', 'listRooms'] as const)(
    'does not count the time in which LiveKit refuses %s of everybody',
    async (call, context) => {
      const { world } = await setup(context);
      const rest = world.switchable();
      let refuses = false;
      const refusing = (...args: never[]): Promise<never> => {
        if (!refuses) return (rest[call] as (...all: never[]) => Promise<never>)(...args);
        return Promise.reject(new LiveKitRESTError('', { kind: 'auth', retryable: false, status: 401 }));
      };
      world.sweep({ rest: { ...rest, [call]: refusing } });
      world.sweep({ rest: { ...rest, [call]: refusing } });
      await world.until(() => world.looks('agents-dead') >= 2);
      world.block('agents-dead');
      const blockedMs = performance.now();
      refuses = true;
      await sleep(2 * leaseTtlMs);
      refuses = false;
      await world.until(() => world.reaped.length > 0);
      const silentMs = world.reaped[0]?.silentMs ?? 0;
      expect(performance.now() - blockedMs - silentMs).toBeGreaterThan(1.5 * leaseTtlMs);
      expect(world.names).toEqual([...live, 'agents-foreign']);
    },
  );

  it.concurrent('does not count the time of a list that hung and came at last', async (context) => {
    const { world } = await setup(context);
    const rest = world.switchable();
    let hangs = false;
    const listRooms: SweeperRest['listRooms'] = async (names, options) => {
      if (hangs && names.length === 0) {
        hangs = false;
        await sleep(1_500);
      }
      return rest.listRooms(names, options);
    };
    world.sweep({ rest: { ...rest, listRooms }, pollMs: 1_000, leaseTtlMs: 3_000, graceMs: 3_000 });
    await world.until(() => world.looks('agents-dead') >= 2);
    world.block('agents-dead');
    const blockedMs = performance.now();
    hangs = true;
    await world.until(() => world.reaped.length > 0);
    const silentMs = world.reaped[0]?.silentMs ?? 0;
    expect(performance.now() - blockedMs - silentMs).toBeGreaterThan(1_000);
    expect(world.names).toEqual([...live, 'agents-foreign']);
  });

  it.concurrent('leaves the looks to others after some in a row have failed', async (context) => {
    const { world } = await setup(context);
    const crowd = Array.from({ length: 60 }, (_, index) => `agents-crowd-${index}`);
    for (const name of crowd) world.bot(name);
    const slow = { pollMs: 1_000, leaseTtlMs: 3_000, graceMs: 3_000 };
    const rest = world.switchable();
    rest.fail('listParticipants', new LiveKitRESTError('', { kind: 'network', retryable: true }));
    world.sweep({ ...slow, rest });
    world.sweep(slow);
    await world.until(() => world.looks('agents-dead') >= 2);
    world.block('agents-dead');
    await world.until(() => !world.names.includes('agents-dead'));
    expect(rest.failures).toBeGreaterThan(3);
    const failures = rest.failures;
    const sinceMs = performance.now();
    await sleep(6_000);
    // at most so many at the same time, every two polls; and as many again
    const seconds = (performance.now() - sinceMs) / 1_000;
    expect(rest.failures - failures).toBeLessThanOrEqual(4 * Math.ceil(seconds));
    expect(world.names).toEqual(expect.arrayContaining([...live, ...crowd]));
  });

  it.concurrent('goes on at once when the clock of Redis was set back', async (context) => {
    const { redis, world, expectOnlyTheDeadGoes } = await setup(context);
    const sweeper = world.sweep();
    await world.until(() => world.looks('agents-dead') >= 2);
    await sweeper.stop();
    const hourMs = 3_600_000;
    const key = `endframe:${world.group}:sweeper`;
    for (const [name, json] of Object.entries(await redis.client.hgetall(`${key}:seen`))) {
      const seen = JSON.parse(json) as Observation;
      const ahead = { ...seen, probedMs: seen.probedMs + hourMs, dueMs: seen.dueMs + hourMs };
      await redis.client.hset(`${key}:seen`, name, JSON.stringify(ahead));
    }
    await redis.client.set(`${key}:turn`, pollMs, 'PX', hourMs);
    const before = world.looks('agents-dead');
    world.sweep();
    await world.until(() => world.looks('agents-dead') >= before + 2);
    world.block('agents-dead');
    await expectOnlyTheDeadGoes();
  });

  it.concurrent('forgets nothing that others need when one of several stops', async (context) => {
    const { redis, world } = await setup(context);
    const slow = { pollMs: 1_000, leaseTtlMs: 3_000, graceMs: 3_000 };
    world.sweep(slow);
    const other = world.sweep(slow);
    await world.until(() => world.looks('agents-dead') >= 2);
    world.server.fail({ kind: 'silence' }, { method: 'ListParticipants' });
    // more than one of them can look at
    const active = () => redis.client.llen(`endframe:${world.group}:active`);
    await vi.waitUntil(async () => (await active()) > 4, { timeout: 90_000, interval: 5 });
    await other.stop();
    expect(await redis.client.hlen(`endframe:${world.group}:sweeper:seen`)).toBe(6);
  });

  it.concurrent.for(['before it began', 'in the middle'])(
    'ends on SIGTERM when Redis went away %s',
    async (when, context) => {
      const { redis, world, spawnSweeper } = await setup(context);
      if (when === 'before it began') await redis.stop();
      const child = spawnSweeper();
      let told = '';
      child.stderr?.on('data', (text) => {
        told += text;
      });
      if (when === 'in the middle') {
        await world.until(() => world.looks('agents-1') >= 2);
        await redis.stop();
      }
      await world.until(() => told.includes('Redis is away'));
      child.kill('SIGTERM');
      await world.until(() => child.exitCode !== null, promised(4_000));
      expect(child.exitCode).toBe(0);
      await redis.start();
    },
  );

  it.concurrent('keeps nobody while Redis is away: its own calls half a second, and bots not at all', async (context) => {
    const { redis, world } = await setup(context);
    const { server } = world;
    await redis.stop();
    /** Of each call of the sweeper. */
    const limitMs = 500;
    const took = async (call: () => unknown): Promise<number> => {
      const startedMs = performance.now();
      await call();
      return performance.now() - startedMs;
    };
    const sweeper = world.sweeper();
    expect(await took(() => sweeper.start())).toBeLessThan(promised(limitMs));
    server.createRoom('agents-of-redis');
    const before = world.names;
    try {
      await using bot = await startBot({
        server,
        roomName: 'agents-of-redis',
        env: { REDIS_URL: redis.url },
      });
      expect(await took(() => sweeper.lookSooner('agents-of-redis', 'agents-1'))).toBeLessThan(
        promised(limitMs),
      );
      await sleep(500);
      expect(world.names).toEqual(before);
      expect(await took(() => sweeper.stop())).toBeLessThan(promised(limitMs));
      expect(world.names).toEqual(before);
      const startedMs = performance.now();
      bot.kill('SIGTERM');
      expect(await bot.exited).toEqual({ code: 0, signal: null });
      expect(performance.now() - startedMs).toBeLessThan(promised(2_000));
      expect(world.names).toEqual(before.filter((name) => name !== 'agents-of-redis'));
    } finally {
      await redis.start();
    }
  });

  it('refuses options that can never work', () => {
    expect(() => new BullMqEngine({ redisUrl: 'redis://localhost', lockMs: 0 })).toThrow(InvalidOptionError);
    expect(() => new BullMqEngine({ redisUrl: 'redis://localhost', queueName: '' })).toThrow(
      InvalidOptionError,
    );
    expect(() => new BullMqEngine({ redisUrl: 'redis://localhost', logger: {} as never })).toThrow(
      InvalidOptionError,
    );
  });

  it.concurrent.for([
    '',
    'localhost',
    'http://:pässword@h',
    'redis://:pässword@h:notaport',
    'redis://:pässword%zz@h',
  ])('refuses %j as a URL, and does not quote it', (redisUrl) => {
    const make = () => new BullMqEngine({ redisUrl });
    expect(make).toThrow(InvalidOptionError);
    expect(make).toThrow(/^Option "redisUrl" must be a URL such as redis:\/\/localhost:6379 or [^ä]*$/);
  });

  it.each(['redis://h', 'rediss://user:p%40ss@h:6380/1', 'redis://[::1]:6379', '/run/redis.sock'])(
    'takes %j as a URL',
    (redisUrl) => void new BullMqEngine({ redisUrl }),
  );
});
