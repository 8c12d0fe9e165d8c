/** Makes recordings up, for tests of what compares them. */

import type { ConversationRecording } from './recorder.ts';
import type { Reproduction, ReproductionScenario } from './scenario.ts';

/** A conversation in which nothing happened. */
export const nothingHappened: ConversationRecording = {
  context: [],
  llmRuns: [],
  user: [],
  assistant: [],
  tools: [],
  marks: new Map(),
  departures: [],
  ended: 'End',
  settledAtMs: 1_000,
  errors: 0,
  troubles: [],
  timeline: [],
};

/** A recording of exactly what a scenario expects. */
export function recordingOf({ expect }: ReproductionScenario): ConversationRecording {
  const { llmRuns = [], marks = {}, frames = {}, tools = [], ended = 'End', ...rest } = heard(expect);
  return {
    ...nothingHappened,
    ...rest,
    ended,
    llmRuns: llmRuns.map((run, index) => ({ tools: [], ...run, atMs: index })),
    tools: tools.toReversed().map((tool, index) => ({ ...tool, saw: [...tool.saw], resultAtMs: index })),
    marks: new Map(
      Object.entries(marks).map(([name, counts], index) => [
        name,
        {
          counts: { turnsStarted: 0, turnsStopped: 0, idle: 0, llmRuns: 0, messages: 0, ...counts },
          atMs: index,
        },
      ]),
    ),
    departures: Object.entries(frames).flatMap(([place, { system = [], other = [] }]) => [
      ...other.map((entry) => departure(place, 'other', entry)),
      ...system.map((entry) => departure(place, 'system', entry)),
    ]),
  };
}

/** A frame that left a place. */
export function departure(
  place: string,
  lane: 'system' | 'other',
  entry: string,
): ConversationRecording['departures'][number] {
  return { place, lane, entry, className: entry.split(':', 1)[0] as string, atMs: 0 };
}

/** With the words that are said to have been heard. */
function heard(expected: Reproduction): Reproduction {
  return JSON.parse(JSON.stringify(expected), (_, value) => {
    if (value?.beginningOf === undefined) return value;
    return value.beginningOf.split(/\s+/).slice(0, value.words).join(' ');
  });
}
