import { describe, expect, it } from 'vitest';
import type { Frame, FrameDirection } from '../../../src/frames/frame.ts';
import { TextFrame } from '../../../src/frames/text.ts';
import { FrameProcessor } from '../../../src/processors/frame-processor.ts';
import { IdentityFilter } from '../../../src/processors/identity-filter.ts';
import { startPipeline, textsOf } from '../../support/start-pipeline.ts';

const row = (length: number): FrameProcessor[] =>
  Array.from({ length }, () => new IdentityFilter({ directMode: true }));

/** Says each text twice, and answers it upstream. */
class Echo extends FrameProcessor {
  protected override process(frame: Frame, direction: FrameDirection): void {
    this.push(frame, direction);
    if (!(frame instanceof TextFrame) || direction === 'upstream') return;
    this.push(new TextFrame(`${frame.text} again`));
    this.push(new TextFrame(`answer to ${frame.text}`), 'upstream');
  }
}

describe('processors in direct mode', () => {
  it.each([1, 31, 32, 33, 400, 2_000])('pass frames in order, %i in a row', async (length) => {
    const echo = new Echo({ directMode: true });
    const { task, down, up, run } = await startPipeline([...row(length), echo, ...row(length)]);
    task.queueFrames([new TextFrame('a'), new TextFrame('b')]);
    task.stopWhenDone();
    expect(await run).toMatchObject({ reason: 'ended', forced: false });
    expect(textsOf(down.frames)).toEqual(['a', 'a again', 'b', 'b again']);
    expect(textsOf(up.frames)).toEqual(['answer to a', 'answer to b']);
  });

  it.each([1, 400])('are through with a frame when it has been handed over, %i in a row', async (length) => {
    const first = new IdentityFilter({ directMode: true });
    const { task, down, run } = await startPipeline([first, ...row(length)]);
    const heard: string[] = [];
    const last = down.previous as FrameProcessor;
    last.on('afterProcessFrame', (frame) => heard.push((frame as TextFrame).text));
    first.queueFrame(new TextFrame('a'));
    expect(heard).toEqual(['a']);
    task.cancel();
    await run;
  });

  it('go on when one of a long row throws', async () => {
    class Throws extends IdentityFilter {
      protected override process(frame: Frame, direction: FrameDirection): void {
        if (frame instanceof TextFrame && frame.text === 'bad') throw new Error('bad text');
        super.process(frame, direction);
      }
    }
    const { task, down, run } = await startPipeline([
      ...row(100),
      new Throws({ directMode: true }),
      ...row(100),
    ]);
    const errors: unknown[] = [];
    task.on('error', (error) => errors.push(error));
    task.queueFrames(['a', 'bad', 'b'].map((text) => new TextFrame(text)));
    task.stopWhenDone();
    await run;
    expect(textsOf(down.frames)).toEqual(['a', 'b']);
    expect(errors).toMatchObject([{ error: expect.stringContaining('bad text') }]);
  });
});
