/** How long one frame takes, and how long a pipeline takes to end. */

import { EndFrame } from '../../dist/index.js';
import { measure, quantile } from './measure.mjs';
import { judged, report } from './report.mjs';
import { processors, startRow, textFrames } from './rows.mjs';

const [frame] = textFrames(1);
if (frame === undefined) throw new Error('no frame');

const row = await startRow(processors(5));
const one = await measure([{ name: 'one', run: () => row.send([frame]) }], {
  rounds: 5,
  iterations: 20_000,
  warmup: 20_000,
});
await row.end();

let empty = await startRow([]);
const ends = await measure(
  [
    {
      name: 'end',
      before: async () => {
        empty = await startRow([]);
      },
      run: () => {
        empty.task.queueFrame(new EndFrame());
        return empty.result;
      },
    },
  ],
  { rounds: 5, iterations: 200, warmup: 200 },
);

/** @param {number} us */
const microseconds = (us) => `${us.toFixed(us < 10 ? 1 : 0)} µs`;
/** @param {number} ms */
const milliseconds = (ms) => `${ms.toFixed(2)} ms`;

/**
 * @param {string} what
 * @param {number} part
 * @param {{ must: number, goal: number }} limits
 */
const oneFrame = (what, part, limits) => {
  const us = quantile(one('one'), part) * 1_000;
  return judged({
    what,
    measured: microseconds(us),
    value: us,
    ...limits,
    limit: microseconds,
    better: 'less',
  });
};

const endMs = quantile(ends('end'), 0.5);
report([
  oneFrame('one frame at a time, 5 stages, p50', 0.5, { must: 12, goal: 6 }),
  oneFrame('one frame at a time, 5 stages, p99', 0.99, { must: 120, goal: 60 }),
  judged({
    what: 'EndFrame queued to run() settled, empty pipeline, p50',
    measured: milliseconds(endMs),
    value: endMs,
    must: 0.3,
    goal: 0.1,
    limit: milliseconds,
    better: 'less',
  }),
]);
