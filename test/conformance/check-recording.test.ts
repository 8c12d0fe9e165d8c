import { describe, expect, it } from 'vitest';
import { EndFrame, StartFrame } from '../../src/frames/lifecycle.ts';
import { LLMTextFrame } from '../../src/frames/llm.ts';
import { BotStartedSpeakingFrame } from '../../src/frames/speaking.ts';
import { TextFrame } from '../../src/frames/text.ts';
import { checkRecording } from './check-recording.ts';
import { record } from './frame-notation.ts';
import type { Recording, Sighting } from './run-scenario.ts';
import type { ConformanceScenario, ImprovementScenario, RecordedSpec } from './scenario.ts';

const see = (...frames: Parameters<typeof record>[0][]): Sighting[] =>
  frames.map((frame) => ({ frame, record: record(frame, () => false) }));

const end = new EndFrame('done');

/** What was recorded when a text went through. */
function recordingOf(changes: Partial<Recording> = {}): Recording {
  return {
    downstream: see(new StartFrame(), new TextFrame('a'), new BotStartedSpeakingFrame(), end),
    upstream: [],
    probes: new Map(),
    result: { reason: 'ended', frame: end, forced: false, durationMs: 5 },
    rejection: undefined,
    settledAfterMs: 100,
    finishedEvents: 1,
    errorCount: 0,
    ...changes,
  };
}

const trace: RecordedSpec[] = [
  { frame: 'StartFrame' },
  { series: 'TextFrame', prefix: 'a', count: 0 },
  { frame: 'TextFrame', text: 'a' },
  { frame: 'BotStartedSpeakingFrame' },
  { frame: 'EndFrame', reason: 'done' },
];

const conformance = (
  expect: Partial<ConformanceScenario['expect']> = {},
  compare: 'ordered' | 'lanes' = 'ordered',
): ConformanceScenario => ({
  name: 'x',
  processors: [],
  compare,
  expect: { downstream: trace, upstream: [], finished: 'EndFrame', reason: 'done', errorCount: 0, ...expect },
});

const improvement = (expect: Partial<ImprovementScenario['expect']>): ImprovementScenario => ({
  name: 'x',
  kind: 'improve',
  processors: [],
  expect: { settlesWithinMs: 200, finishedAnyOf: ['EndFrame'], ...expect },
});

const [first, , text, speaking, last] = trace as [
  RecordedSpec,
  RecordedSpec,
  RecordedSpec,
  RecordedSpec,
  RecordedSpec,
];
const swapped: RecordedSpec[] = [first, speaking, text, last];

describe('checkRecording', () => {
  it('finds nothing where all is as expected', () => {
    expect(checkRecording(conformance(), recordingOf())).toEqual([]);
  });

  it('shows a difference with a frame on each line', () => {
    const [problem] = checkRecording(conformance({ downstream: trace.slice(0, -1) }), recordingOf());
    expect(problem?.split('\n')).toEqual([
      'downstream (- missing, + too much):',
      '  StartFrame',
      "  TextFrame text='a'",
      '  BotStartedSpeakingFrame',
      "+ EndFrame reason='done'",
    ]);
  });

  it('leaves open how the lanes interleave when asked to', () => {
    expect(checkRecording(conformance({ downstream: swapped }, 'lanes'), recordingOf())).toEqual([]);
    expect(checkRecording(conformance({ downstream: swapped }), recordingOf())).toHaveLength(1);
  });

  it.each<[string, Partial<Recording>]>([
    ['a run that did not settle', { result: undefined }],
    ['a rejected run', { result: undefined, rejection: new Error('no') }],
    ['a second finished event', { finishedEvents: 2 }],
    ['another result', { result: { reason: 'cancelled', forced: false, durationMs: 1, frame: end } }],
    ['an error', { errorCount: 1 }],
    ['a frame upstream', { upstream: see(new TextFrame('u')) }],
    [
      'a subclass',
      { downstream: see(new StartFrame(), new LLMTextFrame('a'), new BotStartedSpeakingFrame(), end) },
    ],
  ])('finds %s', (_, changes) => {
    expect(checkRecording(conformance(), recordingOf(changes))).toHaveLength(1);
  });

  it('finds broadcast frames that do not know each other', () => {
    const [down, up] = [new TextFrame('b'), new TextFrame('b')];
    down.broadcastSiblingId = up.id;
    up.broadcastSiblingId = up.id;
    const both = { downstream: see(down), upstream: see(up) };
    const broadcast: RecordedSpec[] = [{ frame: 'TextFrame', text: 'b', broadcast: true }];
    const scenario = conformance({ downstream: broadcast, upstream: broadcast });
    expect(checkRecording(scenario, recordingOf(both))).toEqual([expect.stringContaining('TextFrames')]);
    up.broadcastSiblingId = down.id;
    expect(checkRecording(scenario, recordingOf(both))).toEqual([]);
  });

  it.each<[string, Partial<ImprovementScenario['expect']>]>([
    ['a frame that was not delivered', { delivered: [{ frame: 'TextFrame', text: 'z' }] }],
    ['frames in another order', { delivered: [{ frame: 'EndFrame' }, { frame: 'StartFrame' }] }],
    ['a frame that should have come once', { once: ['TTSSpeakFrame'] }],
    ['a frame that should never have come', { never: [{ frame: 'TextFrame', text: 'a' }] }],
    ['another end', { finishedAnyOf: ['CancelFrame', null] }],
    ['another reason', { reason: null }],
    ['too few errors', { errorsAtLeast: 1 }],
    ['a run that took too long', { settlesWithinMs: 99 }],
  ])('finds, where Pipecat is to be improved, %s', (_, expectation) => {
    expect(checkRecording(improvement(expectation), recordingOf())).toHaveLength(1);
  });

  it('allows other frames between those that must be delivered', () => {
    const delivered: RecordedSpec[] = [{ frame: 'StartFrame' }, { frame: 'EndFrame' }];
    expect(checkRecording(improvement({ delivered, once: ['EndFrame'] }), recordingOf())).toEqual([]);
  });
});
