/**
 * What sweeping many rooms costs: `node --import ./test/support/typescript-loader.mjs test/bench/sweep.ts 1000 10000`.
 *
 * One in a hundred bots is dead. With the real limits: takes about a minute for each number of rooms.
 */

import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { silentLogger } from '../../src/lib/logger.ts';
import { LiveKitRESTHelper } from '../../src/rooms/rest/livekit-rest-helper.ts';
import { Sweeper } from '../../src/sweeper/sweeper.ts';
import { spawnScript } from '../support/run-typescript.ts';

const program = fileURLToPath(new URL('./crowded-livekit.ts', import.meta.url));

async function measure(count: number): Promise<void> {
  const dead = Math.floor(count / 100);
  const livekit = spawnScript(program, [String(count), String(dead)], {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  const [{ url, apiKey, apiSecret }] = await once(livekit, 'message');
  const rest = new LiveKitRESTHelper({ apiUrl: url, apiKey, apiSecret, attemptTimeoutMs: 10_000 });
  const sweeper = new Sweeper({ rest, prefix: 'crowd-', logger: silentLogger });
  const passes: { readonly looked: number; readonly durationMs: number }[] = [];
  const startedMs = performance.now();
  const cpu = process.cpuUsage();
  let reaped = 0;
  let rssBytes = 0;
  sweeper.on('swept', (pass) => {
    passes.push(pass);
    rssBytes = Math.max(rssBytes, process.memoryUsage.rss());
  });
  const done = new Promise<void>((resolve) => {
    sweeper.on('roomReaped', () => {
      reaped += 1;
      if (reaped === dead) resolve();
    });
  });
  sweeper.start();
  await done;
  const elapsedS = (performance.now() - startedMs) / 1_000;
  const { user, system } = process.cpuUsage(cpu);
  await sweeper.stop();
  livekit.send('report');
  const [{ rooms, requests }] = await once(livekit, 'message');
  livekit.kill();
  const median = (values: number[]): number =>
    values.sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
  const row = {
    rooms: count,
    reaped,
    'false kills': count - dead - rooms,
    'all dead gone after, s': Number(elapsedS.toFixed(1)),
    passes: passes.length,
    'pass, median ms': Math.round(median(passes.map(({ durationMs }) => durationMs))),
    requests,
    'requests per second': Math.round(requests / elapsedS),
    'CPU, % of a core': Math.round((user + system) / 10_000 / elapsedS),
    'memory, MB': Math.round(rssBytes / 1e6),
  };
  process.stdout.write(`${JSON.stringify(row)}\n`);
}

for (const count of process.argv.slice(2).map(Number)) await measure(count);
