/** Whether a long queue is slower than a short one. */

import { measure, median } from './measure.mjs';
import { judged, noted, rate, report } from './report.mjs';
import { processors, startRow, textFrames } from './rows.mjs';

const short = 2_000;
const long = 100_000;
const row = await startRow(processors(5));
let frames = textFrames(0);

const samples = await measure(
  [short, long].map((count) => ({
    name: `${count}`,
    before: () => {
      frames = textFrames(count);
    },
    run: () => row.send(frames),
  })),
);
await row.end();

/** @param {number} count */
const perSecond = (count) => (count / median(samples(`${count}`))) * 1_000;
const ratio = perSecond(long) / perSecond(short);
/** @param {number} share */
const ofShort = (share) => `${share.toFixed(2)} × the short`;
report([
  noted('5 stages, 2,000 frames waiting', rate(perSecond(short))),
  judged({
    what: '5 stages, 100,000 frames waiting',
    measured: rate(perSecond(long)),
    ratio: ofShort(ratio),
    value: ratio,
    must: 0.5,
    goal: 1,
    limit: ofShort,
    better: 'more',
  }),
]);
