/** Compares a recording with what Pipecat did: `conversation-traces/README.md`, sections 6 and 8. */

import { compareEvents, compareLists, compareMessages, formatItem } from './differences.ts';
import { fits } from './patterns.ts';
import { absentClasses, classNameOf, isCompared } from './places.ts';
import type { ConversationRecording } from './recorder.ts';
import type { Lane, Reproduction, ReproductionScenario, RunSpec, ToolTrace } from './scenario.ts';

/** What is left out, whatever is expected. */
interface Exceptions {
  readonly wordTimes: boolean;
  /** Classes that there are none of. */
  readonly absent: readonly string[];
}

type Check<Field extends keyof Reproduction> = (
  expected: NonNullable<Reproduction[Field]>,
  recording: ConversationRecording,
  exceptions: Exceptions,
) => string[];

const checks: { readonly [Field in keyof Reproduction]-?: Check<Field> } = {
  context: (expected, { context }) => compareMessages('context', expected, context, 'exactly'),
  llmRuns: checkRuns,
  user: (expected, { user }) => compareEvents('user', expected, user, 'exactly'),
  assistant: (expected, { assistant }) => compareEvents('assistant', expected, assistant, 'exactly'),
  tools: checkTools,
  marks: checkMarks,
  frames: checkFrames,
  ended: (expected, { ended }) => compareValue('ended', expected, ended),
  errors: (expected, { errors }) => compareValue('errors', expected, errors),
};

/** @returns Everything that is not as it should be, each a paragraph; empty when all is well. */
export function checkReproduction(
  { expect, open = [], tts = {} }: ReproductionScenario,
  recording: ConversationRecording,
  absent: readonly string[] = absentClasses,
): string[] {
  const exceptions = { wordTimes: tts.wordTimes ?? false, absent };
  // without `tools` no handler was called
  const fields = Object.entries({ tools: [], ...expect }).filter(([field]) => !open.includes(field));
  return fields.flatMap(([field, expected]) => {
    const check = checks[field as keyof Reproduction];
    if (check === undefined) throw new Error(`The traces expect no "${field}"`);
    return check(expected as never, recording, exceptions);
  });
}

function checkRuns(expected: readonly RunSpec[], { llmRuns }: ConversationRecording): string[] {
  const problems: string[] = [];
  if (llmRuns.length !== expected.length) {
    problems.push(`llmRuns: expected ${expected.length}, got ${llmRuns.length}`);
  }
  for (let index = 0; index < Math.max(llmRuns.length, expected.length); index += 1) {
    const name = `llmRuns, run ${index + 1}`;
    const [want, got] = [expected[index], llmRuns[index]];
    problems.push(...compareMessages(name, want?.messages ?? [], got?.messages ?? [], 'exactly'));
    if (want === undefined || got === undefined) continue;
    problems.push(...compareValue(`${name}, tools`, want.tools ?? [], got.tools));
  }
  return problems;
}

function checkTools(expected: readonly ToolTrace[], { tools }: ConversationRecording): string[] {
  const recorded = tools
    .map(({ resultAtMs: _, ...trace }): ToolTrace => trace)
    .sort((one, other) => (one.id < other.id ? -1 : 1));
  return compareLists('tools', expected, recorded, (one, other) => fits(one, other, 'exactly'));
}

function checkMarks(
  expected: NonNullable<Reproduction['marks']>,
  { marks }: ConversationRecording,
): string[] {
  return Object.entries(expected).flatMap(([name, counts]) => {
    const mark = marks.get(name);
    if (mark === undefined) return [`mark ${name}: expected ${formatItem(counts)}, got none`];
    return fits(counts, mark.counts, 'loosely')
      ? []
      : [`mark ${name}:\n- ${formatItem(counts)}\n+ ${formatItem(mark.counts)}`];
  });
}

function checkFrames(
  expected: NonNullable<Reproduction['frames']>,
  { departures }: ConversationRecording,
  exceptions: Exceptions,
): string[] {
  return Object.entries(expected).flatMap(([place, lanes]) =>
    Object.entries(lanes).flatMap(([lane, list]) => {
      const isMeant = (className: string): boolean => isCompared(place, className, exceptions);
      const recorded = departures.filter(
        (one) => one.place === place && one.lane === (lane as Lane) && isMeant(one.className),
      );
      return compareLists(
        `${place}, ${lane}`,
        list.filter((entry) => isMeant(classNameOf(entry))),
        recorded.map(({ entry }) => entry),
        (one, other) => one === other,
      );
    }),
  );
}

function compareValue(name: string, expected: unknown, recorded: unknown): string[] {
  return fits(expected, recorded, 'exactly')
    ? []
    : [`${name}: expected ${formatItem(expected)}, got ${formatItem(recorded)}`];
}
