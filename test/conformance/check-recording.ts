/** Compares a recording with what was expected of it: `traces/README.md`, sections 7 and 8. */

import type { Frame, FrameDirection } from '../../src/frames/frame.ts';
import type { PipelineResult } from '../../src/processors/frame-processor-setup.ts';
import { expand, fits, kindOf, matches } from './frame-notation.ts';
import type { Recording, Sighting } from './run-scenario.ts';
import type {
  ConformanceScenario,
  FrameRecord,
  ImprovementScenario,
  RecordedSpec,
  Scenario,
} from './scenario.ts';
import { diffRecords, formatRecord } from './trace-diff.ts';

/** The frame that a run of that result finished with. */
const finishedWith: Readonly<Record<PipelineResult['reason'], string | null>> = {
  ended: 'EndFrame',
  stopped: 'StopFrame',
  cancelled: 'CancelFrame',
  failed: null,
};

/** @returns Everything that is not as it should be, each a paragraph; empty when all is well. */
export function checkRecording(scenario: Scenario, recording: Recording): string[] {
  const problems = checkOutcome(recording);
  const more =
    scenario.kind === 'improve'
      ? checkImprovement(scenario, recording)
      : checkConformance(scenario, recording);
  return [...problems, ...more];
}

function checkOutcome({ result, rejection, finishedEvents }: Recording): string[] {
  if (rejection !== undefined) return [`run() was rejected: ${rejection}`];
  if (result === undefined) return ['run() did not settle'];
  return finishedEvents === 1 ? [] : [`"finished" was emitted ${finishedEvents} times`];
}

// — conformance —

function checkConformance({ expect, compare }: ConformanceScenario, recording: Recording): string[] {
  const { result, errorCount, settledAfterMs } = recording;
  const problems = [
    ...checkTrace('downstream', expect.downstream, recording.downstream, compare),
    ...checkTrace('upstream', expect.upstream, recording.upstream, compare),
    ...checkSiblings(recording),
  ];
  for (const [id, { saw, cleanups }] of Object.entries(expect.probes ?? {})) {
    const probe = recording.probes.get(id);
    if (probe === undefined) problems.push(`there is no probe "${id}"`);
    else {
      if (saw !== undefined) problems.push(...checkTrace(`probe "${id}"`, saw, probe.saw, compare));
      if (cleanups !== undefined && cleanups !== probe.cleanups) {
        problems.push(`probe "${id}" was cleaned up ${probe.cleanups} times, not ${cleanups}`);
      }
    }
  }
  if (result !== undefined) {
    const finished = finishedWith[result.reason];
    if (finished !== expect.finished) problems.push(`it finished with ${finished}, not ${expect.finished}`);
    problems.push(...checkReason(expect.reason, result));
  }
  if (errorCount !== expect.errorCount) {
    problems.push(`${errorCount} errors were reported, not ${expect.errorCount}`);
  }
  return [...problems, ...checkTime(expect.withinMs, settledAfterMs)];
}

function checkTrace(
  name: string,
  expectedSpecs: readonly RecordedSpec[],
  sightings: readonly Sighting[],
  compare: ConformanceScenario['compare'] = 'ordered',
): string[] {
  const expected = expand(expectedSpecs);
  if (compare === 'ordered') return checkOrder(name, expected, sightings);
  const isSystem = (record: FrameRecord): boolean => kindOf(record.frame) === 'system';
  const wasSystem = (sighting: Sighting): boolean => sighting.frame.kind === 'system';
  return [
    ...checkOrder(`${name}, system frames`, expected.filter(isSystem), sightings.filter(wasSystem)),
    ...checkOrder(
      `${name}, other frames`,
      expected.filter((record) => !isSystem(record)),
      sightings.filter((sighting) => !wasSystem(sighting)),
    ),
  ];
}

function checkOrder(
  name: string,
  expected: readonly FrameRecord[],
  sightings: readonly Sighting[],
): string[] {
  const difference = diffRecords(
    expected,
    sightings.map(({ record }) => record),
    (one, other) => fits(one, other, true),
  );
  return difference === undefined ? [] : [`${name} (- missing, + too much):\n${difference}`];
}

/** The first broadcast frame of a class downstream and the first upstream are a pair, and so on. */
function checkSiblings({ downstream, upstream }: Recording): string[] {
  const broadcastOf = (sightings: readonly Sighting[], className: string): Frame[] =>
    sightings
      .filter(({ record }) => record.broadcast && record.frame === className)
      .map(({ frame }) => frame);
  const classNames = new Set(downstream.map(({ record }) => record.frame));
  return [...classNames].flatMap((className) => {
    const down = broadcastOf(downstream, className);
    const up = broadcastOf(upstream, className);
    if (up.length !== down.length || down.every((frame, index) => areSiblings(frame, up[index]))) return [];
    return [`the broadcast ${className}s of the two directions are no pairs`];
  });
}

function areSiblings(one: Frame, other: Frame | undefined): boolean {
  return (
    other !== undefined &&
    one.id !== other.id &&
    one.broadcastSiblingId === other.id &&
    other.broadcastSiblingId === one.id
  );
}

// — improvements —

function checkImprovement({ expect }: ImprovementScenario, recording: Recording): string[] {
  const { result, errorCount, settledAfterMs, downstream, upstream } = recording;
  const problems = [
    ...checkDelivered('downstream', expect.delivered, downstream),
    ...checkDelivered('upstream', expect.deliveredUpstream, upstream),
  ];
  for (const className of expect.once ?? []) {
    const count = downstream.filter(({ record }) => record.frame === className).length;
    if (count !== 1) problems.push(`${className} came out ${count} times, not once`);
  }
  const never = downstream.filter(({ frame }) => matches(expect.never ?? [], frame, 'downstream'));
  for (const { record } of never) problems.push(`${formatRecord(record)} should never have come out`);
  if (result !== undefined) {
    const finished = finishedWith[result.reason];
    if (!expect.finishedAnyOf.includes(finished)) {
      problems.push(`it finished with ${finished}, not with any of ${expect.finishedAnyOf.join(', ')}`);
    }
    problems.push(...checkReason(expect.reason, result));
  }
  if (errorCount < (expect.errorsAtLeast ?? 0)) {
    problems.push(`${errorCount} errors were reported, not ${expect.errorsAtLeast} or more`);
  }
  return [...problems, ...checkTime(expect.settlesWithinMs, settledAfterMs)];
}

function checkDelivered(
  direction: FrameDirection,
  specs: readonly RecordedSpec[] = [],
  sightings: readonly Sighting[],
): string[] {
  const expected = expand(specs);
  let found = 0;
  for (const { record } of sightings) {
    const next = expected[found];
    if (next !== undefined && fits(next, record, false)) found += 1;
  }
  const missing = expected[found];
  if (missing === undefined) return [];
  const lines = sightings.map(({ record }) => `  ${formatRecord(record)}`);
  return [
    `${direction}: ${formatRecord(missing)} was not delivered in its turn; what was:\n${lines.join('\n')}`,
  ];
}

// — both —

function checkReason(expected: string | null | undefined, { frame }: PipelineResult): string[] {
  if (expected === undefined) return [];
  const reason = (frame !== undefined && 'reason' in frame ? frame.reason : undefined) ?? null;
  return reason === expected
    ? []
    : [`its reason was ${JSON.stringify(reason)}, not ${JSON.stringify(expected)}`];
}

function checkTime(limitMs: number | undefined, settledAfterMs: number): string[] {
  if (limitMs === undefined || settledAfterMs <= limitMs) return [];
  return [`run() settled after ${Math.round(settledAfterMs)} ms, not within ${limitMs}`];
}
