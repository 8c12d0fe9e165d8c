/** What befalls the queue and not Redis: lost locks, a frozen worker, a wrong password, a logger that throws. */

import type { ChildProcess } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { inspect } from 'node:util';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it, vi } from 'vitest';
import { type Logger, silentLogger } from '../../../src/lib/logger.ts';
import { BullMqEngine } from '../../../src/sweeper/engine/bullmq-engine.ts';
import type { SweeperOptions } from '../../../src/sweeper/sweeper-options.ts';
import { FakeLiveKitServer } from '../../../src/testing/fake-livekit-server.ts';
import { SweptWorld } from '../../contracts/sweeper-engine.contract.ts';
import type { HintedSweeperProgram } from '../../support/hinted-sweeper-program.ts';
import { promised } from '../../support/promised.ts';
import { describeWith } from '../../support/requirements.ts';
import { spawnScript } from '../../support/run-typescript.ts';
import { type RedisServer, startRedis } from '../../support/start-redis.ts';

const describe = await describeWith('redis-server');
const program = fileURLToPath(new URL('../../support/hinted-sweeper-program.ts', import.meta.url));
const lockMs = 1_000;

describe('BullMqEngine, when the queue is at fault', () => {
  const live = ['agents-1', 'agents-2', 'agents-3'];
  let redis: RedisServer;
  let world: SweptWorld<FakeLiveKitServer>;
  let child: ChildProcess | undefined;
  beforeAll(async () => {
    redis = await startRedis();
  });
  afterAll(() => redis[Symbol.asyncDispose]());
  beforeEach(async () => {
    world = new SweptWorld(await FakeLiveKitServer.start(), (group) => engineOf(group));
    for (const room of [...live, 'agents-dead']) world.bot(room);
  });
  afterEach(async () => {
    child?.kill('SIGKILL');
    await world[Symbol.asyncDispose]();
  });

  function engineOf(queueName: string, redisUrl = redis.url, logger: Logger = silentLogger): BullMqEngine {
    return new BullMqEngine({ redisUrl, queueName, lockMs, logger });
  }

  /** Takes everything from Redis while a look is being made, and so the lock of that look. */
  async function loseLocks(): Promise<void> {
    world.server.fail({ kind: 'delay', ms: 500 }, { method: 'ListParticipants' });
    const before = world.looks('agents-1');
    await world.until(() => world.looks('agents-1') > before);
    await redis.client.flushall();
    await sleep(700);
    world.server.heal();
  }

  /** Its deletions take half a second from the time at which they are asked for. */
  function slowDeletions(): { rest: SweeperOptions['rest']; readonly begun: boolean } {
    const rest = world.switchable();
    let begun = false;
    const deleteRoomByName: typeof rest.deleteRoomByName = async (name, options) => {
      begun = true;
      await sleep(700);
      return rest.deleteRoomByName(name, options);
    };
    return {
      rest: { ...rest, deleteRoomByName },
      get begun() {
        return begun;
      },
    };
  }

  it('takes hints after looks have lost their locks', async () => {
    const sweeper = world.sweep({ pollMs: 20_000, leaseTtlMs: 60_000 });
    await loseLocks();
    await sleep(1_200);
    const before = world.looks('agents-1');
    sweeper.lookSooner('agents-1');
    await world.until(() => world.looks('agents-1') > before, promised(1_000));
  });

  it.each(['looks have lost their locks', 'Redis went away'])(
    'lets a deletion that has begun come to its end when %s',
    async (what) => {
      const deletions = slowDeletions();
      // a look may take a poll
      const limits = { pollMs: 700, leaseTtlMs: 2_100, graceMs: 2_100 };
      const sweeper = world.sweep({ ...limits, rest: deletions.rest });
      await world.until(() => world.looks('agents-dead') >= 2);
      if (what === 'looks have lost their locks') await loseLocks();
      world.block('agents-dead');
      await world.until(() => deletions.begun);
      if (what === 'Redis went away') await redis.stop();
      await sleep(100);
      const startedMs = performance.now();
      await sweeper.stop();
      expect(world.names).toEqual(live);
      expect(performance.now() - startedMs).toBeLessThan(promised(2_000));
      if (what === 'Redis went away') await redis.start();
    },
  );

  it('goes on when only the connections of the worker are reset', async () => {
    const sweeper = world.sweep({ pollMs: 20_000, leaseTtlMs: 60_000 });
    await world.until(() => world.looks('agents-dead') >= 1);
    await sleep(1_200);
    const clients = String(await redis.client.client('LIST')).split('\n');
    const blocking = clients.filter((line) => line.includes('cmd=bzpopmin'));
    expect(blocking).toHaveLength(1);
    for (const line of blocking) await redis.client.client('KILL', 'ID', /id=(\d+)/.exec(line)?.[1] ?? '');
    sweeper.lookSooner('agents-1');
    await world.until(() => world.looks('agents-1') >= 2, promised(1_000));
  });

  it('begins anew when its process was frozen: no live bot loses its room, and the dead one does', async () => {
    const { url: apiUrl, apiKey, apiSecret } = world.server;
    const options = { prefix: 'agents-', pollMs: 1_500, leaseTtlMs: 4_500, graceMs: 4_500 };
    const queue = { redisUrl: redis.url, queueName: world.group, lockMs };
    const order: HintedSweeperProgram = { access: { apiUrl, apiKey, apiSecret }, queue, options };
    child = spawnScript(program, [JSON.stringify(order)], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
    await world.until(() => world.looks('agents-dead') >= 2, 15_000);
    world.block('agents-dead');
    world.server.fail({ kind: 'delay', ms: 300 }, { method: 'ListParticipants' });
    const active = () => redis.client.llen(`endframe:${world.group}:active`);
    await vi.waitUntil(async () => (await active()) > 0, { timeout: 90_000, interval: 5 });
    child.kill('SIGSTOP');
    await sleep(options.leaseTtlMs + 1_000);
    world.server.heal();
    child.kill('SIGCONT');
    const thawedMs = performance.now();

    const before = world.looks('agents-1');
    await world.until(() => world.looks('agents-1') >= before + 2);
    world.bot('agents-new');
    child.send('agents-new');
    await world.until(() => world.looks('agents-new') >= 1, promised(700));

    await world.until(() => !world.names.includes('agents-dead'), promised(3 * options.leaseTtlMs));
    // what it had seen before counts for a half of it at most
    expect(performance.now() - thawedMs).toBeGreaterThan(options.leaseTtlMs / 2);
    await sleep(options.pollMs);
    expect(world.names).toEqual([...live, 'agents-new']);
  });

  describe('with a password', () => {
    const password = 'a secret: pässword/%41';
    const wrong = 'not the secret: wörd/%42';
    const urlWith = (secret: string) => redis.url.replace('//', `//:${encodeURIComponent(secret)}@`);
    beforeAll(async () => void (await redis.client.config('SET', 'requirepass', password)));
    afterAll(async () => void (await redis.client.config('SET', 'requirepass', '')));

    it('uses it', async () => {
      world.sweep({ engine: engineOf(world.group, urlWith(password)) });
      await world.until(() => world.looks('agents-dead') >= 2);
    });

    it('tells that Redis refuses it, and never the password', async () => {
      const told: unknown[] = [];
      const tell: Logger['error'] = (...line) => void told.push(line);
      const logger = { debug: tell, info: tell, warn: tell, error: tell };
      const sweeper = world.sweeper({ engine: engineOf(world.group, urlWith(wrong), logger), logger });
      sweeper.on('sweepFailed', (error) => told.push(error));
      sweeper.start();
      await world.until(() => world.failures.length >= 2);
      const text = inspect([told, world.failures], { depth: Number.POSITIVE_INFINITY, showHidden: true });
      expect(text).toContain('WRONGPASS');
      for (const form of [wrong, encodeURIComponent(wrong)]) expect(text).not.toContain(form);
    });
  });

  it('does not fail with its logger', async () => {
    const fails = vi.fn(() => {
      throw new Error('the disk is full');
    });
    const logger = { debug: fails, info: fails, warn: fails, error: fails };
    world.sweep({ engine: engineOf(world.group, redis.url, logger), logger });
    await world.until(() => world.looks('agents-dead') >= 1);
    await redis.stop();
    await world.until(() => fails.mock.calls.length > 0);
    await redis.start();
    world.block('agents-dead');
    await world.until(() => !world.names.includes('agents-dead'));
    expect(world.names).toEqual(live);
  });
});
