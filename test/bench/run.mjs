/** Runs every benchmark in a process of its own, one after the other, and prints one table. */

import { fork } from 'node:child_process';
import { once } from 'node:events';
import { cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import { print } from './report.mjs';

const files = [
  'throughput',
  'observers',
  'backlog',
  'latency',
  'interruption',
  'fairness',
  'memory',
  'delete-room-on-end',
];

/** @type {import('./report.mjs').Row[]} */
const rows = [];
for (const file of files) {
  const path = fileURLToPath(new URL(`${file}.mjs`, import.meta.url));
  const child = fork(path, { execArgv: ['--expose-gc'] });
  child.on('message', (measured) => rows.push(.../** @type {typeof rows} */ (measured)));
  const [code] = await once(child, 'exit');
  if (code !== 0) {
    console.error(`${file}.mjs failed`);
    process.exitCode = 1;
  }
}
console.log(`Node ${process.version}, ${cpus().length} × ${cpus()[0]?.model ?? 'processor'}\n`);
print(rows);
