import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { sweepCommand } from '../../../src/cli/sweep.ts';
import { MissingDependencyError } from '../../../src/lib/errors.ts';
import { silentLogger } from '../../../src/lib/logger.ts';
import { BullMqEngine } from '../../../src/sweeper/engine/bullmq-engine.ts';
import { FakeLiveKitServer } from '../../../src/testing/fake-livekit-server.ts';
import { SweptWorld } from '../../contracts/sweeper-engine.contract.ts';

vi.mock('bullmq', () => {
  throw new Error("Cannot find package 'bullmq'");
});
const redisUrl = 'redis://127.0.0.1:1';

describe('where bullmq is not installed', () => {
  let world: SweptWorld<FakeLiveKitServer>;
  beforeEach(async () => {
    const engine = () => new BullMqEngine({ redisUrl, logger: silentLogger });
    world = new SweptWorld(await FakeLiveKitServer.start(), engine);
  });
  afterEach(() => world[Symbol.asyncDispose]());

  it('a program is told so at every pass', async () => {
    const sweeper = world.sweep();
    await world.until(() => world.failures.length >= 3);
    for (const error of world.failures) expect(error).toBeInstanceOf(MissingDependencyError);
    await sweeper.stop();
  });

  it('the command says so and ends with 1', async () => {
    const { url: LIVEKIT_URL, apiKey: LIVEKIT_API_KEY, apiSecret: LIVEKIT_API_SECRET } = world.server;
    let errors = '';
    const code = await sweepCommand(['--match', 'agents-', '--watch', '--redis', redisUrl], {
      env: { LIVEKIT_URL, LIVEKIT_API_KEY, LIVEKIT_API_SECRET },
      print: () => {},
      printError: (text) => {
        errors += text;
      },
      untilStopped: () => new Promise(() => {}),
    });
    expect(code).toBe(1);
    expect(errors).toMatch(/^bullmq is needed and was not found\. Install it: npm install bullmq ioredis$/m);
  });
});
