/** Frames per second through pass-through stages, against the floor. */

import { floorRow, passOn, passOnLater } from './floor.mjs';
import { measure, median } from './measure.mjs';
import { judged, noted, rate, report } from './report.mjs';
import { PassOnLater, processors, startRow, textFrames } from './rows.mjs';

const count = 20_000;
let frames = textFrames(count);
const before = () => {
  frames = textFrames(count);
};

const rows = {
  floor5: floorRow(5, passOn),
  floor10: floorRow(10, passOn),
  floorAwait: floorRow(5, passOnLater),
  five: await startRow(processors(5)),
  ten: await startRow(processors(10)),
  awaiting: await startRow(processors(5, PassOnLater)),
};

const samples = await measure(
  Object.entries(rows).map(([name, row]) => ({ name, before, run: () => row.send(frames) })),
);
await Promise.all([rows.five.end(), rows.ten.end(), rows.awaiting.end()]);

/** @param {keyof typeof rows} name */
const perSecond = (name) => (count / median(samples(name))) * 1_000;
/** @param {number} share */
const ofFloor = (share) => `${share.toFixed(2)} × floor`;

/**
 * @param {string} what
 * @param {keyof typeof rows} name
 * @param {keyof typeof rows} floor
 * @param {number} must
 */
const againstFloor = (what, name, floor, must) => {
  const ratio = perSecond(name) / perSecond(floor);
  return judged({
    what,
    measured: rate(perSecond(name)),
    ratio: ofFloor(ratio),
    value: ratio,
    must,
    goal: 0.3,
    limit: ofFloor,
    better: 'more',
  });
};

report([
  noted('floor, 5 stages', rate(perSecond('floor5'))),
  noted('floor, 10 stages', rate(perSecond('floor10'))),
  noted('floor, 5 stages, one await in each', rate(perSecond('floorAwait'))),
  againstFloor('5 stages', 'five', 'floor5', 0.2),
  againstFloor('10 stages', 'ten', 'floor10', 0.3),
  judged({
    what: '5 stages, one await in each',
    measured: rate(perSecond('awaiting')),
    ratio: ofFloor(perSecond('awaiting') / perSecond('floor5')),
    value: perSecond('awaiting'),
    must: 100_000,
    goal: 400_000,
    limit: rate,
    better: 'more',
  }),
]);
