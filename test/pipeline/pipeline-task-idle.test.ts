import { describe, expect, it, vi } from 'vitest';
import { InputAudioRawFrame, OutputAudioRawFrame, TTSAudioRawFrame } from '../../src/frames/audio.ts';
import { InputDTMFFrame } from '../../src/frames/dtmf.ts';
import type { Frame, FrameDirection } from '../../src/frames/frame.ts';
import {
  FunctionCallCancelFrame,
  FunctionCallInProgressFrame,
  FunctionCallResultFrame,
} from '../../src/frames/function-calls.ts';
import { EndFrame, EndTaskFrame, isTerminalFrame, StopFrame } from '../../src/frames/lifecycle.ts';
import { HeartbeatFrame } from '../../src/frames/probes.ts';
import {
  BotSpeakingFrame,
  UserSpeakingFrame,
  UserStartedSpeakingFrame,
  UserStoppedSpeakingFrame,
  VADUserStartedSpeakingFrame,
} from '../../src/frames/speaking.ts';
import {
  InputTextRawFrame,
  InterimTranscriptionFrame,
  TextFrame,
  TranscriptionFrame,
} from '../../src/frames/text.ts';
import type { PipelineTaskOptions } from '../../src/pipeline/pipeline-task-options.ts';
import { FrameFilter } from '../../src/processors/frame-filter.ts';
import { FrameProcessor } from '../../src/processors/frame-processor.ts';
import { FunctionFilter } from '../../src/processors/function-filter.ts';
import { IdentityFilter } from '../../src/processors/identity-filter.ts';
import { MemoryTransport } from '../../src/testing/memory-transport.ts';
import { passes, useFakeTime } from '../support/fake-time.ts';
import { startPipeline } from '../support/start-pipeline.ts';
import { FaultyProcessor } from './faults.ts';

async function setup(options: PipelineTaskOptions, processors: FrameProcessor[] = [new IdentityFilter()]) {
  const pipeline = await startPipeline(processors, options);
  const idleTimeout = vi.fn();
  const heartbeatTimeout = vi.fn();
  pipeline.task.on('idleTimeout', idleTimeout);
  pipeline.task.on('heartbeatTimeout', heartbeatTimeout);
  return { ...pipeline, idleTimeout, heartbeatTimeout };
}

const noBeats = (): FrameProcessor => new FaultyProcessor('hangs', 'heartbeat');

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

  const sound = { audio: new Int16Array(480), sampleRate: 24_000, numChannels: 1 };
  const call = { functionName: 'weather', toolCallId: 'call-1', arguments: {} };

  it.each([
    new OutputAudioRawFrame(sound),
    new TTSAudioRawFrame(sound),
    new TranscriptionFrame('hello'),
    new InterimTranscriptionFrame('hel'),
    new InputTextRawFrame('hello'),
    new InputDTMFFrame('1'),
    new VADUserStartedSpeakingFrame(),
    new UserStoppedSpeakingFrame(),
    new FunctionCallResultFrame({ ...call, result: 'fine' }),
  ])('is held off by a %s, also where it is swallowed', async (frame) => {
    const { run, task, idleTimeout } = await setup({ idleTimeoutMs: 1_000 }, [
      new IdentityFilter(),
      new FunctionFilter((one) => one !== frame, { filterSystemFrames: true }),
    ]);
    await passes(900);
    task.queueFrame(frame);
    await passes(999);
    expect(idleTimeout).not.toHaveBeenCalled();
    await passes(2);
    expect(idleTimeout).toHaveBeenCalledOnce();
    task.cancel();
    await run;
  });

  it.each<[string, Frame, Frame]>([
    ["a user's turn", new UserStartedSpeakingFrame(), new UserStoppedSpeakingFrame()],
    [
      'a function call that is answered',
      new FunctionCallInProgressFrame(call),
      new FunctionCallResultFrame({ ...call, result: 'fine' }),
    ],
    [
      'a function call that is given up',
      new FunctionCallInProgressFrame(call),
      new FunctionCallCancelFrame(call),
    ],
  ])('is held off for as long as %s lasts', async (_what, begins, ends) => {
    const { run, task, idleTimeout } = await setup({ idleTimeoutMs: 1_000 });
    task.queueFrame(begins);
    await passes(60_000);
    task.queueFrame(ends);
    await passes(999);
    expect(idleTimeout).not.toHaveBeenCalled();
    await passes(2);
    expect(idleTimeout).toHaveBeenCalledOnce();
    await run;
  });

  it('is held off while one of several function calls runs', async () => {
    const other = { ...call, toolCallId: 'call-2' };
    const { run, task, idleTimeout } = await setup({ idleTimeoutMs: 1_000 });
    for (const one of [call, other]) task.queueFrame(new FunctionCallInProgressFrame(one));
    await passes(5_000);
    task.queueFrame(new FunctionCallResultFrame({ ...call, result: 'fine' }));
    await passes(5_000);
    expect(idleTimeout).not.toHaveBeenCalled();
    task.queueFrame(new FunctionCallResultFrame({ ...other, result: 'fine' }));
    await passes(1_001);
    expect(await run).toMatchObject({ reason: 'cancelled' });
  });

  it('counts a turn as over although a slow processor passes its beginning on afterwards', async () => {
    const slow = new (class extends FrameProcessor {
      protected override async process(frame: Frame, direction: FrameDirection): Promise<void> {
        if (frame instanceof UserStartedSpeakingFrame) await new Promise((done) => setTimeout(done, 500));
        // a turn that is over is of no interest behind it
        if (!(frame instanceof UserStoppedSpeakingFrame)) this.push(frame, direction);
      }
    })();
    const { run, task } = await setup({ idleTimeoutMs: 1_000 }, [slow]);
    task.queueFrames([new UserStartedSpeakingFrame(), new UserStoppedSpeakingFrame()]);
    await passes(500);
    await passes(1_001);
    expect(await run).toMatchObject({ reason: 'cancelled' });
  });

  it('takes what has begun an hour ago and never ended for forgotten', async () => {
    const { run, task } = await setup({ idleTimeoutMs: 300_000 });
    task.queueFrame(new FunctionCallInProgressFrame(call));
    await passes(3_599_000);
    expect(task.hasFinished).toBe(false);
    await passes(300_000);
    expect(await run).toMatchObject({ reason: 'cancelled', frame: { reason: 'idle timeout' } });
  });

  it('is held off while recorded sound is played', async () => {
    const { input, output } = { input: new IdentityFilter(), output: new MemoryTransport().output() };
    const { run, task, idleTimeout } = await setup({ idleTimeoutMs: 500 }, [input, output]);
    task.queueFrame(new OutputAudioRawFrame({ ...sound, audio: new Int16Array(48_000) }));
    for (let ms = 0; ms < 2_000; ms += 10) await passes(10);
    expect(idleTimeout).not.toHaveBeenCalled();
    for (let ms = 0; ms < 600; ms += 10) await passes(10);
    expect(await run).toMatchObject({ reason: 'cancelled' });
  });

  it.each([
    ['EndFrame', () => new EndFrame(), 'ended'],
    ['StopFrame', () => new StopFrame(), 'stopped'],
  ] as const)('does not apply any more once an %s is under way', async (_name, make, reason) => {
    const saves = new (class extends FrameProcessor {
      protected override async process(frame: Frame, direction: FrameDirection): Promise<void> {
        if (isTerminalFrame(frame)) await new Promise((done) => setTimeout(done, 5_000));
        this.push(frame, direction);
      }
    })();
    const { run, task, idleTimeout } = await setup({ idleTimeoutMs: 1_000 }, [saves]);
    task.queueFrame(make());
    await passes(5_001);
    expect(await run).toMatchObject({ reason, forced: false });
    expect(idleTimeout).not.toHaveBeenCalled();
  });

  it('does not apply to an end that a processor has asked for', async () => {
    const asks = new (class extends FrameProcessor {
      protected override async process(frame: Frame, direction: FrameDirection): Promise<void> {
        if (frame instanceof TextFrame) this.push(new EndTaskFrame(), 'upstream');
        if (frame instanceof EndFrame) await new Promise((done) => setTimeout(done, 5_000));
        this.push(frame, direction);
      }
    })();
    const { run, task } = await setup({ idleTimeoutMs: 1_000 }, [asks]);
    task.queueFrame(new TextFrame('bye'));
    await passes(5_001);
    expect(await run).toMatchObject({ reason: 'ended', forced: false });
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

  it('are neither sent nor missed while the run ends', async () => {
    const slowEnd = new (class extends FrameProcessor {
      protected override async process(frame: Frame, direction: FrameDirection): Promise<void> {
        if (frame instanceof EndFrame) await new Promise((done) => setTimeout(done, 5_000));
        this.push(frame, direction);
      }
    })();
    const { run, task, down, heartbeatTimeout } = await setup(
      { heartbeats: { periodMs: 100, timeoutMs: 1_000 } },
      [slowEnd],
    );
    await passes(500);
    const before = down.framesOf(HeartbeatFrame).length;
    task.stopWhenDone();
    await passes(5_000);
    expect(await run).toMatchObject({ reason: 'ended' });
    expect(heartbeatTimeout).not.toHaveBeenCalled();
    expect(down.framesOf(HeartbeatFrame)).toHaveLength(before);
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
