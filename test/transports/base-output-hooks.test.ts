import { describe, expect, it, onTestFinished } from 'vitest';
import type { OutputAudioRawFrame } from '../../src/frames/audio.ts';
import { type KeypadEntry, OutputDTMFFrame, OutputDTMFUrgentFrame } from '../../src/frames/dtmf.ts';
import { ErrorFrame } from '../../src/frames/error-frame.ts';
import { InterruptionTaskFrame } from '../../src/frames/interruption.ts';
import { EndFrame, StopFrame } from '../../src/frames/lifecycle.ts';
import { OutputTransportMessageFrame } from '../../src/frames/messages.ts';
import { silentLogger } from '../../src/lib/logger.ts';
import { Pipeline } from '../../src/pipeline/pipeline.ts';
import { PipelineTask } from '../../src/pipeline/pipeline-task.ts';
import { FrameRecorder } from '../../src/testing/run-test.ts';
import { BaseOutputTransport, type OutputMessage } from '../../src/transports/base-output.ts';
import { resolveParams } from '../../src/transports/transport-params.ts';
import { passes, useFakeTime } from '../support/fake-time.ts';
import { namesOf, sampleRate, sound } from './call-setup.ts';

/** Writes down what it is asked to do; each chunk is played when the test says so. */
class ScriptedOutput extends BaseOutputTransport {
  readonly calls: string[] = [];
  /** What the next writes do; by default they play at once. */
  write: () => Promise<boolean> = async () => true;
  send: () => Promise<void> = async () => {};
  clear: () => void | Promise<void> = () => {};
  playOut: () => Promise<void> = async () => {};
  goodbye: () => Promise<void> = async () => {};
  press: () => Promise<void> = async () => {};

  protected override writeAudioFrame(_chunk: OutputAudioRawFrame): Promise<boolean> {
    this.calls.push('write');
    return this.write();
  }

  protected override clearAudio(): void | Promise<void> {
    this.calls.push('clear');
    return this.clear();
  }

  protected override async waitForPlayout(): Promise<void> {
    this.calls.push('playout');
    await this.playOut();
  }

  protected override async leave(): Promise<void> {
    this.calls.push('leave');
    await this.goodbye();
  }

  protected override sendMessage({ message }: OutputMessage): Promise<void> {
    this.calls.push(`message ${message}`);
    return this.send();
  }

  protected override async sendDTMF(key: KeypadEntry): Promise<void> {
    this.calls.push(`key ${key}`);
    await this.press();
  }
}

interface Run {
  readonly output: ScriptedOutput;
  readonly task: PipelineTask;
  readonly behind: FrameRecorder;
  readonly errors: ErrorFrame[];
  readonly result: ReturnType<PipelineTask['run']>;
}

async function run(params = {}, taskOptions = {}): Promise<Run> {
  const output = new ScriptedOutput(resolveParams({ audioOutEnabled: true, ...params }));
  const behind = new FrameRecorder({ direction: 'downstream' });
  const before = new FrameRecorder({ direction: 'upstream' });
  const task = new PipelineTask(new Pipeline([before, output, behind]), {
    audioOutSampleRate: sampleRate,
    logger: silentLogger,
    ...taskOptions,
  });
  const errors: ErrorFrame[] = [];
  task.on('error', (error) => {
    if (error instanceof ErrorFrame) errors.push(error);
  });
  const started = new Promise<void>((resolve) => task.once('started', resolve));
  const result = task.run();
  onTestFinished(async () => {
    task.cancel();
    await result;
  });
  await started;
  return { output, task, behind, errors, result };
}

describe('BaseOutputTransport, asking its media server', () => {
  useFakeTime();

  it('leaves after an EndFrame when all was played', async () => {
    const { output, task, result } = await run();
    task.queueFrames([sound(80), new EndFrame()]);
    await result;
    expect(output.calls).toEqual(['write', 'write', 'playout', 'leave', 'leave']);
  });

  it('does not leave after a StopFrame', async () => {
    const { output, task, result } = await run();
    task.queueFrames([sound(40), new StopFrame()]);
    await result;
    expect(output.calls).toEqual(['write', 'playout']);
  });

  it('clears and leaves at once after a CancelFrame', async () => {
    const { output, task, result } = await run();
    output.write = () => new Promise(() => {});
    task.queueFrame(sound(400));
    await passes(0);
    task.cancel();
    await result;
    expect(output.calls).toEqual(['write', 'clear', 'leave', 'leave']);
  });

  it('clears again when a chunk got past the clearing', async () => {
    const { output, task, behind } = await run();
    let played = (): void => {};
    output.write = () =>
      new Promise((resolve) => {
        played = () => resolve(true);
      });
    task.queueFrame(sound(80));
    await passes(0);
    task.queueFrame(new InterruptionTaskFrame(), 'upstream');
    await passes(0);
    expect(output.calls).toEqual(['write', 'clear']);
    played();
    await passes(0);
    expect(output.calls).toEqual(['write', 'clear', 'clear']);
    expect(namesOf(behind.frames)).toEqual(['InterruptionFrame']);
  });

  it.each([
    [
      'throws',
      () => {
        throw new Error('cannot clear');
      },
    ],
    ['rejects', () => Promise.reject(new Error('cannot clear'))],
  ])('passes an interruption on and plays what follows when clearing %s', async (_how, clear) => {
    const { output, task, behind, errors } = await run();
    let played = (): void => {};
    output.write = () =>
      new Promise((resolve) => {
        played = () => resolve(true);
      });
    output.clear = clear;
    task.queueFrame(sound(80));
    await passes(0);
    task.queueFrame(new InterruptionTaskFrame(), 'upstream');
    await passes(0);
    output.write = async () => true;
    played();
    task.queueFrame(sound(40));
    await passes(0);
    expect(namesOf(behind.frames)).toEqual(['InterruptionFrame', 'OutputAudioRawFrame']);
    expect(errors.map(({ error }) => error)).toEqual(['cannot clear', 'cannot clear']);
  });

  it('ends a cancelled run when neither clearing nor leaving works', async () => {
    const { output, task, result } = await run();
    output.clear = () => {
      throw new Error('cannot clear');
    };
    output.goodbye = async () => {
      throw new Error('cannot leave');
    };
    task.cancel();
    expect(await result).toMatchObject({ reason: 'cancelled', forced: false });
    expect(output.calls).toEqual(['clear', 'leave', 'leave']);
  });

  it('ends when neither playing out nor leaving works', async () => {
    const { output, task, errors, result } = await run();
    output.playOut = () => Promise.reject(new Error('cannot hear'));
    output.goodbye = () => Promise.reject(new Error('cannot leave'));
    task.queueFrames([sound(40), new EndFrame()]);
    expect(await result).toMatchObject({ reason: 'ended', forced: false });
    expect(output.calls).toEqual(['write', 'playout', 'leave', 'leave']);
    expect(errors.map(({ error }) => error).slice(0, 2)).toEqual(['cannot hear', 'cannot leave']);
  });

  it('passes on only what was played', async () => {
    const { output, task, behind } = await run();
    output.write = async () => false;
    task.queueFrame(sound(80));
    await passes(0);
    expect(namesOf(behind.frames)).toEqual([]);
  });

  it('reports a row of failing writes once, and goes on', async () => {
    const { output, task, errors, result } = await run();
    output.write = async () => {
      throw new Error('no speaker');
    };
    task.queueFrame(sound(120));
    await passes(0);
    output.write = async () => true;
    task.queueFrame(sound(40));
    await passes(0);
    output.write = async () => {
      throw new Error('no speaker again');
    };
    task.queueFrames([sound(80), new EndFrame()]);
    expect(await result).toMatchObject({ reason: 'ended', forced: false });
    expect(errors.map(({ error }) => error)).toEqual(['no speaker', 'no speaker again']);
  });

  it('takes silence at the end for progress', async () => {
    const { output, task, result } = await run({ endSilenceMs: 2_000 }, { endStallTimeoutMs: 200 });
    output.write = () => new Promise((resolve) => setTimeout(resolve, 40, true));
    task.queueFrame(new EndFrame());
    await passes(2_000);
    expect(await result).toMatchObject({ reason: 'ended', forced: false });
    expect(output.calls.filter((call) => call === 'write')).toHaveLength(50);
  });

  it('is forced when a write never returns and the stall limit passes', async () => {
    const { output, task, result } = await run({}, { endStallTimeoutMs: 200 });
    output.write = () => new Promise(() => {});
    task.queueFrames([sound(40), new EndFrame()]);
    await passes(400);
    expect(await result).toMatchObject({ reason: 'ended', forced: true });
    expect(output.calls).toContain('leave');
  });

  it('presses keys in their turn, urgent ones at once', async () => {
    const { output, task } = await run();
    output.write = () => new Promise((resolve) => setTimeout(resolve, 40, true));
    const urgent = OutputDTMFUrgentFrame.fromString('*1');
    task.queueFrames([sound(140), OutputDTMFFrame.fromString('2'), urgent]);
    await passes(1_000);
    expect(output.calls.filter((call) => call.startsWith('key'))).toEqual(['key *', 'key 1', 'key 2']);
    expect(output.calls.indexOf('key 1')).toBeLessThan(output.calls.lastIndexOf('write'));
  });

  /** When keys are pressed, in milliseconds. */
  function watchKeys(output: ScriptedOutput): number[] {
    const startMs = performance.now();
    const atMs: number[] = [];
    output.press = async () => void atMs.push(performance.now() - startMs);
    return atMs;
  }

  it('leaves time between keys, also between those of different frames', async () => {
    const { output, task } = await run();
    const atMs = watchKeys(output);
    task.queueFrames([OutputDTMFFrame.fromString('12'), OutputDTMFFrame.fromString('3')]);
    await passes(50);
    task.queueFrame(OutputDTMFUrgentFrame.fromString('4'));
    await passes(1_000);
    expect(atMs).toEqual([0, 100, 200, 300]);
    // urgent ones are before those of the next frame, not among those of one
    expect(output.calls).toEqual(['key 1', 'key 2', 'key 4', 'key 3']);
    await passes(10_000);
    task.queueFrame(OutputDTMFFrame.fromString('5'));
    await passes(0);
    expect(output.calls.at(-1)).toBe('key 5');
  });

  it.each([
    [250, [0, 250]],
    [0, [0, 0]],
  ])('leaves as much time as it is told to: %d ms', async (dtmfIntervalMs, expected) => {
    const { output, task } = await run({ dtmfIntervalMs });
    const atMs = watchKeys(output);
    task.queueFrame(OutputDTMFFrame.fromString('12'));
    await passes(1_000);
    expect(atMs).toEqual(expected);
  });

  it('presses all keys before it leaves, also urgent ones, however long that takes', async () => {
    const { output, task, result } = await run({ dtmfIntervalMs: 300 }, { endStallTimeoutMs: 400 });
    task.queueFrames([OutputDTMFUrgentFrame.fromString('1234'), new EndFrame()]);
    await passes(2_000);
    expect(await result).toMatchObject({ reason: 'ended', forced: false });
    const calls = output.calls.filter((call) => call !== 'playout');
    expect(calls).toEqual(['key 1', 'key 2', 'key 3', 'key 4', 'leave', 'leave']);
  });

  it('presses no more keys when it is cancelled', async () => {
    const { output, task, result } = await run();
    task.queueFrame(OutputDTMFFrame.fromString('123'));
    await passes(50);
    task.cancel();
    await result;
    await passes(1_000);
    expect(output.calls.filter((call) => call.startsWith('key'))).toEqual(['key 1']);
  });

  it('goes on with the next keys when one could not be pressed', async () => {
    const { output, task, errors } = await run();
    output.press = async () => {
      output.press = async () => {};
      throw new Error('no line');
    };
    task.queueFrames([OutputDTMFFrame.fromString('12'), OutputDTMFFrame.fromString('3')]);
    await passes(1_000);
    expect(errors.map(({ error }) => error)).toEqual(['no line']);
    expect(output.calls).toEqual(['key 1', 'key 3']);
  });

  it('reports a message that could not be sent, and goes on', async () => {
    const { output, task, errors, behind } = await run();
    output.send = async () => {
      throw new Error('no room');
    };
    task.queueFrames([new OutputTransportMessageFrame('hello'), sound(40)]);
    await passes(0);
    expect(errors.map(({ error }) => error)).toEqual(['no room']);
    expect(namesOf(behind.frames)).toEqual(['OutputTransportMessageFrame', 'OutputAudioRawFrame']);
  });
});
