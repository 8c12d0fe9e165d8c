import { describe, expect, it } from 'vitest';
import { readTraces } from '../trace-files.ts';
import { checkConversation } from './check-conversation.ts';
import type { ConversationRecording } from './recorder.ts';
import { departure, nothingHappened } from './recording-of.ts';
import type { Conversation, Guarantees, ImprovementScenario, Message, Reproduction } from './scenario.ts';

const call = { id: 'c1', name: 'look', arguments: { at: 'map' } };
const context: Message[] = [
  { user: 'where' },
  { assistant: 'Let me look.' },
  { calls: [call] },
  { tool: 'c1', result: { n: 7 } },
  { assistant: 'Here it is.' },
];
const recording: ConversationRecording = {
  ...nothingHappened,
  context,
  llmRuns: [
    { messages: context.slice(0, 1), tools: ['look'], atMs: 200 },
    { messages: context.slice(0, 4), tools: ['look'], atMs: 600 },
  ],
  user: [['started'], ['inference'], ['stopped', 'where']],
  assistant: [['started'], ['stopped', 'Let me look.'], ['started'], ['stopped', 'Here it', 'interrupted']],
  tools: [{ ...call, saw: ['started', 'finished'], resultAtMs: 500 }],
  marks: new Map([
    ['late', { counts: { turnsStarted: 1, turnsStopped: 1, idle: 0, llmRuns: 2, messages: 5 }, atMs: 800 }],
  ]),
  departures: ['TTSStarted', 'TTSText: Let me look.', 'TTSStopped'].map((entry) =>
    departure('output.down', 'other', entry),
  ),
  errors: 1,
};

const problemsOf = (guarantees: Guarantees, changes: Partial<ConversationRecording> = {}): string[] => {
  const scenario: ImprovementScenario = { name: 'x', kind: 'improve', steps: [], expect: guarantees };
  return checkConversation(scenario, { ...recording, ...changes });
};

/** Guarantees about what Pipecat's records do not tell: frames, and the moments of marks. */
const untold = ['outputHas', 'outputLacks', 'endsWithin', 'endsNotBefore'];

const improvements = readTraces<Conversation>('conversation-traces', undefined)
  .flatMap((file) => file.scenarios)
  .filter((scenario) => scenario.kind === 'improve') as (ImprovementScenario & {
  readonly pipecat: PipecatRecord;
})[];

describe('checkGuarantees', () => {
  it.each<[holds: Guarantees, fails: Guarantees]>([
    [
      { context: [{ user: '*' }, { assistant: { contains: 'look' } }, { calls: '*' }, { tool: 'c1' }, '*'] },
      { context: [{ user: '*' }, { assistant: { contains: 'look' } }, { calls: '*' }, { tool: 'c1' }] },
    ],
    [
      { contextHas: [{ user: 'where' }, { tool: 'c1', result: { n: 7 } }] },
      { contextHas: [{ tool: 'c1', result: { n: 7 } }, { user: 'where' }] },
    ],
    [
      { contextLacks: [{ tool: '*', state: 'running' }] },
      { contextLacks: [{ tool: '*', result: { n: 7 } }] },
    ],
    [{ lastRun: ['*', '*', '*', { tool: 'c1' }] }, { lastRun: [{ user: 'where' }] }],
    [{ lastRunHas: [{ calls: [{ id: 'c1' }] }] }, { lastRunHas: [{ assistant: 'Here it is.' }] }],
    [{ everyRunLacks: [{ assistant: 'Here it is.' }] }, { everyRunLacks: [{ tool: 'c1' }] }],
    [{ llmRuns: 2 }, { llmRuns: 3 }],
    [{ llmRuns: { min: 1, max: 2 } }, { llmRuns: { min: 3 } }],
    [{ errors: { max: 1 } }, { errors: 0 }],
    [
      { llmRunWithin: { run: 2, after: 'tool:c1', ms: 100 } },
      { llmRunWithin: { run: 2, after: 'tool:c1', ms: 99 } },
    ],
    [
      { llmRunWithin: { run: 1, after: 'mark:late', ms: 0 } },
      { llmRunWithin: { run: 3, after: 'mark:late', ms: 0 } },
    ],
    [
      { llmRunWithin: { run: 1, after: 'tool:c1', ms: 0 } },
      { llmRunWithin: { run: 1, after: 'tool:c2', ms: 0 } },
    ],
    [{ notStarted: ['c2'] }, { notStarted: ['c1'] }],
    [{ finished: ['c1'] }, { finished: ['c2'] }],
    [{ cancelled: [] }, { cancelled: ['c1'] }],
    [{ user: [['started'], '*', ['stopped', '*']] }, { user: [['started'], ['stopped', '*']] }],
    [{ userHas: [['started'], ['stopped', 'where']] }, { userHas: [['started'], ['idle']] }],
    [
      {
        assistant: [
          '*',
          '*',
          ['started'],
          ['stopped', { beginningOf: 'Here it is.', words: 3 }, 'interrupted'],
        ],
      },
      { assistant: ['*', '*', ['started'], ['stopped', 'Here it']] },
    ],
    [{ assistantHas: [['stopped', 'Let me look.']] }, { assistantHas: [['stopped', 'Here it is.']] }],
    [{ outputHas: ['TTSStarted', { contains: 'look' }] }, { outputHas: ['TTSStopped', 'TTSStarted'] }],
    [{ outputLacks: ['Interruption'] }, { outputLacks: [{ contains: 'TTSText' }] }],
    [{ endsWithin: { after: 'mark:late', ms: 200 } }, { endsWithin: { after: 'mark:late', ms: 199 } }],
    [{ endsNotBefore: { after: 'mark:late', ms: 200 } }, { endsNotBefore: { after: 'mark:late', ms: 201 } }],
    [{ endsWithin: { after: 'tool:c1', ms: 500 } }, { endsWithin: { after: 'mark:early', ms: 5_000 } }],
    [{ ended: 'End' }, { ended: 'Cancel' }],
  ])('holds %j and not %j', (holds, fails) => {
    expect(problemsOf(holds)).toEqual([]);
    expect(problemsOf(fails)).toHaveLength(1);
  });

  it.each<Guarantees>([
    { ended: 'End' },
    { endsWithin: { after: 'mark:late', ms: 9_000 } },
    { endsNotBefore: { after: 'mark:late', ms: 0 } },
  ])('does not hold where the run did not settle: %j', (guarantees) => {
    expect(problemsOf(guarantees, { ended: null, settledAtMs: undefined })).toHaveLength(1);
  });

  it('shows what there was instead', () => {
    expect(problemsOf({ contextHas: [{ user: 'no' }] }, { context: [{ user: 'where' }] })).toEqual([
      'contextHas: expected {"user":"no"} in its turn, got:\n  {"user":"where"}',
    ]);
  });

  it('refuses guarantees and moments that it does not know', () => {
    expect(() => problemsOf({ weather: 1 } as Guarantees)).toThrow('"weather"');
    expect(() => problemsOf({ endsWithin: { after: 'noon', ms: 1 } })).toThrow('"noon"');
  });

  it.each(improvements.map((scenario) => [scenario.name, scenario] as const))(
    'finds in what Pipecat did what it missed, and nothing else: %s',
    (_, scenario) => {
      const found = checkConversation(withoutUntold(scenario), recordingOfPipecat(scenario.pipecat));
      const names = new Set(found.map((problem) => problem.split(/[:, ]/, 1)[0]));
      const missed = Object.entries(scenario.pipecat.missesIn).filter(([name]) => !untold.includes(name));
      expect(missed.map(([name]) => name)).toEqual(expect.arrayContaining([...names]));
      const always = missed.filter(([, runs]) => /^(\d+) of \1 /.test(runs)).map(([name]) => name);
      expect([...names]).toEqual(expect.arrayContaining(always));
    },
  );
});

/** What Pipecat did in most of the runs that missed something. */
interface PipecatRecord extends Pick<Reproduction, 'context' | 'llmRuns' | 'user' | 'assistant' | 'tools'> {
  readonly ended: string | null;
  readonly errors: number;
  readonly llmRunsAtMs: readonly number[];
  readonly toolsAtMs?: Readonly<Record<string, { readonly finished?: number }>>;
  readonly missesIn: Readonly<Record<string, string>>;
}

function recordingOfPipecat(record: PipecatRecord): ConversationRecording {
  const { context: messages = [], llmRuns = [], user = [], assistant = [], tools = [] } = record;
  return {
    ...nothingHappened,
    context: messages,
    user,
    assistant,
    llmRuns: llmRuns.map((run, index) => ({ tools: [], ...run, atMs: record.llmRunsAtMs[index] ?? 0 })),
    tools: tools.map((tool) => ({
      ...tool,
      saw: [...tool.saw],
      resultAtMs: record.toolsAtMs?.[tool.id]?.finished,
    })),
    ended: record.ended,
    errors: record.errors,
  };
}

/** Without the guarantees about what these records do not tell. */
function withoutUntold(scenario: ImprovementScenario): ImprovementScenario {
  const told = Object.entries(scenario.expect).filter(([name]) => !untold.includes(name));
  return { ...scenario, expect: Object.fromEntries(told) };
}
