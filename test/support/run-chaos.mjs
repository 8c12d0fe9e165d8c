/**
 * Random fault runs: `npm run chaos [-- --seeds=20 --seconds=30 --seed=N]`.
 *
 * Without `--seed` the first one is random; the others follow it. Ends with code 1 if an invariant was broken;
 * `--seeds=1 --seed=N` makes the same plan again.
 */

import { parseArgs } from 'node:util';
import { runChaos } from './chaos.ts';
import { median } from './median.mjs';

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '20' },
    seconds: { type: 'string', default: '30' },
    seed: { type: 'string', default: String(Math.floor(Math.random() * 1e6)) },
  },
});
const print = (/** @type {string} */ line) => process.stdout.write(`${line}\n`);

const results = [];
for (let run = 0; run < Number(values.seeds); run += 1) {
  const seed = Number(values.seed) + run;
  print(`seed ${seed}`);
  const result = await runChaos(seed, Number(values.seconds) * 1_000).catch((error) => ({
    broken: [`it could not be run: ${error}`],
    sessions: [],
    disturbances: [],
    delayMs: Number.NaN,
  }));
  results.push(result);
  const { delayMs } = result;
  const ends = result.sessions.map(({ end }) => end).join(', ');
  print(
    `  ${result.broken.length === 0 ? 'holds' : 'BROKEN'}: ${ends}; ${result.disturbances.join(', ')}; delays up to ${delayMs.toFixed(0)} ms`,
  );
  for (const line of result.broken) print(`  ${line}`);
}

print('\nhow long rooms outlived their bots, in milliseconds\n');
const sessions = results.flatMap((result) => result.sessions);
const nameOf = ({ end, guarded, rejoined, disturbed }) =>
  [end, !guarded && 'no guardian', rejoined && 'human came back', disturbed && 'disturbed']
    .filter(Boolean)
    .join(', ');
for (const name of [...new Set(sessions.map(nameOf))].sort()) {
  const times = sessions.filter((session) => nameOf(session) === name).map(({ lastedMs }) => lastedMs);
  const figures = `median ${median(times).toFixed(0).padStart(6)}  longest ${Math.max(...times).toFixed(0)}`;
  print(`${name.padEnd(48)} ${String(times.length).padStart(3)}  ${figures}`);
}
const broken = results.filter((result) => result.broken.length > 0);
print(`\n${results.length - broken.length} of ${results.length} runs hold`);
process.exitCode = broken.length > 0 ? 1 : 0;
// what LiveKit's SDK and ended children leave behind must not hold it up
process.exit();
