/** How fast an interruption comes through, and whether anything comes after it. */

import { setImmediate as nextTurn } from 'node:timers/promises';
import { InterruptionFrame } from '../../dist/index.js';
import { measure, quantile } from './measure.mjs';
import { judged, report } from './report.mjs';
import { processors, startRow, textFrames } from './rows.mjs';

/** Data frames that came out after the interruption. */
let stragglers = 0;

// 1,000 frames waiting: 100 in front of each of ten stages that do not work them off
const stages = processors(10);
const waiting = await startRow(stages);
const hundreds = stages.map(() => textFrames(100));
const late = waiting.task.frames$.subscribe(({ kind }) => {
  if (kind === 'data') stragglers += 1;
});
const one = await measure(
  [
    {
      name: 'waiting',
      before: async () => {
        for (const [index, stage] of stages.entries()) {
          stage.pauseProcessingFrames();
          for (const frame of hundreds[index] ?? []) stage.queueFrame(frame);
        }
        await nextTurn();
      },
      run: () => waiting.sendOne(new InterruptionFrame()),
    },
  ],
  { rounds: 5, iterations: 200, warmup: 200 },
);
late.unsubscribe();
await waiting.end();

// 20,000 frames flowing: sent in one go, interrupted when the first ones have come out
const flowing = await startRow(processors(10));
let flown = 0;
let interrupted = false;
flowing.task.frames$.subscribe(({ kind }) => {
  if (kind !== 'data') return;
  if (interrupted) stragglers += 1;
  else flown += 1;
});
const flow = await measure(
  [
    {
      name: 'flowing',
      run: async () => {
        interrupted = false;
        flown = 0;
        for (const frame of textFrames(20_000)) flowing.task.queueFrame(frame);
        while (flown === 0) await nextTurn();
        const at = performance.now();
        await flowing.sendOne(new InterruptionFrame()).then(() => {
          interrupted = true;
        });
        return { overriddenDuration: performance.now() - at };
      },
    },
  ],
  { rounds: 5, iterations: 10, warmup: 10 },
);
await flowing.end();
if (flown >= 20_000) throw new Error('the interruption came too late to say anything');

/** @param {number} ms */
const milliseconds = (ms) => `${ms.toFixed(3)} ms`;
const waitingMs = quantile(one('waiting'), 0.95);
const flowingMs = quantile(flow('flowing'), 0.95);
report([
  judged({
    what: 'interruption through 10 stages, 1,000 frames waiting, p95',
    measured: milliseconds(waitingMs),
    value: waitingMs,
    must: 0.3,
    goal: 0.1,
    limit: milliseconds,
    better: 'less',
  }),
  judged({
    what: 'interruption through 10 stages while 20,000 frames flow, p95',
    measured: milliseconds(flowingMs),
    value: flowingMs,
    must: 10,
    goal: 3,
    limit: milliseconds,
    better: 'less',
  }),
  judged({
    what: 'data frames that came out after an interruption',
    measured: `${stragglers}`,
    value: stragglers,
    must: 0,
    goal: 0,
    limit: String,
    better: 'less',
  }),
]);
