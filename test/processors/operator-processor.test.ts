import {
  concatMap,
  delay,
  filter,
  interval,
  map,
  merge,
  mergeMap,
  NEVER,
  of,
  take,
  timer,
  toArray,
} from 'rxjs';
import { describe, expect, it, vi } from 'vitest';
import { ErrorFrame } from '../../src/frames/error-frame.ts';
import type { Frame } from '../../src/frames/frame.ts';
import { InterruptionFrame } from '../../src/frames/interruption.ts';
import { EndFrame, StopFrame } from '../../src/frames/lifecycle.ts';
import { ofFrame } from '../../src/frames/of-frame.ts';
import { TTSStartedFrame, UserStartedSpeakingFrame } from '../../src/frames/speaking.ts';
import { TextFrame } from '../../src/frames/text.ts';
import type { PipelineTaskOptions } from '../../src/pipeline/pipeline-task-options.ts';
import { IdentityFilter } from '../../src/processors/identity-filter.ts';
import { operatorProcessor } from '../../src/processors/operator-processor.ts';
import { passes, useFakeTime } from '../support/fake-time.ts';
import { classesOf, startPipeline, textsOf } from '../support/start-pipeline.ts';

type Operator = Parameters<typeof operatorProcessor>[0];

async function setup(operator: Operator, options?: PipelineTaskOptions) {
  const processor = operatorProcessor(operator, { name: 'operator' });
  const pipeline = await startPipeline([processor, new IdentityFilter()], options);
  const sends = async (...frames: (Frame | string)[]): Promise<void> => {
    for (const frame of frames) {
      pipeline.task.queueFrame(typeof frame === 'string' ? new TextFrame(frame) : frame);
      await passes(0);
    }
  };
  return { ...pipeline, processor, sends, texts: () => textsOf(pipeline.down.frames) };
}

const shout = (frame: Frame): Frame => (frame instanceof TextFrame ? new TextFrame(`${frame.text}!`) : frame);
const fussy = (frame: Frame): Frame => {
  if (frame instanceof TextFrame && frame.text === 'bad') throw new Error('too bad');
  return shout(frame);
};

describe('operatorProcessor', () => {
  useFakeTime();

  it('sends frames of all kinds through the operator', async () => {
    const { sends, down } = await setup((frames$) => frames$.pipe(map(shout)));
    await sends('a', new TTSStartedFrame(), new UserStartedSpeakingFrame());
    expect(down.frames.slice(1)).toMatchObject([
      { text: 'a!' },
      expect.any(TTSStartedFrame),
      expect.any(UserStartedSpeakingFrame),
    ]);
  });

  it('has the name it was given', async () => {
    expect((await setup(map(shout))).processor.name).toBe('operator');
    expect(operatorProcessor(map(shout)).name).toMatch(/^OperatorProcessor#\d+$/);
  });

  it('drops what the operator does not emit', async () => {
    const { sends, down } = await setup((frames$) => frames$.pipe(ofFrame(TTSStartedFrame)));
    await sends('a', new TTSStartedFrame());
    expect(classesOf(down.frames)).toEqual(['StartFrame', 'TTSStartedFrame']);
  });

  it('sends on what the operator emits later', async () => {
    const { sends, texts } = await setup(delay(1_000));
    await sends('a');
    await passes(999);
    expect(texts()).toEqual([]);
    await passes(1);
    expect(texts()).toEqual(['a']);
  });

  it('passes upstream frames by the operator', async () => {
    const { task, up } = await setup(filter(() => false));
    task.queueFrame(new TextFrame('up'), 'upstream');
    await passes(0);
    expect(textsOf(up.frames)).toEqual(['up']);
  });

  it('sends what the operator brings in behind the StartFrame', async () => {
    const { down } = await setup((frames$) => merge(of(new TextFrame('welcome')), frames$));
    await passes(0);
    expect(classesOf(down.frames)).toEqual(['StartFrame', 'TextFrame']);
  });

  describe('at the end', () => {
    it.each([new EndFrame(), new StopFrame()])('lets everything out before a %s', async (last) => {
      const { sends, run, down } = await setup(
        concatMap((frame) => of(frame).pipe(delay(30_000))),
        { endStallTimeoutMs: 40_000 },
      );
      await sends('a', 'b', last);
      await passes(90_000);
      expect(await run).toMatchObject({ frame: last, forced: false });
      expect(textsOf(down.frames)).toEqual(['a', 'b']);
      expect(down.frames.at(-1)).toBe(last);
    });

    it('ends in the same breath when the operator completes at once', async () => {
      const { sends, run, down } = await setup((frames$) =>
        frames$.pipe(
          toArray(),
          mergeMap((all) => of(new TextFrame(`${all.length} frames`))),
        ),
      );
      await sends('a', 'b', 'c', new EndFrame());
      await run;
      expect(down.frames.slice(1)).toMatchObject([{ text: '3 frames' }, expect.any(EndFrame)]);
    });

    it('passes what overtakes it meanwhile', async () => {
      const { sends, run, down, processor } = await setup(delay(1_000));
      await sends('a', new EndFrame());
      processor.queueFrame(new UserStartedSpeakingFrame());
      await passes(1_000);
      await run;
      expect(classesOf(down.frames)).toEqual([
        'StartFrame',
        'UserStartedSpeakingFrame',
        'TextFrame',
        'EndFrame',
      ]);
    });

    it('is forced on when the operator never completes', async () => {
      const { sends, run } = await setup((frames$) => merge(frames$, NEVER), { endStallTimeoutMs: 1_000 });
      await sends(new EndFrame());
      await passes(3_000);
      expect(await run).toMatchObject({ reason: 'ended', forced: true });
    });

    it('does not wait for an operator that has completed before', async () => {
      const { sends, run, texts } = await setup(take(2));
      await sends('a', 'b', 'c', new EndFrame());
      expect(await run).toMatchObject({ reason: 'ended', forced: false });
      expect(texts()).toEqual(['a', 'b']);
    });
  });

  describe('on an error', () => {
    it('reports it, and starts the operator anew', async () => {
      const { sends, texts, up, processor } = await setup(map(fussy));
      await sends('a', 'bad', 'b', 'bad', 'c');
      expect(texts()).toEqual(['a!', 'b!', 'c!']);
      expect(up.framesOf(ErrorFrame)).toMatchObject([{ error: 'too bad', processor }, { error: 'too bad' }]);
    });

    it('reports an operator that cannot be made, once for each attempt', async () => {
      const { sends, texts, up } = await setup(() => {
        throw new Error('no operator');
      });
      await sends('a', 'b');
      expect(texts()).toEqual([]);
      expect(up.framesOf(ErrorFrame).map(({ error }) => error)).toEqual(Array(3).fill('no operator'));
    });

    it('reports what is no frame, and goes on', async () => {
      const { sends, texts, up } = await setup(
        map((frame) => (frame instanceof TextFrame && frame.text === 'bad' ? ({} as Frame) : frame)),
      );
      await sends('bad', 'b');
      expect(texts()).toEqual(['b']);
      expect(up.framesOf(ErrorFrame)).toMatchObject([{ cause: { name: 'InvalidOptionError' } }]);
    });

    it('ends all the same', async () => {
      const { sends, run } = await setup((frames$) =>
        frames$.pipe(
          delay(100),
          map(() => {
            throw new Error('late');
          }),
        ),
      );
      await sends('a', new EndFrame());
      await passes(100);
      expect(await run).toMatchObject({ reason: 'ended', forced: false });
    });
  });

  describe('on an interruption', () => {
    it('drops what the operator holds, and starts it anew', async () => {
      const { sends, texts, down } = await setup((frames$) => frames$.pipe(take(2), delay(1_000)));
      await sends('a', 'b', 'c', new InterruptionFrame(), 'd');
      await passes(2_000);
      expect(texts()).toEqual(['d']);
      expect(down.framesOf(InterruptionFrame)).toHaveLength(1);
    });

    it('does not hold up an end under way', async () => {
      const { sends, task, run, texts } = await setup(delay(60_000), { endStallTimeoutMs: 100_000 });
      await sends('a', new EndFrame());
      task.queueFrame(new InterruptionFrame(), 'upstream');
      await passes(0);
      expect(await run).toMatchObject({ reason: 'ended', forced: false });
      expect(texts()).toEqual([]);
    });
  });

  it('unsubscribes on a cancel', async () => {
    const { sends, task, run, texts } = await setup((frames$) =>
      merge(frames$.pipe(delay(100)), interval(10).pipe(map(() => new TTSStartedFrame()))),
    );
    await sends('a');
    task.cancel();
    expect(await run).toMatchObject({ reason: 'cancelled', forced: false });
    expect(vi.getTimerCount()).toBe(0);
    expect(texts()).toEqual([]);
  });

  it('unsubscribes when it is cleaned up', async () => {
    const { processor } = await setup(() => timer(0, 10).pipe(map(() => new TTSStartedFrame())));
    await processor.cleanup();
    expect(vi.getTimerCount()).toBe(0);
  });

  it('starts anew in the run after a StopFrame', async () => {
    const { sends, run, processor } = await setup(take(1));
    await sends('a', new StopFrame());
    await run;
    const again = await startPipeline([processor]);
    again.task.queueFrames([new TextFrame('b'), new EndFrame()]);
    await again.run;
    expect(textsOf(again.down.frames)).toEqual(['b']);
  });
});
