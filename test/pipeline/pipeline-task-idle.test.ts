import { describe, expect, it, vi } from 'vitest';
import { InputAudioRawFrame } from '../../src/frames/audio.ts';
import { HeartbeatFrame } from '../../src/frames/heartbeat.ts';
import { BotSpeakingFrame, UserSpeakingFrame } from '../../src/frames/interruption.ts';
import { TextFrame } from '../../src/frames/text.ts';
import type { PipelineTaskOptions } from '../../src/pipeline/pipeline-task-options.ts';
import { FrameFilter } from '../../src/processors/frame-filter.ts';
import type { FrameProcessor } from '../../src/processors/frame-processor.ts';
import { IdentityFilter } from '../../src/processors/identity-filter.ts';
import { passes, useFakeTime } from '../support/fake-time.ts';
import { startPipeline } from '../support/start-pipeline.ts';
import { Troublemaker } from './troublemakers.ts';

async function setup(options: PipelineTaskOptions, processors: FrameProcessor[] = [new IdentityFilter()]) {
  const pipeline = await startPipeline(processors, options);
  const idleTimeout = vi.fn();
  const heartbeatTimeout = vi.fn();
  pipeline.task.on('idleTimeout', idleTimeout);
  pipeline.task.on('heartbeatTimeout', heartbeatTimeout);
  return { ...pipeline, idleTimeout, heartbeatTimeout };
}

const noBeats = (): FrameProcessor => new Troublemaker('hangs', 'heartbeat');

describe('PipelineTask idle detection', () => {
  useFakeTime();

  it('cancels a run in which nobody speaks', async () => {
    const { run, task, idleTimeout } = await setup({ idleTimeoutMs: 1_000 });
    await passes(999);
    expect(task.hasFinished).toBe(false);
    await passes(2);
    expect(await run).toMatchObject({ reason: 'cancelled', frame: { reason: 'idle timeout' } });
    expect(idleTimeout).toHaveBeenCalledOnce();
    expect(vi.getTimerCount()).toBe(0);
  });

  it('only tells when asked not to cancel; a listener may end the run', async () => {
    const { run, task, idleTimeout } = await setup({ idleTimeoutMs: 1_000, cancelOnIdleTimeout: false });
    idleTimeout.mockImplementation(() => task.stopWhenDone());
    await passes(1_001);
    expect(await run).toMatchObject({ reason: 'ended' });
    expect(idleTimeout).toHaveBeenCalledOnce();
  });

  it('runs on past its time when it does not cancel, and tells again', async () => {
    const { run, task, idleTimeout } = await setup({ idleTimeoutMs: 1_000, cancelOnIdleTimeout: false });
    await passes(3_500);
    expect(task.hasFinished).toBe(false);
    expect(idleTimeout).toHaveBeenCalledTimes(3);
    task.cancel();
    await run;
  });

  it('is off when asked for', async () => {
    const { run, task } = await setup({ idleTimeoutMs: null });
    await passes(10_000_000);
    expect(task.hasFinished).toBe(false);
    task.cancel();
    await run;
  });

  it('waits five minutes by default', async () => {
    const { task, run } = await startPipeline([]);
    const untouched = new (
      task.constructor as typeof import('../../src/pipeline/pipeline-task.ts').PipelineTask
    )(new IdentityFilter());
    const untouchedRun = untouched.run();
    await passes(299_000);
    expect(untouched.hasFinished).toBe(false);
    await passes(1_001);
    expect(await untouchedRun).toMatchObject({ reason: 'cancelled' });
    task.cancel();
    await run;
  });

  it('is not held off by heartbeats', async () => {
    const { run, down } = await setup({ idleTimeoutMs: 1_000, heartbeats: { periodMs: 100 } });
    await passes(1_001);
    expect(await run).toMatchObject({ reason: 'cancelled' });
    expect(down.framesOf(HeartbeatFrame).length).toBeGreaterThanOrEqual(9);
  });

  it('lets a listener cancel', async () => {
    const { run, task, idleTimeout } = await setup({ idleTimeoutMs: 1_000, cancelOnIdleTimeout: false });
    idleTimeout.mockImplementation(() => task.cancel('nobody there'));
    await passes(1_001);
    expect(await run).toMatchObject({ reason: 'cancelled', frame: { reason: 'nobody there' } });
  });

  it('is not held off by the sound of a quiet user, and tells once while the run ends', async () => {
    const { run, task, idleTimeout } = await setup({ idleTimeoutMs: 1_000 });
    const sound = { audio: new Int16Array(160), sampleRate: 16_000, numChannels: 1 };
    for (let ms = 0; ms < 1_000; ms += 100) {
      task.queueFrame(new InputAudioRawFrame(sound));
      await passes(100);
    }
    await passes(1);
    expect(await run).toMatchObject({ reason: 'cancelled' });
    expect(idleTimeout).toHaveBeenCalledOnce();
  });

  it.each([new UserSpeakingFrame(), new BotSpeakingFrame()])('is held off by a %s', async (frame) => {
    const { run, task, idleTimeout } = await setup({ idleTimeoutMs: 1_000 });
    await passes(900);
    task.queueFrame(frame);
    await passes(900);
    expect(idleTimeout).not.toHaveBeenCalled();
    task.cancel();
    await run;
  });

  it('is held off by the classes it was given, and by no other', async () => {
    const { run, task, idleTimeout } = await setup({
      idleTimeoutMs: 1_000,
      cancelOnIdleTimeout: false,
      idleTimeoutFrames: [TextFrame],
    });
    await passes(900);
    task.queueFrame(new TextFrame('a'));
    await passes(900);
    expect(idleTimeout).not.toHaveBeenCalled();
    task.queueFrame(new UserSpeakingFrame());
    await passes(101);
    expect(idleTimeout).toHaveBeenCalledOnce();
    task.cancel();
    await run;
  });

  it('is held off by frames that never come out', async () => {
    const { run, task, idleTimeout, down } = await setup(
      { idleTimeoutMs: 1_000, idleTimeoutFrames: [TextFrame] },
      [new IdentityFilter(), new FrameFilter([])],
    );
    await passes(900);
    task.queueFrame(new TextFrame('swallowed'));
    await passes(900);
    expect(idleTimeout).not.toHaveBeenCalled();
    expect(down.framesOf(TextFrame)).toEqual([]);
    task.cancel();
    await run;
  });
});

describe('PipelineTask heartbeats', () => {
  useFakeTime();

  it('pass the pipeline, one in each period', async () => {
    const { run, task, down, heartbeatTimeout } = await setup({ heartbeats: { periodMs: 200 } });
    await passes(1_100);
    const times = down.framesOf(HeartbeatFrame).map(({ timestamp }) => timestamp);
    expect(times.length).toBeGreaterThanOrEqual(5);
    for (const [index, time] of times.slice(1).entries()) {
      expect(time - (times[index] ?? 0)).toBeGreaterThanOrEqual(200);
    }
    expect(heartbeatTimeout).not.toHaveBeenCalled();
    task.cancel();
    await run;
    expect(vi.getTimerCount()).toBe(0);
  });

  it('are off by default', async () => {
    const { run, task, down } = await setup({});
    await passes(20_000);
    expect(down.framesOf(HeartbeatFrame)).toEqual([]);
    task.cancel();
    await run;
  });

  it('are missed when something keeps them, again and again', async () => {
    const { run, task, heartbeatTimeout } = await setup({ heartbeats: { periodMs: 100, timeoutMs: 1_000 } }, [
      noBeats(),
    ]);
    await passes(999);
    expect(heartbeatTimeout).not.toHaveBeenCalled();
    await passes(1);
    expect(heartbeatTimeout).toHaveBeenCalledExactlyOnceWith(1_000);
    await passes(2_000);
    expect(heartbeatTimeout).toHaveBeenCalledTimes(3);
    task.cancel();
    await run;
  });

  it('are missed after ten seconds by default', async () => {
    const { run, task, heartbeatTimeout } = await setup({ heartbeats: true }, [noBeats()]);
    await passes(9_999);
    expect(heartbeatTimeout).not.toHaveBeenCalled();
    await passes(1);
    expect(heartbeatTimeout).toHaveBeenCalledExactlyOnceWith(10_000);
    task.cancel();
    await run;
  });

  it('that are missed are logged with the time they had', async () => {
    const warn = vi.fn();
    const logger = { debug: () => {}, info: () => {}, warn, error: () => {} };
    const { run, task } = await setup({ logger, heartbeats: { periodMs: 100, timeoutMs: 700 } }, [noBeats()]);
    await passes(700);
    expect(warn).toHaveBeenCalledWith({ timeoutMs: 700 }, expect.any(String));
    task.cancel();
    await run;
  });
});
