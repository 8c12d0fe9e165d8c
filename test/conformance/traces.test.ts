/** Runs the golden traces: every scenario of every *.json directly in the folder `TRACES_DIR`. */

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, it } from 'vitest';
import { checkRecording } from './check-recording.ts';
import { runScenario } from './run-scenario.ts';
import type { TraceFile } from './scenario.ts';

function tracesDirectory(): string {
  if (process.env.TRACES_DIR) return resolve(process.env.TRACES_DIR);
  const besideTheCheckout = fileURLToPath(new URL('../../../shared/traces', import.meta.url));
  if (existsSync(besideTheCheckout)) return besideTheCheckout;
  return fileURLToPath(new URL('traces', import.meta.url));
}

const directory = tracesDirectory();
const fileNames = readdirSync(directory).filter((name) => name.endsWith('.json'));

if (fileNames.length === 0) throw new Error(`There are no traces in ${directory}`);

describe.concurrent.each(fileNames.sort())('%s', (fileName) => {
  const { scenarios } = JSON.parse(readFileSync(join(directory, fileName), 'utf8')) as TraceFile;
  for (const scenario of scenarios) {
    it(scenario.name, async () => {
      const problems = checkRecording(scenario, await runScenario(scenario));
      if (problems.length > 0) throw new TraceMismatch(scenario.name, scenario.about, problems);
    });
  }
});

/** Its text is all there is to say; where it was thrown tells nothing. */
class TraceMismatch extends Error {
  constructor(name: string, about = '', problems: readonly string[]) {
    super([`${name}: ${about}`, ...problems].join('\n\n'));
    this.name = 'TraceMismatch';
    this.stack = '';
  }
}
