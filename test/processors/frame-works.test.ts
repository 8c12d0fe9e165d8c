import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { ErrorFrame } from '../../src/frames/error-frame.ts';
import type { Frame, FrameDirection } from '../../src/frames/frame.ts';
import { InterruptionFrame } from '../../src/frames/interruption.ts';
import { EndFrame } from '../../src/frames/lifecycle.ts';
import { TextFrame, TTSStartedFrame } from '../../src/frames/text.ts';
import { FrameProcessor } from '../../src/processors/frame-processor.ts';
import { turnOfTheLoop } from '../../src/processors/frame-scheduler.ts';
import { workContext } from '../../src/processors/work-context.ts';
import { startPipeline, textsOf } from '../support/start-pipeline.ts';

/** More than it takes to be known as prompt. */
const many = 4_200;

/** Passes everything on at once, but for the text `slow`, with which it waits to be told to go on. */
class Habitual extends FrameProcessor {
  readonly #pass: (frame: Frame, push: () => void) => void | Promise<void>;
  readonly signals: AbortSignal[] = [];
  goOn: (() => void)[] = [];
  /** What it does with frames that are no texts, before it passes them on. */
  onOther: ((frame: Frame) => Promise<void>) | undefined;
  readonly settled: Promise<void>[] = [];

  constructor(pass: (frame: Frame, push: () => void) => void | Promise<void>) {
    super();
    this.#pass = pass;
  }

  protected override process(frame: Frame, direction: FrameDirection): void | Promise<void> {
    if (frame instanceof TTSStartedFrame) return this.onOther?.(frame);
    if (!(frame instanceof TextFrame) || !frame.text.startsWith('slow'))
      return this.#pass(frame, () => this.push(frame, direction));
    const done = this.#slowly(frame);
    this.settled.push(done);
    return done;
  }

  async #slowly(frame: TextFrame): Promise<void> {
    await new Promise<void>((resolve) => {
      this.goOn.push(resolve);
    });
    this.signals.push(this.signal);
    this.push(new TextFrame(`of ${frame.text}`));
  }
}

const habits = {
  synchronous: (_frame: Frame, push: () => void) => push(),
  prompt: async (_frame: Frame, push: () => void) => {
    await undefined;
    push();
  },
} as const;

/** A processor with a habit, in a running pipeline. */
async function habitual(habit: keyof typeof habits) {
  const processor = new Habitual(habits[habit]);
  const pipeline = await startPipeline([processor]);
  const { task, down } = pipeline;
  const passed = new Promise<void>((resolve) => {
    task.frames$.subscribe((frame) => {
      if (frame instanceof TextFrame && frame.text === 'last') resolve();
    });
  });
  for (let index = 1; index < many; index += 1) task.queueFrame(new TextFrame('word'));
  task.queueFrame(new TextFrame('last'));
  await passed;
  const before = textsOf(down.frames).length;
  expect(before).toBe(many);
  /** What came out after the habit was learned. */
  const texts = (): string[] => textsOf(down.frames).slice(before);
  const send = async (...frames: readonly Frame[]): Promise<void> => {
    task.queueFrames(frames);
    await turnOfTheLoop();
    await turnOfTheLoop();
  };
  /** Lets the `index`-th slow call go on, to its end. */
  const goOn = async (index: number): Promise<void> => {
    processor.goOn[index]?.();
    await processor.settled[index];
    await turnOfTheLoop();
  };
  const end = async (): Promise<void> => {
    task.queueFrame(new EndFrame());
    expect((await pipeline.run).reason).toBe('ended');
  };
  return { processor, texts, send, goOn, end };
}

describe.each(['synchronous', 'prompt'] as const)('a process() that has long been %s', (habit) => {
  it('may wait, and then push', async () => {
    const { texts, send, goOn, end } = await habitual(habit);
    await send(new TextFrame('slow'), new TextFrame('next'));
    expect(texts()).toEqual([]);
    await goOn(0);
    expect(texts()).toEqual(['of slow', 'next']);
    await end();
  });

  it('has nothing come out that a dropped call pushes later, and goes on', async () => {
    const { texts, send, goOn, end } = await habitual(habit);
    await send(new TextFrame('slow'));
    await send(new InterruptionFrame(), new TextFrame('next'));
    expect(texts()).toEqual(['next']);
    await goOn(0);
    expect(texts()).toEqual(['next']);
    await end();
  });

  it('learns in its signal that the call was dropped', async () => {
    const { processor, send, goOn, end } = await habitual(habit);
    await send(new TextFrame('slow'));
    await send(new InterruptionFrame());
    await goOn(0);
    expect(processor.signals[0]?.aborted).toBe(true);
    await send(new TextFrame('slow again'));
    await goOn(1);
    expect(processor.signals[1]?.aborted).toBe(false);
    await send(new TextFrame('slow for the third time'));
    await send(new InterruptionFrame());
    await goOn(2);
    expect(processor.signals[2]?.aborted).toBe(true);
    await end();
  });

  it('is told apart from timers and sockets once it has waited', async () => {
    const { processor, texts, send, goOn, end } = await habitual(habit);
    await send(new TextFrame('slow'));
    await goOn(0);
    await send(new TextFrame('slow again'));
    await send(new InterruptionFrame());
    processor.push(new TextFrame('from a socket'));
    await send();
    expect(texts()).toEqual(['of slow', 'from a socket']);
    await goOn(1);
    await end();
    expect(texts()).toEqual(['of slow', 'from a socket']);
  });

  it('is not told apart from them the first time: they are held back until it has noticed', async () => {
    const { processor, texts, send, goOn, end } = await habitual(habit);
    await send(new TextFrame('slow'));
    await send(new InterruptionFrame());
    processor.push(new TextFrame('too early'));
    await goOn(0);
    processor.push(new TextFrame('from a socket'));
    await send();
    expect(texts()).toEqual(['from a socket']);
    await end();
  });

  it('is not held back for ever by a call that never ends', async () => {
    const { processor, texts, send, end } = await habitual(habit);
    await send(new TextFrame('slow'));
    await send(new InterruptionFrame());
    const later = performance.now() + 5_000;
    const clock = vi.spyOn(performance, 'now').mockReturnValue(later);
    onTestFinished(() => clock.mockRestore());
    processor.push(new TextFrame('from a socket'));
    clock.mockRestore();
    await send();
    expect(texts()).toEqual(['from a socket']);
    await end();
  });

  it('still has its errors heard while a dropped call lasts', async () => {
    const { processor, send, goOn, end } = await habitual(habit);
    const errors: string[] = [];
    processor.on('error', (frame) => {
      errors.push((frame as ErrorFrame).error);
    });
    await send(new TextFrame('slow'));
    await send(new InterruptionFrame());
    processor.pushError({ error: 'heard' });
    expect(errors).toEqual(['heard']);
    await goOn(0);
    await end();
  });

  it('is told apart from the call that set it going', async () => {
    const { processor, texts, send, goOn, end } = await habitual(habit);
    // somebody else's call goes on all the while
    workContext.began();
    onTestFinished(() => workContext.ended());
    processor.onOther = async () => {
      void turnOfTheLoop().then(() => processor.queueFrame(new TextFrame('slow')));
    };
    await send(new TTSStartedFrame());
    await vi.waitUntil(() => processor.goOn.length === 1);
    await send(new InterruptionFrame());
    await goOn(0);
    expect(texts()).toEqual([]);
    await end();
  });
});
