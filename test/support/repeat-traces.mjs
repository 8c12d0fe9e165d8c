/**
 * Runs the golden traces again and again: `npm run traces:repeat [-- --busy] [-- --times=20]`.
 *
 * With `--busy` every core is kept busy meanwhile. Ends with the first run that fails, and its output.
 */

import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { startBurners } from './burners.mjs';

const { values } = parseArgs({
  options: { busy: { type: 'boolean', default: false }, times: { type: 'string', default: '20' } },
});
const times = Number(values.times);
const root = fileURLToPath(new URL('../..', import.meta.url));
const vitest = fileURLToPath(new URL('../../node_modules/vitest/vitest.mjs', import.meta.url));

/** One run of the suite. */
function runTraces() {
  const args = [
    'run',
    '--config',
    'test/vitest.config.ts',
    'test/conformance/traces.test.ts',
    'test/conformance/conversations.test.ts',
  ];
  const child = spawn(process.execPath, [vitest, ...args], { cwd: root });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text) => {
      output += text;
    });
  }
  return new Promise((resolve) => child.on('close', (code) => resolve({ code, output })));
}

const burners = values.busy ? startBurners() : undefined;

try {
  for (let run = 1; run <= times; run += 1) {
    const startedAt = performance.now();
    const { code, output } = await runTraces();
    const seconds = ((performance.now() - startedAt) / 1_000).toFixed(1);
    process.stdout.write(`run ${run} of ${times}: ${code === 0 ? 'passed' : 'FAILED'} in ${seconds} s\n`);
    if (code !== 0) {
      process.stdout.write(output);
      process.exitCode = 1;
      break;
    }
  }
} finally {
  burners?.stop();
}
