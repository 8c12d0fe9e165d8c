/** A real Redis for one test file: on loopback, without persistence unless asked for, and gone with the test. */

import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { Redis } from 'ioredis';
import { type SupervisedProcess, startSupervised } from '../../src/testing/supervised-process.ts';

/** Settles with what it says of itself; rejects where there is none. */
export async function redisServerVersion(): Promise<string> {
  try {
    return (await promisify(execFile)('redis-server', ['--version'])).stdout;
  } catch {
    throw new Error('install it, such as by test/support/install-services.sh');
  }
}

export interface RedisServer extends AsyncDisposable {
  readonly url: string;
  /** A client of the test's own, that waits for the server. */
  readonly client: Redis;
  /** Kills it, as kill -9 does; what is on disk stays. */
  stop(): Promise<void>;
  /** Starts it again on the same port. */
  start(): Promise<void>;
}

export interface StartRedisOptions {
  /** Keeps its data over a restart, written every second. Default false. */
  readonly appendOnly?: boolean;
}

export async function startRedis({ appendOnly = false }: StartRedisOptions = {}): Promise<RedisServer> {
  const port = await freePort();
  const folder = await mkdtemp(join(tmpdir(), 'endframe-redis-'));
  const url = `redis://127.0.0.1:${port}`;
  const args = ['--port', `${port}`, '--bind', '127.0.0.1', '--save', '', '--dir', folder];
  let process: SupervisedProcess | undefined;
  const client = new Redis(url, { maxRetriesPerRequest: null, retryStrategy: () => 50, lazyConnect: true });
  client.on('error', () => {});
  const server: RedisServer = {
    url,
    client,
    start: async () => {
      const { PATH } = globalThis.process.env;
      const all = [...args, '--appendonly', appendOnly ? 'yes' : 'no', '--maxmemory-policy', 'noeviction'];
      process = await startSupervised('redis-server', all, { env: { PATH } });
      process.unref();
      while ((await client.ping().catch(() => '')) !== 'PONG') await sleep(20);
    },
    stop: async () => {
      await process?.kill();
      process = undefined;
    },
    [Symbol.asyncDispose]: async () => {
      client.disconnect();
      await server.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
  await server.start();
  return server;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  return port;
}
