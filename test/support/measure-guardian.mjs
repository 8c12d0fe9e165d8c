/** What the built guardian costs while it waits: one JSON object. Needs `npm run build`, and Linux. */

import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { GuardianClient } from '../../dist/rooms/guardian/guardian-client.js';
import { median } from './median.mjs';

const times = Number(process.argv[2] ?? 5);
const idleMs = Number(process.argv[3] ?? 30_000);
/** A new process tidies up for some seconds. */
const settleMs = 15_000;
const nothing = () => {};
const logger = { debug: nothing, info: nothing, warn: nothing, error: nothing };
const credentials = {
  apiKey: 'key',
  apiSecret: 'secret',
  baseUrl: 'http://127.0.0.1:9',
  attemptTimeoutMs: 3_000,
};
const guarded = { roomName: 'room', room: { owned: true }, credentials, deleteWhen: 'always', verify: true };
const options = { logger, onNews: nothing };
// tests may run where a certificate store is named, which a guardian then has to load
for (const name of ['NODE_EXTRA_CA_CERTS', 'SSL_CERT_DIR', 'SSL_CERT_FILE']) delete process.env[name];

const megabytes = (text, name) => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(text)?.[1]) / 1_024;
/** Time on a processor so far, in milliseconds. */
const busyMs = (pid) => Number(readFileSync(`/proc/${pid}/schedstat`, 'utf8').split(' ')[0]) / 1e6;

const samples = [];
let cpuPercent;
for (let run = 0; run < times; run += 1) {
  const guardian = new GuardianClient();
  const startedAt = performance.now();
  const hold = guardian.watch({ ...guarded, heartbeatMs: 4_000 }, options);
  const blockedMs = performance.now() - startedAt;
  while (!hold.armed) await sleep(1);
  const armedMs = performance.now() - startedAt;
  const { pid } = guardian;
  await sleep(500);
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
  samples.push({ blockedMs, armedMs, rssMB: megabytes(status, 'VmRSS'), pssMB: megabytes(rollup, 'Pss') });
  if (run === times - 1) {
    await sleep(settleMs);
    const before = busyMs(pid);
    await sleep(idleMs);
    cpuPercent = (100 * (busyMs(pid) - before)) / idleMs;
  }
  hold.release();
}
const of = (name) => Number(median(samples.map((sample) => sample[name])).toFixed(1));
const result = { blockedMs: of('blockedMs'), armedMs: of('armedMs'), rssMB: of('rssMB'), pssMB: of('pssMB') };
process.stdout.write(`${JSON.stringify({ ...result, cpuPercent: Number(cpuPercent?.toFixed(3)) })}\n`);
