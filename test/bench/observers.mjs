/** What three observers cost: until the last frame is out, and until each of them was told so. */

import { setTimeout as sleep } from 'node:timers/promises';
import { measure, median } from './measure.mjs';
import { judged, noted, rate, report } from './report.mjs';
import { processors, startRow, textFrames } from './rows.mjs';

const count = 20_000;
let frames = textFrames(0);

let untold = 0;
let allTold = () => {};
const observer = () => ({
  onPushFrame() {
    untold -= 1;
    if (untold === 0) allTold();
  },
});

const without = await startRow(processors(5));
const observed = await startRow(processors(5), { observers: [observer(), observer(), observer()] });

await sleep(50);
untold = 0;
await observed.send(textFrames(1));
await sleep(50);
const toldPerFrame = -untold;
let told = Promise.resolve();

/** Sends the frames; `told` is when all three observers know. */
function sendObserved() {
  untold = toldPerFrame * count;
  told = new Promise((resolve) => {
    allTold = () => resolve(undefined);
  });
  return observed.send(frames);
}

const before = async () => {
  await told;
  frames = textFrames(count);
};

const samples = await measure([
  { name: 'without', before, run: () => without.send(frames) },
  { name: 'out', before, run: sendObserved },
  { name: 'told', before, run: () => sendObserved().then(() => told) },
]);
await Promise.all([without.end(), observed.end()]);

/** @param {string} name */
const perSecond = (name) => (count / median(samples(name))) * 1_000;
/** @param {number} share */
const ofRate = (share) => `${share.toFixed(2)} × without`;
const ratio = perSecond('out') / perSecond('without');
report([
  noted('5 stages, no observer', rate(perSecond('without'))),
  judged({
    what: '5 stages, three observers, until the last frame is out',
    measured: rate(perSecond('out')),
    ratio: ofRate(ratio),
    value: ratio,
    must: 0.6,
    goal: 0.75,
    limit: ofRate,
    better: 'more',
  }),
  {
    ...noted(`the same until each was told ${toldPerFrame / 3} pushes per frame`, rate(perSecond('told'))),
    ratio: ofRate(perSecond('told') / perSecond('without')),
  },
]);
