import { describe, expect, it } from 'vitest';
import type { Frame, FrameDirection } from '../../src/frames/frame.ts';
import { InterruptionFrame, InterruptionTaskFrame } from '../../src/frames/interruption.ts';
import { EndFrame } from '../../src/frames/lifecycle.ts';
import { UserSpeakingFrame } from '../../src/frames/speaking.ts';
import { TextFrame } from '../../src/frames/text.ts';
import { silentLogger } from '../../src/lib/logger.ts';
import { Pipeline } from '../../src/pipeline/pipeline.ts';
import { PipelineTask } from '../../src/pipeline/pipeline-task.ts';
import { IdentityFilter } from '../../src/processors/identity-filter.ts';
import { textsOf } from '../support/start-pipeline.ts';

const numbers = (count: number): TextFrame[] =>
  Array.from({ length: count }, (_, index) => new TextFrame(String(index)));

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Counts what it is handed. */
class Door extends IdentityFilter {
  entered = 0;
  override queueFrame(frame: Frame, direction?: FrameDirection): void {
    this.entered += 1;
    super.queueFrame(frame, direction);
  }
}

/** A task that has not started; what has come out of it, and how many frames went in between two turns of the loop. */
function setup() {
  const door = new Door();
  const task = new PipelineTask(new Pipeline([door]), {
    logger: silentLogger,
    idleTimeoutMs: null,
    reachedUpstreamFilter: [TextFrame],
  });
  const frames: Frame[] = [];
  task.frames$.subscribe((frame) => frames.push(frame));
  let largestPiece = 0;
  let isOver = false;
  const watch = async (): Promise<void> => {
    for (let before = 0; !isOver; before = door.entered) {
      await turn();
      largestPiece = Math.max(largestPiece, door.entered - before);
    }
  };
  const run = async () => {
    const running = task.run();
    const watching = watch();
    const result = await running;
    isOver = true;
    await watching;
    return result;
  };
  const started = new Promise<void>((resolve) => task.once('started', resolve));
  return { task, frames, door, started, run, largestPiece: () => largestPiece };
}

describe('frames that are queued before the start', () => {
  it('go in in pieces, between which the event loop turns, in their order', async () => {
    const { task, frames, run, largestPiece } = setup();
    const count = 100_000;
    task.queueFrames(numbers(count));
    task.queueFrame(new EndFrame());
    expect((await run()).reason).toBe('ended');
    expect(largestPiece()).toBeLessThan(count / 2);
    const texts = textsOf(frames);
    expect(texts).toHaveLength(count);
    expect(texts.every((text, index) => text === String(index))).toBe(true);
    expect(frames.at(-1)).toBeInstanceOf(EndFrame);
  });

  it('stay ahead of those that are queued meanwhile, of each kind', async () => {
    const { task, frames, started, run } = setup();
    const system = Array.from({ length: 20_000 }, () => new UserSpeakingFrame());
    task.queueFrames(numbers(20_000));
    task.queueFrames(system);
    const running = run();
    await started;
    const last = new UserSpeakingFrame();
    task.queueFrames([last, new TextFrame('later'), new EndFrame()]);
    expect((await running).reason).toBe('ended');
    expect(textsOf(frames)).toEqual([...numbers(20_000).map(({ text }) => text), 'later']);
    expect(frames.filter((frame) => frame instanceof UserSpeakingFrame)).toEqual([...system, last]);
  });

  it.each([
    ['a queued InterruptionFrame', (task: PipelineTask) => task.queueFrame(new InterruptionFrame())],
    [
      'an InterruptionTaskFrame',
      (task: PipelineTask) => task.queueFrame(new InterruptionTaskFrame(), 'upstream'),
    ],
    ['a processor that interrupts', (_task: PipelineTask, door: Door) => door.broadcastInterruption()],
  ])('are dropped by %s, but for those that nothing may interrupt', async (_what, interrupt) => {
    const { task, frames, door, started, run } = setup();
    const kept = new TextFrame('kept');
    kept.uninterruptible = true;
    task.queueFrames([...numbers(50_000), kept]);
    const running = run();
    await started;
    await turn();
    interrupt(task, door);
    await turn();
    task.queueFrame(new TextFrame('behind'));
    task.stopWhenDone();
    expect((await running).reason).toBe('ended');
    expect(textsOf(frames).length).toBeLessThan(50_000);
    expect(textsOf(frames).slice(-2)).toEqual(['kept', 'behind']);
  });

  it('are forgotten with a cancel', async () => {
    const { task, frames, started, run } = setup();
    task.queueFrames(numbers(50_000));
    const running = run();
    await started;
    task.cancel();
    expect((await running).reason).toBe('cancelled');
    expect(textsOf(frames).length).toBeLessThan(50_000);
  });

  it('go upstream in pieces and in their order as well', async () => {
    const { task, run, largestPiece } = setup();
    const texts: string[] = [];
    task.on('frameReachedUpstream', (frame) => {
      texts.push((frame as TextFrame).text);
      if (texts.length === 60_000) task.stopWhenDone();
    });
    task.queueFrames(numbers(60_000), 'upstream');
    expect((await run()).reason).toBe('ended');
    expect(texts).toEqual(numbers(60_000).map(({ text }) => text));
    expect(largestPiece()).toBeLessThan(30_000);
  });
});
