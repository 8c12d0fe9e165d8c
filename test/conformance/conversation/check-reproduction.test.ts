import { describe, expect, it } from 'vitest';
import { readTraces } from '../trace-files.ts';
import { checkConversation } from './check-conversation.ts';
import { checkReproduction } from './check-reproduction.ts';
import type { ConversationRecording } from './recorder.ts';
import { departure, nothingHappened, recordingOf } from './recording-of.ts';
import type { Conversation, Counts, Reproduction, ReproductionScenario } from './scenario.ts';

const scenarios = readTraces<Conversation>('conversation-traces', process.env.CONVERSATION_TRACES_DIR)
  .flatMap((file) => file.scenarios)
  .filter((scenario) => scenario.kind === undefined);

const scenarioOf = (expectation: Reproduction): ReproductionScenario => ({
  name: 'x',
  steps: [],
  expect: expectation,
});

/** The recording with one thing changed, in every way in which it may be wrong. */
function* broken(
  recording: ConversationRecording,
  { expect: expected }: ReproductionScenario,
): Generator<[what: string, ConversationRecording]> {
  const changes: Record<string, Partial<ConversationRecording>> = {
    'a message more': { context: [...recording.context, { user: 'more' }] },
    'a message less': { context: recording.context.slice(0, -1) },
    'other messages': { context: recording.context.map(() => ({ user: 'other' })) },
    'a run more': { llmRuns: [...recording.llmRuns, { messages: [], tools: [], atMs: 0 }] },
    'a run less': { llmRuns: recording.llmRuns.slice(1) },
    'other tools': { llmRuns: recording.llmRuns.map((run) => ({ ...run, tools: [...run.tools, 'more'] })) },
    'runs of another context': {
      llmRuns: recording.llmRuns.map((run) => ({ ...run, messages: [...run.messages, { user: 'more' }] })),
    },
    'a user event more': { user: [['idle'], ...recording.user] },
    'a user event less': { user: recording.user.slice(1) },
    'an assistant event more': { assistant: [...recording.assistant, ['started']] },
    'an assistant event less': { assistant: recording.assistant.slice(0, -1) },
    'other texts': { assistant: recording.assistant.map(([name]) => [name, 'other']) },
    'a call more': {
      tools: [...recording.tools, { id: 'z', name: 'z', arguments: {}, saw: [], resultAtMs: 0 }],
    },
    'a call less': { tools: recording.tools.slice(1) },
    'calls that saw more': {
      tools: recording.tools.map((one) => ({ ...one, saw: [...one.saw, 'cancelled'] })),
    },
    'no marks': { marks: new Map() },
    'another end': { ended: recording.ended === 'End' ? 'Cancel' : 'End' },
    'no end': { ended: null },
    'an error more': { errors: recording.errors + 1 },
    'a step that was in vain': { troubles: ['waited in vain'] },
  };
  for (const count of ['turnsStarted', 'turnsStopped', 'idle', 'llmRuns', 'messages'] as const) {
    changes[`another count of ${count}`] = { marks: withMore(recording.marks, count) };
  }
  for (const [place, lanes] of Object.entries(expected.frames ?? {})) {
    for (const lane of Object.keys(lanes) as (keyof typeof lanes)[]) {
      changes[`a frame more, ${place}, ${lane}`] = {
        departures: [...recording.departures, departure(place, lane, 'End')],
      };
      const steady = recording.departures.findIndex(
        (one) => one.place === place && one.lane === lane && !/Turn|Aggregation/.test(one.className),
      );
      if (steady < 0) continue;
      changes[`a frame less, ${place}, ${lane}`] = { departures: recording.departures.toSpliced(steady, 1) };
    }
  }
  for (const [what, change] of Object.entries(changes)) {
    const wrong = { ...recording, ...change };
    // where there was nothing to take away
    if (JSON.stringify(factsOf(wrong)) !== JSON.stringify(factsOf(recording))) yield [what, wrong];
  }
}

function withMore(
  marks: ConversationRecording['marks'],
  count: keyof Counts,
): ConversationRecording['marks'] {
  return new Map(
    [...marks].map(([name, { counts, atMs }]) => [
      name,
      { counts: { ...counts, [count]: counts[count] + 1 }, atMs },
    ]),
  );
}

function factsOf(recording: ConversationRecording): object {
  return { ...recording, marks: [...recording.marks] };
}

describe('checkReproduction', () => {
  it.each(scenarios.map((scenario) => [scenario.name, scenario] as const))(
    'takes what is expected, and nothing else: %s',
    (_, scenario) => {
      const recording = recordingOf(scenario);
      expect(checkConversation(scenario, recording)).toEqual([]);
      const wrong = [...broken(recording, scenario)];
      expect(wrong.length).toBeGreaterThan(10);
      const unnoticed = wrong.filter(([, other]) => checkConversation(scenario, other).length === 0);
      expect(unnoticed.map(([what]) => what)).toEqual([]);
    },
  );

  it('shows what was expected and what came', () => {
    const scenario = scenarioOf({ context: [{ user: 'hello' }, { assistant: 'Hi.' }], errors: 1 });
    const recording = { ...nothingHappened, context: [{ user: 'hello' }, { assistant: 'Ho.' }] };
    expect(checkConversation(scenario, recording)).toEqual([
      'context (- expected, + got):\n  {"user":"hello"}\n- {"assistant":"Hi."}\n+ {"assistant":"Ho."}',
      'errors: expected 1, got 0',
    ]);
  });

  it('leaves out what is open', () => {
    const scenario: ReproductionScenario = { ...scenarioOf({ user: [] }), open: ['tools', 'assistant'] };
    const tools = [{ id: 'a', name: 'a', arguments: {}, saw: ['started'], resultAtMs: undefined }];
    const recording = { ...nothingHappened, tools, assistant: [['started']] };
    expect(checkConversation(scenario, recording)).toEqual([]);
    expect(checkConversation({ ...scenario, open: [] }, recording)).toHaveLength(1);
  });

  it('takes calls in one message for calls in two', () => {
    const calls = ['a', 'b'].map((id) => ({ id, name: 'look', arguments: {} }));
    const answers = ['a', 'b'].map((tool) => ({ tool, result: 1 }));
    const split = calls.flatMap((call, index) => [{ calls: [call] }, answers[index] ?? {}]);
    const scenario = scenarioOf({ context: [{ calls }, ...answers] });
    expect(checkConversation(scenario, { ...nothingHappened, context: split })).toEqual([]);
    expect(checkConversation(scenario, { ...nothingHappened, context: split.toReversed() })).toHaveLength(1);
  });

  it.each([
    ['an empty text', '', ''],
    ['nothing heard of what might have been a word', { beginningOf: 'Hi there.', words: 1 }, ''],
  ])('leaves open whether a turn was interrupted: %s', (_, text, content) => {
    const interrupted = { ...nothingHappened, assistant: [['stopped', content, 'interrupted']] };
    const whole = { ...nothingHappened, assistant: [['stopped', content]] };
    for (const event of [
      ['stopped', text],
      ['stopped', text, 'interrupted'],
    ]) {
      expect(checkConversation(scenarioOf({ assistant: [event] }), interrupted)).toEqual([]);
      expect(checkConversation(scenarioOf({ assistant: [event] }), whole)).toEqual([]);
    }
  });

  it('tells interrupted turns from others where there is a text', () => {
    const recording = { ...nothingHappened, assistant: [['stopped', 'Hi.', 'interrupted']] };
    expect(
      checkConversation(scenarioOf({ assistant: [['stopped', 'Hi.', 'interrupted']] }), recording),
    ).toEqual([]);
    expect(checkConversation(scenarioOf({ assistant: [['stopped', 'Hi.']] }), recording)).toHaveLength(1);
  });

  it('leaves out optional classes on both sides where there are none', () => {
    const other = ['TTSStarted', 'LLMContextAssistantTurn: Hi.', 'TTSStopped'];
    const scenario = scenarioOf({ frames: { 'assistant.down': { other } } });
    const without = { ...nothingHappened, departures: departures('TTSStarted', 'TTSStopped') };
    expect(checkReproduction(scenario, without, ['LLMContextAssistantTurn'])).toEqual([]);
    expect(checkReproduction(scenario, without, [])).toHaveLength(1);
    const more = { ...nothingHappened, departures: departures(...other) };
    expect(checkReproduction(scenario, more, ['LLMContextAssistantTurn'])).toEqual([]);
    expect(checkReproduction(scenario, more, [])).toEqual([]);
  });

  it('leaves out with word times what may leave too soon', () => {
    const scenario = scenarioOf({ frames: { 'assistant.down': { other: ['TTSStarted', 'End'] } } });
    const recording = {
      ...nothingHappened,
      departures: departures('TTSStarted', 'LLMFullResponseEnd', 'TTSStopped', 'End'),
    };
    expect(checkReproduction({ ...scenario, tts: { wordTimes: true } }, recording)).toEqual([]);
    expect(checkReproduction(scenario, recording)).toHaveLength(1);
  });

  it('compares the lanes of a place apart, and only those that are given', () => {
    const scenario = scenarioOf({ frames: { 'user.up': { system: ['Interruption'] } } });
    const recording = {
      ...nothingHappened,
      departures: [
        departure('user.up', 'other', 'LLMContextUserTurn: hi'),
        departure('user.down', 'system', 'UserStartedSpeaking'),
        departure('user.up', 'system', 'Interruption'),
      ],
    };
    expect(checkConversation(scenario, recording)).toEqual([]);
  });

  it('refuses fields that it does not know', () => {
    const scenario = scenarioOf({ weather: 1 } as Reproduction);
    expect(() => checkConversation(scenario, nothingHappened)).toThrow('"weather"');
  });
});

function departures(...entries: string[]): ConversationRecording['departures'] {
  return entries.map((entry) => departure('assistant.down', 'other', entry));
}
