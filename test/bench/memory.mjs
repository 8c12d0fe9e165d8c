/** What pipelines cost that do nothing. */

import { setTimeout as sleep } from 'node:timers/promises';
import { collectGarbage } from './measure.mjs';
import { judged, noted, report } from './report.mjs';
import { processors, startRow } from './rows.mjs';

async function heapUsed() {
  await sleep(20);
  collectGarbage();
  collectGarbage();
  return process.memoryUsage().heapUsed;
}

/**
 * @param {number} count
 */
async function startMany(count) {
  const rows = [];
  for (let index = 0; index < count; index += 1) rows.push(await startRow(processors(5)));
  return rows;
}

/** Milliseconds of processor time in two seconds of doing nothing. */
async function idleCpuMs() {
  await sleep(100);
  const before = process.cpuUsage();
  await sleep(2_000);
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1_000;
}

const nobody = await idleCpuMs();
await startMany(20).then((rows) => Promise.all(rows.map((row) => row.end())));

const before = await heapUsed();
const rows = await startMany(1_000);
const each = ((await heapUsed()) - before) / 1_000 / 1_000;
rows.push(...(await startMany(1_000)));
const idle = await idleCpuMs();
await Promise.all(rows.map((row) => row.end()));

/** @param {number} kB */
const kilobytes = (kB) => `${kB.toFixed(1)} kB`;
/** @param {number} ms */
const milliseconds = (ms) => `${ms.toFixed(1)} ms`;
report([
  judged({
    what: 'heap of an idle 5-stage pipeline with its task',
    measured: kilobytes(each),
    value: each,
    must: 25,
    goal: 12,
    limit: kilobytes,
    better: 'less',
  }),
  noted('processor time of an empty process, in 2 s', milliseconds(nobody)),
  judged({
    what: 'processor time of 2,000 idle pipelines, in 2 s',
    measured: milliseconds(idle),
    value: idle,
    must: 20,
    goal: 4,
    limit: milliseconds,
    better: 'less',
  }),
]);
