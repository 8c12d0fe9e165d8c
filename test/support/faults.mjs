/**
 * What happens to rooms when things break: `npm run faults [-- --times=10] [-- --only=deaths|guardian|matrix]`.
 *
 * Lets bots die in every way, so many times each, and prints the medians; measures the guardian; has sweepers with
 * their real limits live through everything that could make them wrong; then runs the tests of the fault matrix
 * and prints it. Ends with code 1 if anything failed or a row is not shown.
 */

import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { median } from './median.mjs';
import { runFaultMatrix } from './run-fault-matrix.mjs';

const { values } = parseArgs({
  options: { times: { type: 'string', default: '10' }, only: { type: 'string' }, part: { type: 'string' } },
});
const root = fileURLToPath(new URL('../..', import.meta.url));
const print = (/** @type {string} */ line) => process.stdout.write(`${line}\n`);

/** Runs a program of Node and gives what it printed; its errors are shown. */
async function run(/** @type {readonly string[]} */ args) {
  const child = spawn(process.execPath, args, { cwd: root, stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text) => {
    output += text;
  });
  await new Promise((resolve) => child.on('close', resolve));
  return output;
}

/** Runs a program in TypeScript that prints one JSON object per line. */
async function measure(/** @type {readonly string[]} */ args) {
  const loader = new URL('./typescript-loader.mjs', import.meta.url).href;
  const output = await run(['--import', loader, ...args]);
  return output.split('\n').flatMap((line) => (line.startsWith('{') ? [JSON.parse(line)] : []));
}

async function deaths() {
  const all = await measure(['test/support/measure-deaths.ts', values.times, values.part ?? '']);
  print('\nhow long a caller is left in a room whose bot has died, in milliseconds');
  print('(counted from the end of its process; negative: out before that)\n');
  for (const title of new Set(all.map((death) => death.title))) {
    const those = all.filter((death) => death.title === title);
    const passed = those.filter((death) => death.passed).length;
    const times = those.flatMap(({ outAfterMs }) => (outAfterMs === undefined ? [] : [outAfterMs]));
    const figures = `median ${median(times).toFixed(0).padStart(5)}  longest ${Math.max(...times)
      .toFixed(0)
      .padStart(5)}`;
    print(`${title.padEnd(42)} ${passed}/${those.length} within ${those[0].limitMs}  ${figures}`);
    for (const { error, reason, left } of those.filter((death) => !death.passed)) {
      print(`  ${error ?? `caller out by ${reason}, rooms left: ${left}`}`);
    }
  }
  return all.length > 0 && all.every((death) => death.passed);
}

async function guardian() {
  const result = JSON.parse(await run(['test/support/measure-guardian.mjs', values.times]));
  print('\nthe guardian\n');
  print(`armed after ${result.armedMs} ms, of which ${result.blockedMs} ms of the bot's event loop`);
  print(
    `${result.rssMB} MB resident, ${result.pssMB} MB of which are its own share; idle ${result.cpuPercent} % CPU`,
  );
  return result.rssMB <= 45;
}

async function falseKills() {
  const all = await measure(['test/support/measure-false-kills.ts', values.part ?? '']);
  print('\nsweepers with their real limits: who was deleted, and when, counted from the end of the fault\n');
  for (const { title, passed, error, live, falseKills, goneAfterMs, limitMs } of all) {
    const figures = `${live} live bots, ${falseKills} deleted; the dead one gone after ${(goneAfterMs / 1_000).toFixed(1)} s of ${limitMs / 1_000}`;
    print(`${passed ? 'pass' : 'FAIL'}  ${title.padEnd(50)} ${error ?? figures}`);
  }
  return all.length > 0 && all.every(({ passed }) => passed);
}

const parts = { deaths, guardian, 'false-kills': falseKills, matrix: () => runFaultMatrix(print) };
for (const [name, part] of Object.entries(parts)) {
  if (values.only !== undefined && values.only !== name) continue;
  if (!(await part())) process.exitCode = 1;
}
