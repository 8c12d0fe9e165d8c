/** Samples by tinybench, and what is read from them. */

import { Bench } from 'tinybench';

/**
 * @typedef {object} Case
 * @property {string} name
 * @property {() => Promise<unknown>} run What is timed. May return `{ overriddenDuration }`, in milliseconds.
 * @property {() => void | Promise<void>} [before] Before each sample, not timed; what it leaves to the garbage
 * collector is not timed either.
 */

/**
 * Takes samples of every case by turns, so that a busy moment of the machine hits all of them.
 *
 * @param {readonly Case[]} cases
 * @param {{ rounds?: number, iterations?: number, warmup?: number }} [options] Samples are `rounds` times
 * `iterations`; `warmup` more come first, and are not counted.
 * @returns {Promise<(name: string) => number[]>} The samples of a case in milliseconds, shortest first.
 */
export async function measure(cases, { rounds = 9, iterations = 3, warmup = 10 } = {}) {
  /** @type {Map<string, number[]>} */
  const samples = new Map(cases.map(({ name }) => [name, []]));
  for (let round = 0; round < rounds; round += 1) {
    const bench = new Bench({
      time: 0,
      iterations,
      warmup: round === 0,
      warmupTime: 0,
      warmupIterations: warmup,
      retainSamples: true,
      throws: true,
    });
    for (const { name, run, before } of cases) {
      const prepare = async () => {
        await before?.();
        settleGarbage();
      };
      bench.add(name, run, before === undefined ? { async: true } : { async: true, beforeEach: prepare });
    }
    for (const { name, result } of await bench.run()) {
      if (result.state === 'completed') samples.get(name)?.push(...(result.latency.samples ?? []));
    }
  }
  return (name) => (samples.get(name) ?? []).sort((a, b) => a - b);
}

/**
 * @param {readonly number[]} sorted
 * @param {number} part 0.5 for the median.
 */
export function quantile(sorted, part) {
  const value = sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))];
  if (value === undefined) throw new Error('there are no samples');
  return value;
}

/** @param {readonly number[]} sorted */
export function median(sorted) {
  return quantile(sorted, 0.5);
}

/** Twice, so that what was made for a sample is old before the sample begins. */
function settleGarbage() {
  globalThis.gc?.({ type: 'minor' });
  globalThis.gc?.({ type: 'minor' });
}

/** Collects garbage; the benchmarks run with `--expose-gc`. */
export function collectGarbage() {
  if (globalThis.gc === undefined) throw new Error('run it with node --expose-gc');
  globalThis.gc();
}
