import { describe, expect, it, vi } from 'vitest';
import { ErrorFrame } from '../../src/frames/error-frame.ts';
import { EndFrame, StopFrame } from '../../src/frames/lifecycle.ts';
import { TTSStartedFrame } from '../../src/frames/speaking.ts';
import { TextFrame } from '../../src/frames/text.ts';
import { InvalidOptionError } from '../../src/lib/errors.ts';
import {
  IdleFrameProcessor,
  type IdleFrameProcessorOptions,
} from '../../src/processors/idle-frame-processor.ts';
import { passes, useFakeTime } from '../support/fake-time.ts';
import { startPipeline } from '../support/start-pipeline.ts';

async function setup(options: Partial<IdleFrameProcessorOptions> = {}) {
  const onIdle = vi.fn(options.onIdle);
  const processor = new IdleFrameProcessor({ timeoutMs: 1_000, ...options, onIdle });
  return { onIdle, processor, ...(await startPipeline([processor])) };
}

describe('IdleFrameProcessor', () => {
  useFakeTime();

  it('tells when nothing has passed for its time, again and again', async () => {
    const { onIdle, processor } = await setup();
    await passes(999);
    expect(onIdle).not.toHaveBeenCalled();
    await passes(1);
    expect(onIdle).toHaveBeenCalledExactlyOnceWith(processor);
    await passes(2_000);
    expect(onIdle).toHaveBeenCalledTimes(3);
  });

  it('starts anew with every frame', async () => {
    const { onIdle, task, down } = await setup();
    for (let frames = 0; frames < 5; frames += 1) {
      await passes(900);
      task.queueFrame(new TextFrame('still here'));
    }
    expect(onIdle).not.toHaveBeenCalled();
    await passes(1_000);
    expect(onIdle).toHaveBeenCalledOnce();
    expect(down.framesOf(TextFrame)).toHaveLength(5);
  });

  it('takes note of a frame that passes while it tells', async () => {
    const { onIdle, task } = await setup({ onIdle: () => new Promise((done) => setTimeout(done, 600)) });
    await passes(1_500);
    task.queueFrame(new TextFrame('meanwhile'));
    await passes(999);
    expect(onIdle).toHaveBeenCalledOnce();
    await passes(1);
    expect(onIdle).toHaveBeenCalledTimes(2);
  });

  it('does not tell again while it is still telling', async () => {
    const { onIdle } = await setup({ onIdle: () => new Promise(() => {}) });
    await passes(10_000);
    expect(onIdle).toHaveBeenCalledOnce();
  });

  it('starts anew with frames of the given classes only', async () => {
    const { onIdle, task } = await setup({ types: [TTSStartedFrame] });
    await passes(600);
    task.queueFrame(new TextFrame('does not count'));
    await passes(400);
    expect(onIdle).toHaveBeenCalledOnce();
    task.queueFrame(new TTSStartedFrame());
    await passes(999);
    expect(onIdle).toHaveBeenCalledOnce();
  });

  it('reports what it could not tell, and goes on', async () => {
    const { onIdle, processor, up } = await setup({
      onIdle: () => {
        throw new Error('not now');
      },
    });
    await passes(2_000);
    expect(up.framesOf(ErrorFrame)).toMatchObject([{ error: 'not now', processor }, {}]);
    expect(onIdle).toHaveBeenCalledTimes(2);
  });

  it.each([new EndFrame(), new StopFrame()])('leaves no timer behind after a %s', async (last) => {
    const { task, run } = await setup();
    task.queueFrame(last);
    await run;
    expect(vi.getTimerCount()).toBe(0);
  });

  it.each([0, -1, Number.NaN, Number.POSITIVE_INFINITY])('refuses a time of %s', (timeoutMs) => {
    expect(() => new IdleFrameProcessor({ timeoutMs, onIdle: () => {} })).toThrow(InvalidOptionError);
  });
});
