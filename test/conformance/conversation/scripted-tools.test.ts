import { describe, expect, it } from 'vitest';
import type { Frame } from '../../../src/frames/frame.ts';
import { EndTaskFrame } from '../../../src/frames/lifecycle.ts';
import { TTSSpeakFrame } from '../../../src/frames/speaking.ts';
import { passes, useFakeTime } from '../../support/fake-time.ts';
import type { ToolAction, ToolSpec } from './scenario.ts';
import { scriptedTool, type ToolRecord } from './scripted-tools.ts';

/** What a function does once it has given its result. */
// biome-ignore lint/suspicious/noThenProperty: that is its name in the traces
const thenDoes = (...actions: ToolAction[]): ToolSpec => ({ then: actions });

/** Calls a scripted function as a model would. */
function call(script: ToolSpec) {
  const records: ToolRecord[] = [];
  const given: unknown[] = [];
  const pushed: [frame: Frame, direction: string | undefined][] = [];
  const controller = new AbortController();
  const tool = scriptedTool('look', script, (record) => records.push(record));
  const returned = Promise.resolve(
    tool.execute?.(
      { at: 'map' },
      {
        toolCallId: 'c1',
        signal: controller.signal,
        llm: { push: (frame: Frame, direction?: string) => pushed.push([frame, direction]) } as never,
        respond: (result: unknown, options?: object) => void given.push({ result, ...options }),
        progress: (progress: unknown) => void given.push({ progress }),
      },
    ),
  ).catch((error: unknown) => error);
  return {
    tool,
    given,
    pushed,
    returned,
    record: records[0] as ToolRecord,
    cancel: () => controller.abort(),
  };
}

describe('scriptedTool', () => {
  useFakeTime();

  it('returns its result after 30 ms, and says when', async () => {
    const startedMs = performance.now();
    const { record, returned, given } = call({ result: { n: 7 } });
    expect(record).toMatchObject({ id: 'c1', name: 'look', arguments: { at: 'map' }, saw: ['started'] });
    await passes(30);
    expect(await returned).toEqual({ n: 7 });
    expect(record.saw).toEqual(['started', 'finished']);
    expect(record.resultAtMs).toBe(startedMs + 30);
    expect(given).toEqual([]);
  });

  it('gives updates, then its result and how to treat it, then does the rest', async () => {
    const startedMs = performance.now();
    const { record, returned, given, pushed } = call({
      updates: [{ afterMs: 10, result: 'soon' }],
      result: 1,
      runLlm: false,
      ...thenDoes({ speak: 'Bye.' }, { sleep: 100 }, { endTask: true }, { result: 2 }),
    });
    await passes(40);
    expect(given).toEqual([{ progress: 'soon' }, { result: 1, runLLM: false }]);
    expect(record).toMatchObject({ resultAtMs: startedMs + 40, saw: ['started'] });
    await passes(100);
    expect(await returned).toBeUndefined();
    expect(given.slice(2)).toEqual([{ result: 2 }]);
    expect(pushed).toEqual([
      [expect.any(TTSSpeakFrame), 'downstream'],
      [expect.any(EndTaskFrame), 'upstream'],
    ]);
    expect(record.saw).toEqual(['started', 'finished']);
  });

  it('throws instead of giving a result, or afterwards', async () => {
    const instead = call({ throws: 'no' });
    const afterwards = call({ result: 1, ...thenDoes({ throw: 'late' }) });
    await passes(30);
    expect(await instead.returned).toEqual(new Error('no'));
    expect(await afterwards.returned).toEqual(new Error('late'));
    expect([instead.given, afterwards.given]).toEqual([[], [{ result: 1 }]]);
    expect([instead.record.saw, afterwards.record.saw]).toEqual(Array(2).fill(['started', 'threw']));
    expect(instead.record.resultAtMs).toBeUndefined();
  });

  it.each<ToolSpec>([
    { afterMs: 1_000 },
    { silent: true },
    { updates: [{ afterMs: 1_000, result: 1 }] },
    { result: 1, ...thenDoes({ sleep: 1_000 }) },
  ])('ends its waits when the call is cancelled: %j', async (script) => {
    const { record, returned, cancel } = call(script);
    await passes(100);
    expect(record.saw).toEqual(['started']);
    cancel();
    expect(await returned).toMatchObject({ name: 'AbortError' });
    expect(record.saw).toEqual(['started', 'cancelled']);
  });

  it('gives its result by the callback where it returns first', async () => {
    const { returned, given } = call({ returnsFirst: true, result: 'x' });
    await passes(30);
    await returned;
    expect(given).toEqual([{ result: 'x' }]);
  });

  it('says how it is to be cancelled', () => {
    expect(call({}).tool).toMatchObject({ cancelOnInterruption: true });
    expect(call({ cancelOnInterruption: false, timeoutMs: 5 }).tool).toMatchObject({
      cancelOnInterruption: false,
      timeoutMs: 5,
    });
  });
});
