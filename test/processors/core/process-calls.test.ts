import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { ErrorFrame } from '../../../src/frames/error-frame.ts';
import type { Frame, FrameDirection } from '../../../src/frames/frame.ts';
import { InterruptionFrame } from '../../../src/frames/interruption.ts';
import { EndFrame } from '../../../src/frames/lifecycle.ts';
import { TTSStartedFrame } from '../../../src/frames/speaking.ts';
import { TextFrame } from '../../../src/frames/text.ts';
import { turnOfTheLoop } from '../../../src/processors/core/frame-scheduler.ts';
import { FrameProcessor } from '../../../src/processors/frame-processor.ts';
import { startPipeline, textsOf } from '../../support/start-pipeline.ts';

/** Passes everything on, but for the text `slow`: with that it waits for {@link goOn}, then pushes `of slow`. */
abstract class Sometimes extends FrameProcessor {
  readonly signals: AbortSignal[] = [];
  readonly settled: Promise<void>[] = [];
  goOn: (() => void)[] = [];

  protected slowly(frame: Frame): Promise<void> {
    const signal = this.signal;
    const done = (async () => {
      await new Promise<void>((resolve) => this.goOn.push(resolve));
      this.signals.push(signal, this.signal);
      this.push(new TextFrame(`of ${(frame as TextFrame).text}`));
    })();
    this.settled.push(done.catch(() => {}));
    return done;
  }
}

const isSlow = (frame: Frame): boolean => frame instanceof TextFrame && frame.text.startsWith('slow');

class Async extends Sometimes {
  protected override async process(frame: Frame, direction: FrameDirection): Promise<void> {
    if (isSlow(frame)) await this.slowly(frame);
    else this.push(frame, direction);
  }
}

class AsyncField extends Sometimes {
  protected override process = async (frame: Frame, direction: FrameDirection): Promise<void> => {
    if (isSlow(frame)) await this.slowly(frame);
    else this.push(frame, direction);
  };
}

class OverAsync extends Async {
  protected override process(frame: Frame, direction: FrameDirection): Promise<void> {
    return super.process(frame, direction);
  }
}

class InheritsAsync extends Async {}

class Plain extends Sometimes {
  protected override process(frame: Frame, direction: FrameDirection): void | Promise<void> {
    if (isSlow(frame)) return this.slowly(frame);
    this.push(frame, direction);
  }
}

/** The processor in a running pipeline, after so many frames of everyday life. */
async function running<P extends Sometimes>(processor: P, frames = 0) {
  const { task, down, run } = await startPipeline([processor]);
  const send = async (...sent: readonly Frame[]): Promise<void> => {
    task.queueFrames(sent);
    await turnOfTheLoop();
    await turnOfTheLoop();
  };
  for (let index = 0; index < frames; index += 1) task.queueFrame(new TextFrame('word'));
  while (textsOf(down.frames).length < frames) await turnOfTheLoop();
  return {
    processor,
    send,
    /** What came out after the everyday life. */
    texts: (): string[] => textsOf(down.frames).slice(frames),
    /** Lets the `index`-th slow call go on, to its end. */
    goOn: async (index: number): Promise<void> => {
      processor.goOn[index]?.();
      await processor.settled[index];
      await turnOfTheLoop();
    },
    end: async (): Promise<void> => {
      task.queueFrame(new EndFrame());
      expect((await run).reason).toBe('ended');
    },
  };
}

describe.each([0, 100, 5_000])('after %i frames', (frames) => {
  it.each([Async, Plain])(
    'what belongs to no call comes out although one is interrupted (%o)',
    async (kind) => {
      const { processor, send, texts, goOn, end } = await running(new kind(), frames);
      const pushed: string[] = [];
      const push = (): void => {
        pushed.push(`from a socket ${pushed.length}`);
        processor.push(new TextFrame(pushed.at(-1) as string));
      };
      push();
      await send(new TextFrame('slow'));
      push();
      await send(new InterruptionFrame());
      for (let index = 0; index < 20; index += 1) {
        await sleep(1);
        push();
      }
      expect(texts()).toEqual(pushed);
      await goOn(0);
      push();
      await end();
      expect(texts().filter((text) => text !== 'of slow')).toEqual(pushed);
    },
  );
});

describe.each([Async, AsyncField, OverAsync, InheritsAsync])(
  'a process() that is declared async: %o',
  (kind) => {
    it('may wait, and then push', async () => {
      const { texts, send, goOn, end } = await running(new kind());
      await send(new TextFrame('slow'), new TextFrame('next'));
      expect(texts()).toEqual([]);
      await goOn(0);
      expect(texts()).toEqual(['of slow', 'next']);
      await end();
    });

    it('has nothing come out of an abandoned call, from its first one on', async () => {
      const { texts, send, goOn, end } = await running(new kind());
      await send(new TextFrame('slow'));
      await send(new InterruptionFrame(), new TextFrame('next'));
      await goOn(0);
      await end();
      expect(texts()).toEqual(['next']);
    });

    it('learns from its signal that the call was abandoned', async () => {
      const { processor, send, goOn, end } = await running(new kind());
      await send(new TextFrame('slow'));
      await send(new InterruptionFrame());
      await send(new TextFrame('slow again'));
      await goOn(0);
      await goOn(1);
      expect(processor.signals.map(({ aborted }) => aborted)).toEqual([true, true, false, false]);
      await end();
    });
  },
);

describe('a process() that is not declared async', () => {
  it('keeps what its first promise pushes after an interruption, and drops that of later ones', async () => {
    const { texts, send, goOn, end } = await running(new Plain());
    for (const index of [0, 1, 2]) {
      await send(new TextFrame(`slow ${index}`));
      await send(new InterruptionFrame());
      await goOn(index);
    }
    await end();
    expect(texts()).toEqual(['of slow 0']);
  });

  it('learns from a signal it has read before it waits that its call was abandoned', async () => {
    const { processor, send, goOn, end } = await running(new Plain());
    await send(new TextFrame('slow'));
    await send(new InterruptionFrame());
    await goOn(0);
    expect(processor.signals[0]?.aborted).toBe(true);
    await end();
  });
});

describe('an abandoned call', () => {
  it('does not keep errors of its processor from being heard', async () => {
    const { processor, send, goOn, end } = await running(new Async());
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

  it('does not interrupt any more', async () => {
    class Interrupts extends Async {
      protected override async process(frame: Frame, direction: FrameDirection): Promise<void> {
        await super.process(frame, direction);
        if (isSlow(frame)) this.broadcastInterruption();
      }
    }
    const { processor, send, texts, goOn, end } = await running(new Interrupts());
    const pushed: Frame[] = [];
    await send(new TextFrame('slow'));
    await send(new InterruptionFrame());
    processor.frames$.subscribe((frame) => pushed.push(frame));
    await goOn(0);
    expect(pushed).toEqual([]);
    expect(texts()).toEqual([]);
    await end();
  });

  it('is told from the call that was set going in it', async () => {
    class Queues extends Async {
      protected override async process(frame: Frame, direction: FrameDirection): Promise<void> {
        if (frame instanceof TTSStartedFrame)
          void turnOfTheLoop().then(() => this.queueFrame(new TextFrame('slow')));
        else await super.process(frame, direction);
      }
    }
    const { processor, texts, send, goOn, end } = await running(new Queues());
    await send(new TTSStartedFrame());
    while (processor.goOn.length === 0) await turnOfTheLoop();
    await send(new InterruptionFrame());
    await goOn(0);
    expect(texts()).toEqual([]);
    await end();
  });

  it('is over once it has settled: a socket that it opened is heard', async () => {
    class Opens extends Async {
      socket: ((text: string) => void) | undefined;
      protected override async process(frame: Frame, direction: FrameDirection): Promise<void> {
        // a callback that keeps the context it was made in, as those of sockets do
        if (isSlow(frame)) this.socket = (text) => this.push(new TextFrame(text));
        await super.process(frame, direction);
      }
    }
    const { processor, texts, send, goOn, end } = await running(new Opens());
    await send(new TextFrame('slow'));
    await send(new InterruptionFrame());
    await goOn(0);
    processor.socket?.('heard');
    await end();
    expect(texts()).toEqual(['heard']);
  });
});
