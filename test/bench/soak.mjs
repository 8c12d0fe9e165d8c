/**
 * A million frames through parallel branches, with observers and interruptions: the heap ends where it began.
 *
 * Fails when it has grown.
 */

import { setTimeout as sleep } from 'node:timers/promises';
import { InterruptionFrame, ParallelPipeline, TextFrame } from '../../dist/index.js';
import { collectGarbage } from './measure.mjs';
import { judged, print } from './report.mjs';
import { PassOnLater, processors, startRow, textFrames } from './rows.mjs';

const total = 1_000_000;
const burst = 1_000;
/** Frames until everything is compiled, and the queues are as long as they get. */
const warmup = 100_000;

/** How many pushes each observer was told. */
const told = [0, 0, 0];
const observers = [
  { onPushFrame: () => void told[0]++ },
  { onPushFrame: () => void told[1]++ },
  {
    async onPushFrame() {
      await undefined;
      told[2]++;
    },
  },
];

const branches = new ParallelPipeline(processors(2), processors(2), processors(1, PassOnLater));
const row = await startRow([...processors(2), branches, ...processors(2)], {
  observers,
});

async function heapUsed() {
  // the observers catch up first, the slow one too
  for (let before = -1; before !== told[0] || told[2] !== told[0]; await sleep(20)) before = told[0] ?? 0;
  collectGarbage();
  await sleep(10);
  collectGarbage();
  return process.memoryUsage().heapUsed;
}

/** Sends a burst; every tenth is interrupted while it flows. @param {number} number */
async function sendBurst(number) {
  const frames = textFrames(burst);
  if (number % 10 !== 0) return row.send(frames);
  for (const frame of frames) row.task.queueFrame(frame);
  await undefined;
  row.task.queueFrame(new InterruptionFrame());
  await row.sendOne(new TextFrame('the first one after it'));
}

let before = 0;
let after = 0;
const startedAt = performance.now();
for (let sent = 0; sent < warmup + total; sent += burst) {
  if (sent === warmup) before = await heapUsed();
  await sendBurst(sent / burst);
  if (sent >= warmup && (sent - warmup + burst) % (total / 10) === 0) {
    after = await heapUsed();
    console.log(`${(sent - warmup + burst).toLocaleString('en')} frames: ${megabytes(after)}`);
  }
}
const seconds = (performance.now() - startedAt) / 1_000;
const { reason } = await row.end();

/** @param {number} bytes */
function megabytes(bytes) {
  return `${(bytes / 1e6).toFixed(2)} MB`;
}

const verdict = judged({
  what: `heap after ${total.toLocaleString('en')} frames against before (${reason}, ${seconds.toFixed(0)} s)`,
  measured: megabytes(after),
  ratio: `${after < before ? '' : '+'}${megabytes(after - before)}`,
  value: after - before,
  must: 1e6,
  goal: 2e5,
  limit: (bytes) => `+${megabytes(bytes)}`,
  better: 'less',
});
print([verdict]);
if (verdict.verdict === 'MISSED') process.exitCode = 1;
