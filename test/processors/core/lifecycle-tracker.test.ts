import { describe, expect, it } from 'vitest';

import type { Frame, FrameDirection } from '../../../src/frames/frame.ts';
import { InterruptionFrame, InterruptionTaskFrame } from '../../../src/frames/interruption.ts';
import {
  CancelTaskFrame,
  EndFrame,
  EndTaskFrame,
  isLifecycleFrame,
  StopTaskFrame,
} from '../../../src/frames/lifecycle.ts';
import {
  FrameProcessorPauseFrame,
  FrameProcessorPauseUrgentFrame,
  FrameProcessorResumeFrame,
  FrameProcessorResumeUrgentFrame,
} from '../../../src/frames/pause.ts';
import { HeartbeatFrame, PipelineFlushFrame } from '../../../src/frames/probes.ts';

import { TextFrame } from '../../../src/frames/text.ts';
import { ParallelPipeline } from '../../../src/pipeline/parallel-pipeline.ts';
import { Pipeline } from '../../../src/pipeline/pipeline.ts';
import { turnOfTheLoop } from '../../../src/processors/core/frame-scheduler.ts';
import { FrameProcessor, type FrameProcessorOptions } from '../../../src/processors/frame-processor.ts';
import { classesOf, startPipeline } from '../../support/start-pipeline.ts';

type Script = (self: Scripted, frame: Frame, direction: FrameDirection) => void | Promise<void>;

/** Does what the test says with everything but lifecycle frames. */
class Scripted extends FrameProcessor {
  readonly #script: Script;

  constructor(script: Script, options?: FrameProcessorOptions) {
    super(options);
    this.#script = script;
  }

  protected override process(frame: Frame, direction: FrameDirection): void | Promise<void> {
    if (isLifecycleFrame(frame)) return this.push(frame, direction);
    return this.#script(this, frame, direction);
  }

  hold(frame: Frame): void {
    this.holdFrame(frame);
  }
}

const kinds: Record<string, () => Frame> = {
  EndTaskFrame: () => new EndTaskFrame(),
  StopTaskFrame: () => new StopTaskFrame(),
  CancelTaskFrame: () => new CancelTaskFrame(),
  InterruptionTaskFrame: () => new InterruptionTaskFrame(),
  PipelineFlushFrame: () => new PipelineFlushFrame(),
  HeartbeatFrame: () => new HeartbeatFrame(0),
  FrameProcessorPauseFrame: () => new FrameProcessorPauseFrame({ name: 'nobody' }),
  FrameProcessorPauseUrgentFrame: () => new FrameProcessorPauseUrgentFrame({ name: 'nobody' }),
  FrameProcessorResumeFrame: () => new FrameProcessorResumeFrame({ name: 'nobody' }),
  FrameProcessorResumeUrgentFrame: () => new FrameProcessorResumeUrgentFrame({ name: 'nobody' }),
};

const textsOnly: Script = (self, frame, direction) => {
  if (frame instanceof TextFrame) self.push(frame, direction);
};

const unknowing: Record<string, () => FrameProcessor> = {
  'lets only texts through': () => new Scripted(textsOnly),
  'lets only texts through, later': () =>
    new Scripted(async (self, frame, direction) => {
      await turnOfTheLoop();
      textsOnly(self, frame, direction);
    }),
  'lets only texts through in direct mode': () => new Scripted(textsOnly, { directMode: true }),
  'passes everything on': () => new Scripted((self, frame, direction) => self.push(frame, direction)),
  'passes everything on later, by a timer': () =>
    new Scripted((self, frame, direction) => void setImmediate(() => self.push(frame, direction))),
  'throws on what is no text': () =>
    new Scripted((self, frame, direction) => {
      if (!(frame instanceof TextFrame)) throw new Error('unexpected');
      self.push(frame, direction);
    }),
  'is a row of filters': () => new Pipeline([new Scripted(textsOnly), new Scripted(textsOnly)]),
  'is branches of filters': () => new ParallelPipeline([new Scripted(textsOnly)], [new Scripted(textsOnly)]),
};

/** Sends one frame through a processor, outside of any task, and tells what came out. */
async function through(processor: FrameProcessor, frame: Frame, direction: FrameDirection): Promise<Frame[]> {
  const { task, down, up, run } = await startPipeline([processor]);
  const end = direction === 'downstream' ? down : up;
  // not by way of the task, which would answer it
  (direction === 'downstream' ? up : down).push(frame, direction);
  for (let turn = 0; turn < 10; turn += 1) await turnOfTheLoop();
  task.cancel();
  await run;
  return end.frames.filter((one) => one === frame);
}

describe.each(Object.entries(unknowing))('a processor that %s', (_title, make) => {
  it.each(Object.entries(kinds))('has a %s go on exactly once', async (_name, frame) => {
    for (const direction of ['downstream', 'upstream'] as const) {
      const sent = frame();
      expect(await through(make(), sent, direction)).toEqual([sent]);
    }
  });
});

describe('a user’s own filter', () => {
  it('does not keep the call from being ended', async () => {
    const filters = [1, 2, 3].map(() => new Scripted(textsOnly));
    const { task, run } = await startPipeline(filters);
    task.queueFrame(new EndTaskFrame('bye'));
    expect(await run).toMatchObject({ reason: 'ended', forced: false, frame: { reason: 'bye' } });
  });

  it('does not keep a flush from coming back', async () => {
    const { task, run } = await startPipeline([new Scripted(textsOnly)]);
    expect(await task.flush()).toBe(true);
    task.cancel();
    await run;
  });

  it('does not keep heartbeats from coming out', async () => {
    const { task, down, run } = await startPipeline([new Scripted(textsOnly)], {
      heartbeats: { periodMs: 5, timeoutMs: 60_000 },
    });
    while (!down.frames.some((frame) => frame instanceof HeartbeatFrame)) await turnOfTheLoop();
    task.cancel();
    await run;
  });

  it('may keep an interruption', async () => {
    const interruption = new InterruptionFrame();
    expect(await through(new Scripted(textsOnly), interruption, 'downstream')).toEqual([]);
  });
});

describe('one of the framework’s own frames', () => {
  it('that is sent back the other way does not go on as well', async () => {
    const back = new Scripted((self, frame) => self.push(frame, 'upstream'));
    const request = new EndTaskFrame();
    expect(await through(back, request, 'downstream')).toEqual([]);
  });

  it('keeps its place behind what a processor holds with it', async () => {
    const held: Frame[] = [];
    const aggregator = new Scripted((self, frame, direction) => {
      if (direction === 'upstream') return self.push(frame, direction);
      self.hold(frame);
      held.push(frame);
      if (held.length === 3) setImmediate(() => held.map((one) => self.push(one)));
    });
    const { task, down, run } = await startPipeline([aggregator]);
    task.queueFrames([new TextFrame('a'), new EndTaskFrame('bye'), new TextFrame('b')]);
    expect(await run).toMatchObject({ reason: 'ended', frame: { reason: 'bye' } });
    expect(classesOf(down.frames)).toEqual([
      'StartFrame',
      'TextFrame',
      'EndTaskFrame',
      'TextFrame',
      'EndFrame',
    ]);
  });

  it('can be replaced by another one, where it is held for good', async () => {
    const graceful = new Scripted((self, frame, direction) => {
      if (!(frame instanceof CancelTaskFrame)) return self.push(frame, direction);
      self.hold(frame);
      self.push(new EndTaskFrame(frame.reason), direction);
    });
    const { task, run } = await startPipeline([graceful]);
    task.queueFrame(new CancelTaskFrame('bye'));
    expect(await run).toMatchObject({ reason: 'ended', frame: { reason: 'bye' } });
  });

  it('that is kept without being held overtakes what is kept with it, which is still said', async () => {
    class SaysAtEnd extends FrameProcessor {
      readonly #kept: Frame[] = [];
      protected override process(frame: Frame, direction: FrameDirection): void {
        if (direction === 'downstream' && !isLifecycleFrame(frame)) this.#kept.push(frame);
        else {
          if (frame instanceof EndFrame) for (const kept of this.#kept) this.push(kept);
          this.push(frame, direction);
        }
      }
    }
    const { task, down, run } = await startPipeline([new SaysAtEnd()]);
    task.queueFrames([new TextFrame('a'), new EndTaskFrame()]);
    expect(await run).toMatchObject({ reason: 'ended', forced: false });
    expect(classesOf(down.frames)).toEqual(['StartFrame', 'EndTaskFrame', 'TextFrame', 'EndFrame']);
  });

  it('may come back to a processor that it has passed', async () => {
    const request = new EndTaskFrame();
    const back = new Scripted((self, frame) => self.push(frame, 'upstream'));
    const { task, up, run } = await startPipeline([new Scripted(textsOnly), back]);
    up.push(request);
    await run;
    expect(up.frames.filter((frame) => frame === request)).toEqual([request]);
    expect(task.hasFinished).toBe(true);
  });
});
