/** Compares a recording with what must hold where Pipecat is wrong: `conversation-traces/README.md`, section 7. */

import {
  compareEvents,
  compareLack,
  compareMessages,
  compareOrder,
  eventFits,
  formatItem,
} from './differences.ts';
import { splitCalls } from './messages.ts';
import { fits } from './patterns.ts';
import { absentClasses, classNameOf } from './places.ts';
import type { ConversationRecording, RunRecord } from './recorder.ts';
import type { Guarantees, ImprovementScenario, NumberSpec, TimeSpec, TurnEvent } from './scenario.ts';

type Check<Name extends keyof Guarantees> = (
  expected: NonNullable<Guarantees[Name]>,
  recording: ConversationRecording,
) => string[];

const isMet = (pattern: unknown, recorded: unknown): boolean => fits(pattern, recorded, 'loosely');
const eventIsMet = (pattern: unknown, event: TurnEvent): boolean => eventFits(pattern, event, 'loosely');

const checks: { readonly [Name in keyof Guarantees]-?: Check<Name> } = {
  context: (expected, { context }) => compareMessages('context', expected, context, 'loosely'),
  contextHas: (expected, { context }) => compareOrder('contextHas', splitCalls(expected), context, isMet),
  contextLacks: (unwanted, { context }) => compareLack('contextLacks', unwanted, context, isMet),
  lastRun: (expected, recording) =>
    compareMessages('lastRun', expected, lastRun(recording)?.messages ?? [], 'loosely'),
  lastRunHas: (expected, recording) =>
    compareOrder('lastRunHas', splitCalls(expected), lastRun(recording)?.messages ?? [], isMet),
  everyRunLacks: (unwanted, { llmRuns }) =>
    llmRuns.flatMap(({ messages }, index) =>
      compareLack(`everyRunLacks, run ${index + 1}`, unwanted, messages, isMet),
    ),
  llmRuns: (expected, { llmRuns }) => checkNumber('llmRuns', expected, llmRuns.length),
  errors: (expected, { errors }) => checkNumber('errors', expected, errors),
  llmRunWithin: checkRunWithin,
  notStarted: (ids, { tools }) =>
    tools.filter(({ id }) => ids.includes(id)).map(({ id }) => `notStarted: the handler of ${id} started`),
  finished: (ids, recording) => checkSaw('finished', ids, recording),
  cancelled: (ids, recording) => checkSaw('cancelled', ids, recording),
  user: (expected, { user }) => compareEvents('user', expected, user, 'loosely'),
  userHas: (expected, { user }) => compareOrder('userHas', expected, user, eventIsMet),
  assistant: (expected, { assistant }) => compareEvents('assistant', expected, assistant, 'loosely'),
  assistantHas: (expected, { assistant }) => compareOrder('assistantHas', expected, assistant, eventIsMet),
  outputHas: (expected, recording) =>
    compareOrder('outputHas', expected.filter(isPresent), output(recording), isMet),
  outputLacks: (unwanted, recording) => compareLack('outputLacks', unwanted, output(recording), isMet),
  endsWithin: (limit, recording) => checkEnd('endsWithin', limit, recording, (ms) => ms <= limit.ms),
  endsNotBefore: (limit, recording) => checkEnd('endsNotBefore', limit, recording, (ms) => ms >= limit.ms),
  ended: (expected, { ended }) =>
    ended === expected ? [] : [`ended: expected ${expected}, got ${formatItem(ended)}`],
};

/** @returns Everything that is not as it should be, each a paragraph; empty when all is well. */
export function checkGuarantees({ expect }: ImprovementScenario, recording: ConversationRecording): string[] {
  return Object.entries(expect).flatMap(([name, expected]) => {
    const check = checks[name as keyof Guarantees];
    if (check === undefined) throw new Error(`The traces know no guarantee "${name}"`);
    return check(expected as never, recording);
  });
}

function lastRun({ llmRuns }: ConversationRecording): RunRecord | undefined {
  return llmRuns.at(-1);
}

/** What left the output downstream. */
function output({ departures }: ConversationRecording): string[] {
  return departures.filter(({ place }) => place === 'output.down').map(({ entry }) => entry);
}

/** Whether there are frames of that class at all. */
function isPresent(pattern: unknown): boolean {
  return typeof pattern !== 'string' || !absentClasses.includes(classNameOf(pattern));
}

function checkNumber(name: string, expected: NumberSpec, recorded: number): string[] {
  const { min = 0, max = Number.POSITIVE_INFINITY } =
    typeof expected === 'number' ? { min: expected, max: expected } : expected;
  if (recorded >= min && recorded <= max) return [];
  return [`${name}: expected ${formatItem(expected)}, got ${recorded}`];
}

function checkSaw(what: string, ids: readonly string[], { tools }: ConversationRecording): string[] {
  return ids.flatMap((id) => {
    const saw = tools.find((record) => record.id === id)?.saw ?? [];
    return saw.includes(what) ? [] : [`${what}: the handler of ${id} saw ${saw.join(', ') || 'nothing'}`];
  });
}

function checkRunWithin(
  { run, after, ms }: NonNullable<Guarantees['llmRunWithin']>,
  recording: ConversationRecording,
): string[] {
  const fromMs = momentMs(after, recording);
  const begun = recording.llmRuns[run - 1];
  if (fromMs === undefined) return [`llmRunWithin: ${after} never came`];
  if (begun === undefined) return [`llmRunWithin: there was no run ${run}`];
  const tookMs = begun.atMs - fromMs;
  return tookMs <= ms ? [] : [`llmRunWithin: run ${run} began ${tookMs} ms after ${after}, not within ${ms}`];
}

function checkEnd(
  name: string,
  { after, ms }: TimeSpec,
  recording: ConversationRecording,
  isRight: (tookMs: number) => boolean,
): string[] {
  const fromMs = momentMs(after, recording);
  if (fromMs === undefined) return [`${name}: ${after} never came`];
  if (recording.settledAtMs === undefined) return [`${name}: the run did not settle`];
  const tookMs = recording.settledAtMs - fromMs;
  return isRight(tookMs) ? [] : [`${name}: it took ${tookMs} ms after ${after}; expected ${ms}`];
}

/** When `mark:name` was passed, or the handler of `tool:id` gave its result. */
function momentMs(moment: string, { marks, tools }: ConversationRecording): number | undefined {
  const name = moment.slice(moment.indexOf(':') + 1);
  if (moment.startsWith('mark:')) return marks.get(name)?.atMs;
  if (moment.startsWith('tool:')) return tools.find(({ id }) => id === name)?.resultAtMs;
  throw new Error(`The traces know no moment "${moment}"`);
}
