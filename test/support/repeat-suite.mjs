/**
 * Runs the whole suite again and again: `npm run test:repeat -- --times=10 [--busy] [--output=FILE] [FILES...]`.
 *
 * Prints one line for each run, and the names of the tests that failed; what vitest prints goes to the file as well.
 * With `--busy` every core is kept busy by another program meanwhile. Ends with 1 if anything failed in any run.
 */

import { spawn } from 'node:child_process';
import { appendFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { startBurners } from './burners.mjs';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    times: { type: 'string', default: '10' },
    busy: { type: 'boolean', default: false },
    output: { type: 'string', default: 'node_modules/.cache/repeat-suite/output.txt' },
  },
});
const root = fileURLToPath(new URL('../..', import.meta.url));
const output = resolve(root, values.output);
const report = join(dirname(output), `repeat-suite-${process.pid}.json`);

/** @param {string} line */
function print(line) {
  process.stdout.write(`${line}\n`);
  appendFileSync(output, `${line}\n`);
}

/** One run of the suite: its exit code. */
function run() {
  const vitest = join(root, 'node_modules/vitest/vitest.mjs');
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
  const args = [
    vitest,
    'run',
    '--config',
    'test/vitest.config.ts',
    '--retry=0',
    ...reporters,
    ...positionals,
  ];
  const child = spawn(process.execPath, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (text) => appendFileSync(output, text));
  return new Promise((resolve) => child.on('close', resolve));
}

/** What vitest says of the run; nothing when it broke off. */
function readReport() {
  try {
    return JSON.parse(readFileSync(report, 'utf8'));
  } catch {
    return { testResults: [] };
  } finally {
    rmSync(report, { force: true });
  }
}

mkdirSync(dirname(output), { recursive: true });
writeFileSync(output, '');
process.stdout.write(`everything goes to ${relative(process.cwd(), output)}\n`);
const burners = values.busy ? startBurners() : undefined;
try {
  for (let number = 1; number <= Number(values.times); number += 1) {
    const startedAt = performance.now();
    const code = await run();
    const seconds = ((performance.now() - startedAt) / 1_000).toFixed(0);
    const { testResults, numPassedTests = 0, numFailedTests = 0, numPendingTests = 0 } = readReport();
    const counts = `${numPassedTests} passed, ${numFailedTests} failed, ${numPendingTests} skipped`;
    print(
      `run ${number} of ${values.times}: ${counts}, ${seconds} s${code === 0 ? '' : `, exit code ${code}`}`,
    );
    for (const { name, status, message, assertionResults } of testResults) {
      const file = relative(root, name);
      const failed = assertionResults.filter((test) => test.status === 'failed');
      for (const test of failed) print(`  ${file} > ${test.fullName}`);
      if (status === 'failed' && failed.length === 0) print(`  ${file}: ${message.split('\n')[0]}`);
    }
    if (code !== 0) process.exitCode = 1;
  }
} finally {
  burners?.stop();
}
