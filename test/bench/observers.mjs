/** What three observers cost, until the last frame is out and the last observer has been told so. */

import { setTimeout as sleep } from 'node:timers/promises';
import { measure, median } from './measure.mjs';
import { judged, noted, rate, report } from './report.mjs';
import { processors, startRow, textFrames } from './rows.mjs';

const count = 20_000;
let frames = textFrames(count);
const before = () => {
  frames = textFrames(count);
};

let untold = 0;
let told = () => {};
const observer = () => ({
  onPushFrame() {
    untold -= 1;
    if (untold === 0) told();
  },
});

const without = await startRow(processors(5));
const observed = await startRow(processors(5), { observers: [observer(), observer(), observer()] });

await sleep(50);
untold = 0;
await observed.send(textFrames(1));
await sleep(50);
const toldPerFrame = -untold;

const samples = await measure([
  { name: 'without', before, run: () => without.send(frames) },
  {
    name: 'observed',
    before,
    run: () => {
      untold = toldPerFrame * count;
      const allTold = new Promise((resolve) => {
        told = () => resolve(undefined);
      });
      return Promise.all([observed.send(frames), allTold]);
    },
  },
]);
await Promise.all([without.end(), observed.end()]);

/** @param {string} name */
const perSecond = (name) => (count / median(samples(name))) * 1_000;
const ratio = perSecond('observed') / perSecond('without');
/** @param {number} share */
const ofRate = (share) => `${share.toFixed(2)} × without`;
report([
  noted('5 stages, no observer', rate(perSecond('without'))),
  judged({
    what: `5 stages, three observers, ${toldPerFrame / 3} pushes told to each per frame`,
    measured: rate(perSecond('observed')),
    ratio: ofRate(ratio),
    value: ratio,
    must: 0.6,
    goal: 0.75,
    limit: ofRate,
    better: 'more',
  }),
]);
