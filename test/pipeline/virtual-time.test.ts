import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { TTSAudioRawFrame } from '../../src/frames/audio.ts';
import type { Frame, FrameDirection } from '../../src/frames/frame.ts';
import { EndFrame } from '../../src/frames/lifecycle.ts';
import { BotStartedSpeakingFrame, BotStoppedSpeakingFrame } from '../../src/frames/speaking.ts';
import { TextFrame } from '../../src/frames/text.ts';
import { silentLogger } from '../../src/lib/logger.ts';
import { Pipeline } from '../../src/pipeline/pipeline.ts';
import { PipelineTask } from '../../src/pipeline/pipeline-task.ts';
import type { PipelineTaskOptions } from '../../src/pipeline/pipeline-task-options.ts';
import { EndWhenAlone } from '../../src/processors/end-when-alone.ts';
import { FrameProcessor } from '../../src/processors/frame-processor.ts';
import { IdentityFilter } from '../../src/processors/identity-filter.ts';
import { MemoryTransport } from '../../src/testing/memory-transport.ts';
import { FrameRecorder } from '../../src/testing/run-test.ts';
import { startPipeline } from '../support/start-pipeline.ts';

/** Passes a text on after a while, as a service does that is asked over the network. */
class Slow extends FrameProcessor {
  protected override async process(frame: Frame, direction: FrameDirection): Promise<void> {
    if (frame instanceof TextFrame) await new Promise((resolve) => setTimeout(resolve, 300));
    this.push(frame, direction);
  }
}

function call(options: PipelineTaskOptions = {}) {
  const transport = new MemoryTransport({ params: { audioInEnabled: true, audioOutEnabled: true } });
  const recorder = new FrameRecorder();
  const processors = [new EndWhenAlone({ graceMs: 60_000 }), transport.output(), recorder];
  const task = new PipelineTask(new Pipeline([transport.input(), ...processors]), {
    logger: silentLogger,
    ...options,
  });
  return { transport, recorder, task, run: task.run() };
}

const speech = (durationMs: number): TTSAudioRawFrame =>
  new TTSAudioRawFrame({ audio: new Int16Array(durationMs * 24), sampleRate: 24_000, numChannels: 1 });

describe('with fake timers', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('frames settle while the clock stands still', async () => {
    const beganMs = performance.now();
    const { task, down, run } = await startPipeline([new IdentityFilter()]);
    task.queueFrame(new TextFrame('hello'));
    task.stopWhenDone();
    expect(await run).toMatchObject({ reason: 'ended', durationMs: 0 });
    expect(down.framesOf(TextFrame)).toHaveLength(1);
    expect(performance.now()).toBe(beganMs);
  });

  it('the clock never passes by frames that have not settled', async () => {
    const { task, down } = await startPipeline([new IdentityFilter(), new IdentityFilter()]);
    const many = Array.from({ length: 10_000 }, (_, index) => new TextFrame(`${index}`));
    const arrived: number[] = [];
    for (const waitMs of [1, 2, 3]) setTimeout(() => arrived.push(down.framesOf(TextFrame).length), waitMs);
    task.queueFrames(many);
    await vi.advanceTimersByTimeAsync(3);
    expect(arrived).toEqual([10_000, 10_000, 10_000]);
  });

  it('the clock never passes by what observers have not been told', async () => {
    const told: number[] = [];
    const onPushFrame = (): void => void told.push(performance.now());
    const { task } = await startPipeline([new IdentityFilter()], { observers: [{ onPushFrame }] });
    await vi.advanceTimersByTimeAsync(0);
    told.length = 0;
    const nowMs = performance.now();
    const atMs = [nowMs + 10, nowMs + 20, nowMs + 30];
    for (const ms of [10, 20, 30])
      setTimeout(() => {
        for (let count = 0; count < 1_000; count += 1) task.queueFrame(new TextFrame('hello'));
      }, ms);
    await vi.advanceTimersByTimeAsync(100);
    expect([...new Set(told)]).toEqual(atMs);
  });

  it('a processor takes the time that its timers take', async () => {
    const { task, run } = await startPipeline([new Slow()]);
    for (let count = 0; count < 10; count += 1) task.queueFrame(new TextFrame('hello'));
    task.stopWhenDone();
    await vi.advanceTimersByTimeAsync(2_999);
    expect(await Promise.race([run, 'running'])).toBe('running');
    await vi.advanceTimersByTimeAsync(1);
    expect(await run).toMatchObject({ reason: 'ended', durationMs: 3_000 });
  });

  it('a call takes as long as its sound and its waits, and limits pass', async () => {
    const { transport, recorder, task, run } = call();
    transport.participantJoins('ada');
    await vi.advanceTimersByTimeAsync(100);
    task.queueFrame(speech(2_000));
    await vi.advanceTimersByTimeAsync(1_000);
    expect(transport.playedMs).toBe(1_000);
    expect(recorder.framesOf(BotStartedSpeakingFrame)).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(transport.playedMs).toBe(2_000);
    expect(recorder.framesOf(BotStoppedSpeakingFrame)).toHaveLength(0);
    await vi.advanceTimersByTimeAsync(3_000);
    expect(recorder.framesOf(BotStoppedSpeakingFrame)).toHaveLength(1);
    transport.participantLeaves('ada');
    await vi.advanceTimersByTimeAsync(60_000);
    expect(await run).toMatchObject({ reason: 'ended', durationMs: 65_100 });
  });

  it('the idle timeout comes when it is due', async () => {
    const { run } = call({ idleTimeoutMs: 300_000 });
    await vi.advanceTimersByTimeAsync(299_999);
    expect(await Promise.race([run, 'running'])).toBe('running');
    await vi.advanceTimersByTimeAsync(1);
    expect(await run).toMatchObject({ reason: 'cancelled', durationMs: 300_000 });
  });

  it('a run only has to be awaited where timers advance the clock by themselves', async () => {
    vi.setTimerTickMode('nextTimerAsync');
    const { transport, task, run } = call({ idleTimeoutMs: null });
    task.queueFrame(speech(10_000));
    setTimeout(() => task.queueFrame(new EndFrame('enough')), 600_000);
    expect(await run).toMatchObject({ reason: 'ended', durationMs: 600_000 });
    expect(transport.playedMs).toBe(10_000);
  });

  it('frames that feed themselves do not occupy the process', async () => {
    class Echo extends FrameProcessor {
      protected override process(frame: Frame, direction: FrameDirection): void {
        if (frame instanceof TextFrame) this.queueFrame(new TextFrame('again'));
        else this.push(frame, direction);
      }
    }
    const { task, run } = await startPipeline([new Echo()]);
    task.queueFrame(new TextFrame('for ever'));
    await vi.advanceTimersByTimeAsync(1);
    task.cancel();
    expect(await run).toMatchObject({ reason: 'cancelled', durationMs: 1 });
  });

  it('observers that cause more with everything that they are told do not occupy the process', async () => {
    const filter = new IdentityFilter();
    const { task, run } = await startPipeline([filter]);
    task.addObserver({
      onPushFrame: ({ source }) => {
        if (source === filter) task.queueFrame(new TextFrame('again'));
      },
    });
    task.queueFrame(new TextFrame('for ever'));
    await vi.advanceTimersByTimeAsync(1);
    task.cancel();
    expect(await run).toMatchObject({ reason: 'cancelled', durationMs: 1 });
  });

  it('frames go on when time becomes real among them', async () => {
    const { task, down, run } = await startPipeline([new IdentityFilter()]);
    task.queueFrames(Array.from({ length: 50_000 }, () => new TextFrame('hello')));
    task.stopWhenDone();
    await Promise.resolve();
    vi.useRealTimers();
    expect(await run).toMatchObject({ reason: 'ended' });
    expect(down.framesOf(TextFrame)).toHaveLength(50_000);
  });
});
