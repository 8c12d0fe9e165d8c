/** A limit is one for its phase: however much waits in front of a processor that hangs, and however many hang. */

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { InputAudioRawFrame } from '../../src/frames/audio.ts';
import type { ErrorFrame } from '../../src/frames/error-frame.ts';
import type { Frame } from '../../src/frames/frame.ts';
import { EndFrame } from '../../src/frames/lifecycle.ts';
import { TextFrame } from '../../src/frames/text.ts';
import { IdentityFilter } from '../../src/processors/identity-filter.ts';
import { FaultyProcessor, HangsOn, never, Recorder, startRun, WithExitHook } from './faults.ts';

const isText = (frame: Frame): boolean => frame instanceof TextFrame;
const isSound = (frame: Frame): boolean => frame instanceof InputAudioRawFrame;
const text = (): TextFrame => new TextFrame('hello');
const sound = (): InputAudioRawFrame =>
  new InputAudioRawFrame({ audio: new Int16Array(160), sampleRate: 16_000, numChannels: 1 });
const many = <T>(count: number, make: () => T): T[] => Array.from({ length: count }, () => make());

/** How long a run takes to settle, in virtual milliseconds; up to 19 too many. Gives up after 70 seconds. */
async function settles(run: Awaited<ReturnType<typeof startRun>>): Promise<number> {
  const startedMs = performance.now();
  while (run.results.length === 0 && performance.now() - startedMs < 70_000) await run.pass(20);
  return performance.now() - startedMs;
}

describe('a limit', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  describe.each([
    ['sound', isSound, sound],
    ['texts', isText, text],
  ] as const)('with %s in front of a processor that hangs', (_what, hangs, make: () => Frame) => {
    it.each([1, 20, 60])('holds for an EndFrame behind %i of them', async (count) => {
      const hung = new HangsOn(hangs);
      const run = await startRun([hung], { endStallTimeoutMs: 2_000 });
      const errors: ErrorFrame[] = [];
      run.task.on('error', (error) => errors.push(error as ErrorFrame));
      run.task.queueFrames(many(count, make));
      run.task.stopWhenDone();
      expect(await settles(run)).toBeLessThanOrEqual(3_000);
      expect(run.results).toMatchObject([{ reason: 'ended', forced: true }]);
      expect(errors.map(({ processor }) => processor)).toEqual([hung]);
    });

    it('holds for a CancelFrame behind 1,000 of them', async () => {
      const run = await startRun([new HangsOn(hangs)]);
      run.task.queueFrames(many(1_000, make));
      await run.pass(10);
      run.task.cancel();
      expect(await settles(run)).toBeLessThanOrEqual(3_000);
      expect(run.results).toMatchObject([{ reason: 'cancelled' }]);
    });
  });

  it.each(['hangs', 'swallows'] as const)(
    'holds for an EndFrame that six processors in a row %s',
    async (fault) => {
      const run = await startRun(
        many(6, () => new FaultyProcessor(fault, 'end')),
        { endStallTimeoutMs: 2_000 },
      );
      run.task.stopWhenDone();
      expect(await settles(run)).toBeLessThanOrEqual(3_000);
      expect(run.results).toMatchObject([{ reason: 'ended', forced: true }]);
    },
  );

  it('holds for three exit hooks that hang, and others run', async () => {
    const others: string[] = [];
    const run = await startRun([
      new WithExitHook(() => void others.push('registered first')),
      ...many(3, () => new WithExitHook(() => never)),
      new WithExitHook(() => void others.push('registered last')),
    ]);
    run.task.cancel();
    expect(await settles(run)).toBeLessThanOrEqual(11_000);
    expect(others).toEqual(['registered last', 'registered first']);
  });

  it('lets what was said pass when a recogniser is given up', async () => {
    const behind = new Recorder();
    const run = await startRun([new HangsOn(isSound), new IdentityFilter(), behind], {
      endStallTimeoutMs: 2_000,
    });
    run.task.queueFrames(many(100, sound));
    run.task.queueFrame(new TextFrame('goodbye'));
    run.task.stopWhenDone();
    await run.pass(2_000);
    expect(
      behind.seen.filter((frame) => frame instanceof TextFrame || frame instanceof EndFrame),
    ).toHaveLength(2);
  });

  it('lets what was said pass when several services hang at the same time', async () => {
    class Context extends TextFrame {}
    const behind = new Recorder();
    const run = await startRun(
      [new HangsOn(isSound), new HangsOn((frame) => frame instanceof Context), behind],
      { endStallTimeoutMs: 2_000 },
    );
    run.task.queueFrame(new Context('what the model is asked'));
    await run.pass(10);
    run.task.queueFrames(many(10, sound));
    await run.pass(10);
    run.task.queueFrame(new TextFrame('goodbye'));
    run.task.stopWhenDone();
    await run.pass(2_000);
    expect(behind.seen.filter(isText).map((frame) => (frame as TextFrame).text)).toEqual(['goodbye']);
    expect(run.results).toMatchObject([{ reason: 'ended', forced: true }]);
  });
});
