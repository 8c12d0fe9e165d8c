import { describe, expect, it, vi } from 'vitest';
import { InputDTMFFrame, type KeypadEntry } from '../../src/frames/dtmf.ts';
import { InterruptionFrame } from '../../src/frames/interruption.ts';
import { EndFrame, StopFrame } from '../../src/frames/lifecycle.ts';
import { TranscriptionFrame } from '../../src/frames/text.ts';
import { InvalidOptionError } from '../../src/lib/errors.ts';
import { DTMFAggregator, type DTMFAggregatorOptions } from '../../src/processors/dtmf-aggregator.ts';
import { passes, useFakeTime } from '../support/fake-time.ts';
import { classesOf, startPipeline, textsOf } from '../support/start-pipeline.ts';

async function setup(options?: DTMFAggregatorOptions) {
  const pipeline = await startPipeline([new DTMFAggregator(options)]);
  const presses = async (keys: string, userId?: string): Promise<void> => {
    for (const key of keys) pipeline.task.queueFrame(new InputDTMFFrame(key as KeypadEntry, userId));
    await passes(0);
  };
  return { ...pipeline, presses, texts: () => textsOf(pipeline.down.frames) };
}

describe('DTMFAggregator', () => {
  useFakeTime();

  it('tells the keys when the termination key comes', async () => {
    const { presses, texts } = await setup();
    await presses('123');
    expect(texts()).toEqual([]);
    await presses('#');
    expect(texts()).toEqual(['DTMF: 123#']);
  });

  it('tells the keys two seconds after the last one', async () => {
    const { presses, texts } = await setup();
    await presses('1');
    await passes(1_999);
    await presses('2');
    await passes(1_999);
    expect(texts()).toEqual([]);
    await passes(1);
    expect(texts()).toEqual(['DTMF: 12']);
  });

  it('tells one sequence after the other', async () => {
    const { presses, texts } = await setup();
    await presses('12#');
    await presses('45');
    await passes(2_000);
    await presses('6#');
    await passes(10_000);
    expect(texts()).toEqual(['DTMF: 12#', 'DTMF: 45', 'DTMF: 6#']);
  });

  it.each([new EndFrame(), new StopFrame()])('tells what it has before a %s', async (last) => {
    const { presses, task, run, down } = await setup();
    await presses('98');
    task.queueFrame(last);
    await run;
    expect(down.frames.slice(-2)).toMatchObject([{ text: 'DTMF: 98' }, last]);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('begins the text with the prefix it was given', async () => {
    const { presses, texts } = await setup({ prefix: 'Keys ' });
    await presses('1#');
    expect(texts()).toEqual(['Keys 1#']);
  });

  it('ends at the termination key it was given', async () => {
    const { presses, texts } = await setup({ terminationKey: '*' });
    await presses('1#2*');
    expect(texts()).toEqual(['DTMF: 1#2*']);
  });

  it('knows all keys', async () => {
    const { presses, texts } = await setup();
    await presses('0123456789*#');
    expect(texts()).toEqual(['DTMF: 0123456789*#']);
  });

  it('interrupts in both directions with the first key, behind the key itself', async () => {
    const { presses, down, up } = await setup();
    await presses('12');
    expect(classesOf(down.frames)).toEqual([
      'StartFrame',
      'InputDTMFFrame',
      'InterruptionFrame',
      'InputDTMFFrame',
    ]);
    expect(up.frames).toEqual([expect.any(InterruptionFrame)]);
    await passes(2_000);
    await presses('3');
    expect(up.frames).toHaveLength(2);
  });

  it('tells when it was', async () => {
    vi.setSystemTime('2026-02-03T04:05:06Z');
    const { presses, down } = await setup();
    await presses('1#');
    expect(down.framesOf(TranscriptionFrame)).toMatchObject([
      { timestamp: '2026-02-03T04:05:06.000Z', userId: '' },
    ]);
  });

  it('keeps the keys of callers apart, each with a time limit of their own', async () => {
    const { presses, down } = await setup();
    await presses('1', 'ada');
    await passes(1_500);
    await presses('2', 'bob');
    await presses('3', 'ada');
    await passes(1_999);
    await presses('4#', 'bob');
    await passes(1);
    expect(down.framesOf(TranscriptionFrame)).toMatchObject([
      { text: 'DTMF: 24#', userId: 'bob' },
      { text: 'DTMF: 13', userId: 'ada' },
    ]);
  });

  it("tells each caller's keys at the end, and leaves no timer behind", async () => {
    const { presses, task, run, down } = await setup();
    await presses('1', 'ada');
    await presses('2', 'bob');
    task.queueFrame(new EndFrame());
    await run;
    expect(down.framesOf(TranscriptionFrame)).toMatchObject([
      { text: 'DTMF: 1', userId: 'ada' },
      { text: 'DTMF: 2', userId: 'bob' },
    ]);
    expect(vi.getTimerCount()).toBe(0);
  });

  it.each([{ timeoutMs: 0 }, { timeoutMs: Number.NaN }, { terminationKey: 'A' as KeypadEntry }])(
    'refuses %j',
    (options) => {
      expect(() => new DTMFAggregator(options)).toThrow(InvalidOptionError);
    },
  );
});
