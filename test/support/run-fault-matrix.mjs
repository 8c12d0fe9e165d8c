/**
 * Runs the tests that show the rows of the fault matrix, and those of other promised times, one after the other, and
 * tells for each row how it went.
 */

import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startVitest } from 'vitest/node';
import { rows } from './fault-matrix.mjs';

/**
 * @typedef {object} Verdict
 * @property {'pass' | 'FAIL' | 'skipped' | 'NO TEST'} verdict The worst, where several tests show the row.
 * @property {number} tests How many there are.
 * @property {number} ms What they took together.
 * @property {readonly string[]} missing Patterns that no test has.
 */

const root = fileURLToPath(new URL('../..', import.meta.url));

/** The test files in which a title begins with `row N:`, or a time is promised. */
async function filesWithRows() {
  const names = await readdir(join(root, 'test'), { recursive: true });
  const files = names.filter((name) => name.endsWith('.test.ts')).map((name) => join('test', name));
  const texts = await Promise.all(files.map((file) => readFile(join(root, file), 'utf8')));
  return files.filter((_, index) => /['"`]row \d+:|\bpromised\(|\.contract\.ts/.test(texts[index] ?? ''));
}

/** @returns {Promise<readonly import('vitest/node').TestCase[]>} */
async function runTests(/** @type {readonly string[]} */ files) {
  // see promised.ts
  process.env.ENDFRAME_TEST_TIMES = 'as promised';
  const vitest = await startVitest('test', [...files], {
    root,
    config: 'test/vitest.config.ts',
    watch: false,
    // nothing of the suite keeps the machine busy meanwhile
    maxWorkers: 1,
    maxConcurrency: 1,
  });
  const tests = vitest.state.getTestModules().flatMap(({ children }) => [...children.allTests()]);
  await vitest.close();
  return tests;
}

/** @returns {Verdict} */
function judge(
  /** @type {import('./fault-matrix.mjs').Row} */ { row, shownBy = [] },
  /** @type {readonly import('vitest/node').TestCase[]} */ tests,
) {
  const named = tests.filter(({ name }) => name.startsWith(`row ${row}:`));
  const shown = shownBy.map(([file, title]) =>
    tests.filter((test) => test.module.moduleId.endsWith(file) && title.test(fullTitle(test))),
  );
  const missing = shownBy.filter((_, index) => shown[index]?.length === 0).map(([, title]) => String(title));
  const those = [...new Set([...named, ...shown.flat()])];
  const states = those.map((test) => test.result().state);
  const ms = those.reduce((sum, test) => sum + (test.diagnostic()?.duration ?? 0), 0);
  const verdict = states.includes('failed')
    ? 'FAIL'
    : those.length === 0 || missing.length > 0
      ? 'NO TEST'
      : states.every((state) => state === 'passed')
        ? 'pass'
        : 'skipped';
  return { verdict, tests: those.length, ms, missing };
}

/** The titles of its blocks and its own, as one sentence. */
function fullTitle(/** @type {import('vitest/node').TestCase} */ { fullName }) {
  return fullName.replaceAll(' > ', ' ');
}

/**
 * Prints the matrix.
 *
 * @returns Whether every row is shown by passing tests, or says why it cannot be.
 */
export async function runFaultMatrix(/** @type {(line: string) => void} */ print) {
  const named = rows.flatMap(({ shownBy = [] }) => shownBy.map(([file]) => file));
  const tests = await runTests([...new Set([...named, ...(await filesWithRows())])]);
  print('\nthe fault matrix\n');
  let good = true;
  for (const row of rows) {
    const { verdict, tests: count, ms, missing } = judge(row, tests);
    const figures = `${count} tests, ${(ms / 1_000).toFixed(1)} s`;
    const why = [...missing.map((title) => `no test has ${title}`), ...(row.reason ? [row.reason] : [])];
    print(
      `${String(row.row).padStart(3)} ${verdict.padEnd(8)} ${row.fault.padEnd(44)} ${[figures, ...why].join('; ')}`,
    );
    good &&= verdict === 'pass' || (verdict !== 'FAIL' && row.reason !== undefined);
  }
  const failed = tests.filter((test) => test.result().state === 'failed');
  print(`\n${tests.length} tests of faults and promised times, ${failed.length} failed`);
  for (const test of failed) print(`  ${test.fullName}`);
  good &&= failed.length === 0;
  return good;
}
