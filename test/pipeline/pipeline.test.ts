import { describe, expect, it } from 'vitest';
import { ErrorFrame } from '../../src/frames/error-frame.ts';
import type { Frame, FrameDirection } from '../../src/frames/frame.ts';
import { StartFrame } from '../../src/frames/lifecycle.ts';
import { TextFrame } from '../../src/frames/text.ts';
import { InvalidOptionError } from '../../src/lib/errors.ts';
import { Pipeline } from '../../src/pipeline/pipeline.ts';
import { FrameProcessor } from '../../src/processors/frame-processor.ts';
import { IdentityFilter } from '../../src/processors/identity-filter.ts';
import { runTest } from '../../src/testing/run-test.ts';
import { startPipeline, textsOf } from '../support/start-pipeline.ts';

class FailsToSetUp extends IdentityFilter {
  override async setup(): Promise<void> {
    await Promise.resolve();
    throw new Error(`${this.name} cannot`);
  }
}

class Errors extends FrameProcessor {
  readonly seen: ErrorFrame[] = [];

  protected override process(frame: Frame, direction: FrameDirection): void {
    if (frame instanceof ErrorFrame) this.seen.push(frame);
    this.push(frame, direction);
  }
}

describe('Pipeline', () => {
  it.each<[option: string, ends: unknown]>([
    ['downStream', { downStream: () => {} }],
    ['upstream', { upstream: new IdentityFilter() }],
    ['name', { name: 5 }],
    ['options', 'a name'],
  ])('refuses a wrong %s', (option, ends) => {
    expect(() => new Pipeline([], ends as never)).toThrow(`"${option}"`);
  });

  it('takes a frame through one processor', async () => {
    await runTest(new Pipeline([new IdentityFilter()]), {
      framesToSend: [new TextFrame('a')],
      expectedDownFrames: [TextFrame],
      expectedUpFrames: [],
    });
  });

  it('takes a frame through several processors, once', async () => {
    const three = [new IdentityFilter(), new IdentityFilter(), new IdentityFilter()];
    await runTest(new Pipeline(three), {
      framesToSend: [new TextFrame('a')],
      expectedDownFrames: [TextFrame],
    });
  });

  it('may be empty', async () => {
    await runTest(new Pipeline([]), { framesToSend: [new TextFrame('a')], expectedDownFrames: [TextFrame] });
  });

  it('carries the start metadata on the StartFrame', async () => {
    const { downFrames } = await runTest(new Pipeline([new IdentityFilter()]), {
      framesToSend: [],
      ignoreStart: false,
      taskOptions: { startMetadata: { call: 'c-7' } },
    });
    expect(downFrames).toEqual([expect.any(StartFrame)]);
    expect(downFrames[0]?.metadata).toEqual({ call: 'c-7' });
  });

  it('reports processors that cannot be set up, and runs without them', async () => {
    const errors = new Errors();
    const bad = [new FailsToSetUp({ name: 'one' }), new FailsToSetUp({ name: 'two' })];
    const { downFrames, result } = await runTest(new Pipeline([errors, ...bad]), {
      framesToSend: [new TextFrame('a')],
    });
    expect(errors.seen.map(({ processor }) => processor)).toEqual(bad);
    expect(errors.seen.map(({ error }) => error)).toEqual([
      expect.stringContaining('one cannot'),
      expect.stringContaining('two cannot'),
    ]);
    expect(bad.map(({ usable }) => usable)).toEqual([false, false]);
    expect(result.reason).toBe('ended');
    expect(textsOf(downFrames)).toEqual(['a']);
  });

  it('cleans up the others when one fails to', async () => {
    let cleanups = 0;
    class FailsToCleanUp extends IdentityFilter {
      override async cleanup(): Promise<void> {
        cleanups += 1;
        throw new Error('cannot');
      }
    }
    const { task, run } = await startPipeline([new FailsToCleanUp(), new FailsToCleanUp()]);
    task.stopWhenDone();
    expect(await run).toMatchObject({ reason: 'ended' });
    expect(cleanups).toBe(2);
  });

  it('refuses what is no list of processors, and a processor that is in it twice', () => {
    const twice = new IdentityFilter();
    expect(() => new Pipeline([twice, twice])).toThrow(InvalidOptionError);
    expect(() => new Pipeline([{} as FrameProcessor])).toThrow(InvalidOptionError);
    expect(() => new Pipeline(undefined as unknown as [])).toThrow(InvalidOptionError);
  });
});
