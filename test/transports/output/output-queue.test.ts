import { describe, expect, it } from 'vitest';
import { LinearResampler } from '../../../src/audio/resampler.ts';
import { OutputAudioRawFrame } from '../../../src/frames/audio.ts';
import { InterruptionTaskFrame } from '../../../src/frames/interruption.ts';
import { EndFrame } from '../../../src/frames/lifecycle.ts';
import { TTSStoppedFrame } from '../../../src/frames/speaking.ts';
import { TextFrame } from '../../../src/frames/text.ts';
import { passes, useFakeTime } from '../../support/fake-time.ts';
import { heardSamples, namesOf, ramp, sampleRate, sound, startCall } from '../call-setup.ts';

describe('BaseOutputTransport, given sound that is long', () => {
  it('gives way to other work while it prepares it', async () => {
    const bot = await startCall({ paced: false });
    const audio = new Int16Array(8_000 * 120);
    let turns = 0;
    const count = (): void => {
      turns += 1;
      if (!bot.task.hasFinished) setImmediate(count);
    };
    count();
    bot.says(new OutputAudioRawFrame({ audio, sampleRate: 8_000, numChannels: 1 }), new EndFrame());
    expect(await bot.result).toMatchObject({ reason: 'ended', forced: false });
    expect(bot.transport.playedMs).toBe(120_000);
    expect(turns).toBeGreaterThan(120);
  });

  describe('in virtual time', () => {
    useFakeTime();

    it('plays it whole, in order with what is behind it, and before it ends', async () => {
      const bot = await startCall({ paced: false });
      bot.says(sound(3_500), new TextFrame('behind'), sound(40, 7), new TTSStoppedFrame(), new EndFrame());
      await passes(1_000);
      expect(await bot.result).toMatchObject({ reason: 'ended', forced: false });
      const heard = heardSamples(bot);
      expect(heard.slice(0, 16 * 3_500)).toEqual([...ramp(3_500)]);
      expect(heard.slice(16 * 3_500, 16 * 3_540)).toEqual([...ramp(40, 7)]);
      const names = namesOf(bot.behind.frames).filter((name) => name !== 'OutputAudioRawFrame');
      expect(names).toEqual(['TextFrame', 'TTSStoppedFrame', 'EndFrame']);
    });

    it('brings it to another rate as if it were in one piece', async () => {
      const bot = await startCall({ paced: false });
      const audio = ramp(2_500, 0, 8_000);
      bot.says(new OutputAudioRawFrame({ audio, sampleRate: 8_000, numChannels: 1 }), new TTSStoppedFrame());
      await passes(1_000);
      const whole = new LinearResampler(8_000, sampleRate, 1).push(audio);
      expect(heardSamples(bot).slice(0, whole.length)).toEqual([...whole]);
    });

    it('forgets the rest of it at an interruption, but not what must not be interrupted', async () => {
      const bot = await startCall();
      const important = sound(80, 5_000);
      important.uninterruptible = true;
      bot.says(sound(60_000), important);
      await passes(100);
      bot.task.queueFrame(new InterruptionTaskFrame(), 'upstream');
      await passes(1_000);
      expect(heardSamples(bot)).toEqual([...ramp(80), ...ramp(80, 5_000)]);
    });
  });
});
