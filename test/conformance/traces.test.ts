/** Runs the golden traces in virtual time: every scenario of every *.json directly in the folder `TRACES_DIR`. */

import { describe, it } from 'vitest';
import { useVirtualTime } from '../support/fake-time.ts';
import { checkRecording } from './check-recording.ts';
import { runScenario } from './run-scenario.ts';
import type { Scenario } from './scenario.ts';
import { expectNoProblems, readTraces } from './trace-files.ts';

const files = readTraces<Scenario>('traces', process.env.TRACES_DIR);

describe.each(files.map((file) => [file.group, file] as const))('%s', (_, { scenarios }) => {
  useVirtualTime();

  it.each(scenarios.map((scenario) => [scenario.name, scenario] as const))('%s', async (_, scenario) => {
    expectNoProblems(scenario, checkRecording(scenario, await runScenario(scenario)));
  });
});
