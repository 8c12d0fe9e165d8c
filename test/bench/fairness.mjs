/** How long a burst keeps the event loop to itself, and what giving way costs. */

import { measure, median, quantile } from './measure.mjs';
import { judged, noted, rate, report } from './report.mjs';

// A clock that can be stopped: with the time standing still the scheduler never gives way. It takes hold of the
// clock when it is loaded.
const now = performance.now.bind(performance);
let stoppedAt = Number.NaN;
performance.now = () => (Number.isNaN(stoppedAt) ? now() : stoppedAt);
const { processors, startRow, textFrames } = await import('./rows.mjs');

const count = 20_000;
const row = await startRow(processors(5));
let frames = textFrames(0);
const before = async () => {
  frames = textFrames(count);
  await new Promise((resolve) => setImmediate(resolve));
};

/**
 * Looks at the clock again and again while a burst is worked off.
 *
 * @param {(look: () => void) => any} nextTurn `setImmediate`, or `setTimeout`.
 * @param {(next: any) => void} clearTurn
 * @returns The longest time between two looks, in milliseconds.
 */
async function longestBlock(nextTurn, clearTurn) {
  let longest = 0;
  let last = now();
  const look = () => {
    longest = Math.max(longest, now() - last);
    last = now();
    next = nextTurn(look);
  };
  let next = nextTurn(look);
  await row.send(frames);
  longest = Math.max(longest, now() - last);
  clearTurn(next);
  return longest;
}

const samples = await measure([
  { name: 'fair', before, run: () => row.send(frames) },
  {
    name: 'greedy',
    before,
    run: async () => {
      const at = now();
      stoppedAt = at;
      await row.send(frames);
      stoppedAt = Number.NaN;
      return { overriddenDuration: now() - at };
    },
  },
  {
    name: 'block',
    before,
    run: async () => ({ overriddenDuration: await longestBlock(setImmediate, clearImmediate) }),
  },
  {
    name: 'timer',
    before,
    run: async () => ({ overriddenDuration: await longestBlock(setTimeout, clearTimeout) }),
  },
]);
await row.end();

const fair = (count / median(samples('fair'))) * 1_000;
const greedy = (count / median(samples('greedy'))) * 1_000;
/** @param {number} ms */
const milliseconds = (ms) => `${ms.toFixed(1)} ms`;
/** @param {number} share */
const ofGreedy = (share) => `${share.toFixed(2)} × greedy`;

/**
 * @param {string} what
 * @param {string} name
 */
const longest = (what, name) => {
  const ms = quantile(samples(name), 0.5);
  return judged({
    what: `burst of 20,000: ${what}, median`,
    measured: milliseconds(ms),
    ratio: `worst ${milliseconds(quantile(samples(name), 1))}`,
    value: ms,
    must: 10,
    goal: 5,
    limit: milliseconds,
    better: 'less',
  });
};

report([
  noted('burst of 20,000, 5 stages, never giving way (its clock stands still)', rate(greedy)),
  judged({
    what: 'burst of 20,000, 5 stages, giving way',
    measured: rate(fair),
    ratio: ofGreedy(fair / greedy),
    value: fair / greedy,
    must: 0.9,
    goal: 0.95,
    limit: ofGreedy,
    better: 'more',
  }),
  longest('longest block of the event loop', 'block'),
  longest('longest wait of a 1 ms timer', 'timer'),
]);
