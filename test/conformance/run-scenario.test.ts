import { describe, expect, it } from 'vitest';
import { useVirtualTime } from '../support/fake-time.ts';
import { checkRecording } from './check-recording.ts';
import { type Recording, runScenario, type Sighting } from './run-scenario.ts';
import type { ConformanceScenario, ImprovementScenario, Scenario } from './scenario.ts';
import { readTraces } from './trace-files.ts';

const files = readTraces<Scenario>('traces', process.env.TRACES_DIR);
const nothing = { frame: 'TextFrame', text: 'was never sent' };

/** The scenario with one expectation changed, in every way in which it may be wrong. */
function* broken(scenario: Scenario, { settledAfterMs }: Recording): Generator<[what: string, Scenario]> {
  if (scenario.kind === 'improve') yield* brokenImprovement(scenario, settledAfterMs);
  else yield* brokenTrace(scenario, settledAfterMs);
}

function* brokenTrace(
  scenario: ConformanceScenario,
  settledAfterMs: number,
): Generator<[what: string, Scenario]> {
  const { expect: expected } = scenario;
  const { downstream, upstream } = expected;
  const changes: Record<string, Partial<ConformanceScenario['expect']>> = {
    'a frame more downstream': { downstream: [...downstream, nothing] },
    'a frame more upstream': { upstream: [nothing, ...upstream] },
    'another end': { finished: expected.finished === 'EndFrame' ? 'CancelFrame' : 'EndFrame' },
    'another reason': { reason: 'another' },
    'an error more': { errorCount: expected.errorCount + 1 },
    'a sooner end': { withinMs: settledAfterMs - 1 },
    'another probe': { probes: { ...expected.probes, 'no such probe': {} } },
  };
  if (downstream.length > 0) changes['a frame less downstream'] = { downstream: downstream.slice(0, -1) };
  if (upstream.length > 0) changes['a frame less upstream'] = { upstream: upstream.slice(1) };
  for (const [id, probe] of Object.entries(expected.probes ?? {})) {
    const saw = [...(probe.saw ?? []), nothing];
    changes[`a frame more in probe ${id}`] = { probes: { ...expected.probes, [id]: { ...probe, saw } } };
  }
  for (const [what, change] of Object.entries(changes))
    yield [what, { ...scenario, expect: { ...expected, ...change } }];
}

function* brokenImprovement(
  scenario: ImprovementScenario,
  settledAfterMs: number,
): Generator<[what: string, Scenario]> {
  const { expect: expected } = scenario;
  const changes: Record<string, Partial<ImprovementScenario['expect']>> = {
    'a frame more': { delivered: [...(expected.delivered ?? []), nothing] },
    'a frame more upstream': { deliveredUpstream: [...(expected.deliveredUpstream ?? []), nothing] },
    'another end': { finishedAnyOf: [] },
    'another reason': { reason: 'another' },
    'more errors': { errorsAtLeast: 1_000 },
    'a frame that never comes': { once: ['STTMuteFrame'] },
    'no terminal frame': { never: ['StartFrame', 'EndFrame', 'StopFrame', 'CancelFrame'] },
    'a sooner end': { settlesWithinMs: settledAfterMs - 1 },
  };
  for (const [what, change] of Object.entries(changes))
    yield [what, { ...scenario, expect: { ...expected, ...change } }];
}

describe.each(files.map((file) => [file.group, file] as const))('the scenarios of %s', (_, { scenarios }) => {
  useVirtualTime();

  it('come out the same again, to the millisecond, and fail when anything else is expected', async () => {
    const unnoticed: string[] = [];
    for (const scenario of scenarios) {
      const recording = await runScenario(scenario);
      expect(factsOf(await runScenario(scenario))).toBe(factsOf(recording));
      for (const [what, other] of broken(scenario, recording))
        if (checkRecording(other, recording).length === 0) unnoticed.push(`${scenario.name}: ${what}`);
    }
    expect(unnoticed).toEqual([]);
  });
});

/** Without the numbers of frames and processors, which go on from run to run. */
function factsOf({ downstream, upstream, probes, settledAfterMs, errorCount }: Recording): string {
  const records = (sightings: readonly Sighting[]) => sightings.map(({ record }) => record);
  const facts = {
    downstream: records(downstream),
    upstream: records(upstream),
    probes: [...probes].map(([id, { saw, cleanups }]) => [id, records(saw), cleanups]),
    settledAfterMs,
    errorCount,
  };
  return JSON.stringify(facts, undefined, 1).replaceAll(/#\d+/g, '#');
}
