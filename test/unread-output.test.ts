import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FakeLiveKitServer } from '../src/testing/fake-livekit-server.ts';
import { spawnScript } from './support/run-typescript.ts';

const program = fileURLToPath(new URL('./unread-output-program.ts', import.meta.url));

describe('a process whose output nobody reads any more', () => {
  let server: FakeLiveKitServer;
  beforeEach(async () => {
    server = await FakeLiveKitServer.start();
    server.createRoom('my-room');
  });
  afterEach(() => server.stop());

  it.each([
    ['closeOnProcessExit', 'of endframe'],
    ['closeOnProcessExit', 'to stdout'],
    ['PipelineRunner', 'of endframe'],
    ['PipelineRunner', 'to stdout'],
  ])('deletes its room and ends after an uncaught error, by %s and with a logger %s', async (by, logger) => {
    const { apiKey, apiSecret, httpUrl: apiUrl } = server;
    const child = spawnScript(program, [], {
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      env: {
        ...process.env,
        BOT_REST: JSON.stringify({ apiKey, apiSecret, apiUrl }),
        BOT_RUNS_BY: by,
        BOT_LOGGER: logger,
      },
    });
    await once(child, 'message');
    child.stdout?.destroy();
    child.stderr?.destroy();
    child.send('go');
    const exit = await Promise.race([once(child, 'exit'), sleep(15_000, 'it still runs')]);
    child.kill('SIGKILL');
    expect(exit).toEqual([1, null]);
    expect(server.room('my-room')).toBeUndefined();
  });
});
