import { describe, expect, it } from 'vitest';
import { OutputAudioRawFrame, TTSAudioRawFrame } from '../../../src/frames/audio.ts';
import type { ErrorFrame } from '../../../src/frames/error-frame.ts';
import { InterruptionTaskFrame } from '../../../src/frames/interruption.ts';
import { EndFrame, StopFrame } from '../../../src/frames/lifecycle.ts';
import {
  type MixerControlFrame,
  MixerEnableFrame,
  MixerUpdateSettingsFrame,
} from '../../../src/frames/mixer.ts';
import {
  BotStartedSpeakingFrame,
  BotStoppedSpeakingFrame,
  TTSStoppedFrame,
} from '../../../src/frames/speaking.ts';
import { TextFrame } from '../../../src/frames/text.ts';
import { MemoryTransport } from '../../../src/testing/memory-transport.ts';
import type { AudioMixer } from '../../../src/transports/audio-mixer.ts';
import { passes, useFakeTime } from '../../support/fake-time.ts';
import {
  Clings,
  heardSamples,
  namesOf,
  sampleRate,
  sound,
  speech,
  startCall,
  type TalkOptions,
  type TestCall,
} from '../call-setup.ts';

/** Adds one number to every sample, so that what is mixed, and what is not, is seen. */
class Hum implements AudioMixer {
  readonly calls: string[] = [];
  loudness = 1_000;
  #isOn = true;

  async start(rate: number): Promise<void> {
    this.calls.push(`start ${rate}`);
  }

  async stop(): Promise<void> {
    this.calls.push('stop');
  }

  async processFrame(frame: MixerControlFrame): Promise<void> {
    this.calls.push(frame.constructor.name);
    if (frame instanceof MixerEnableFrame) this.#isOn = frame.enable;
    if (frame instanceof MixerUpdateSettingsFrame) this.loudness = frame.settings.loudness as number;
  }

  mix(audio: Int16Array): Int16Array | Promise<Int16Array> {
    return this.#isOn ? audio.map((sample) => sample + this.loudness) : audio;
  }
}

const paramsOf = (mixer: AudioMixer): object => ({ audioOutEnabled: true, audioOutMixer: mixer });

async function talkOver(
  mixer: AudioMixer,
  options: TalkOptions & { paced?: boolean } = {},
): Promise<TestCall> {
  const { paced = true, ...taskOptions } = options;
  return startCall({ params: paramsOf(mixer), paced }, taskOptions);
}

/** The first sample of each chunk: 1000 where nothing but the hum was heard. */
function hum({ transport }: TestCall): number[] {
  return transport.played.map(({ audio }) => audio[0] ?? 0);
}

const failures = (bot: TestCall): string[] => {
  const errors: string[] = [];
  bot.task.on('error', (frame) => void errors.push((frame as ErrorFrame).error));
  return errors;
};

describe('an AudioMixer', () => {
  useFakeTime();

  it('is started at the rate of the output, once per run', async () => {
    const mixer = new Hum();
    const transport = new MemoryTransport({ params: paramsOf(mixer) });
    for (const Last of [StopFrame, EndFrame]) {
      const bot = await startCall({}, { transport });
      bot.says(new Last());
      await passes(40);
      await bot.result;
    }
    const run = [`start ${sampleRate}`, 'stop'];
    expect(mixer.calls).toEqual([...run, ...run]);
  });

  it('is heard while the bot says nothing, in real time and without a gap', async () => {
    const bot = await talkOver(new Hum());
    await passes(400);
    expect(hum(bot)).toEqual(new Array(10).fill(1_000));
    expect(bot.transport.playedMs).toBe(400);
  });

  it('is heard in what the bot says, which goes on downstream as it was heard', async () => {
    const bot = await talkOver(new Hum());
    await passes(80);
    bot.says(sound(80, 0));
    await passes(160);
    const [first] = bot.behind.framesOf(OutputAudioRawFrame);
    expect([...(first?.audio.subarray(0, 3) ?? [])]).toEqual([1_000, 1_001, 1_002]);
    expect(bot.behind.framesOf(OutputAudioRawFrame)).toHaveLength(2);
    expect(hum(bot)).toEqual([1_000, 1_000, 1_000, 1_000, 1_640, 1_000]);
  });

  it('alone is no speech of the bot, and nothing that goes on downstream', async () => {
    const bot = await talkOver(new Hum());
    await passes(10_000);
    expect(namesOf(bot.behind.frames)).toEqual([]);
    expect(bot.inside.framesOf(BotStartedSpeakingFrame)).toEqual([]);
  });

  it('lets speech end as it does without one', async () => {
    const bot = await talkOver(new Hum());
    await passes(60);
    bot.says(speech(40));
    // it waits for the piece that is being played
    await passes(60 + 2_999);
    expect(bot.behind.framesOf(BotStoppedSpeakingFrame)).toEqual([]);
    await passes(1);
    expect(bot.behind.framesOf(BotStoppedSpeakingFrame)).toHaveLength(1);
  });

  it('holds up no frame that waits for nothing', async () => {
    const bot = await talkOver(new Hum());
    await passes(10);
    bot.says(new TextFrame('now'));
    await passes(0);
    expect(namesOf(bot.behind.frames)).toEqual(['TextFrame']);
  });

  it('is given its orders at once, and they go no further', async () => {
    const mixer = new Hum();
    const bot = await talkOver(mixer);
    await passes(80);
    bot.says(new MixerUpdateSettingsFrame({ loudness: 7 }));
    await passes(80);
    bot.says(new MixerEnableFrame(false));
    await passes(80);
    expect(hum(bot)).toEqual([1_000, 1_000, 1_000, 7, 7, 0]);
    expect(namesOf(bot.behind.frames)).toEqual([]);
  });

  it('goes on when the bot is interrupted, whose words are forgotten', async () => {
    const mixer = new Hum();
    const bot = await talkOver(mixer);
    bot.says(speech(1_000), new TextFrame('never'));
    await passes(120);
    const before = bot.transport.played.length;
    bot.task.queueFrame(new InterruptionTaskFrame(), 'upstream');
    await passes(400);
    expect(hum(bot).slice(before)).toEqual(new Array(10).fill(1_000));
    expect(namesOf(bot.behind.frames).slice(-2)).toEqual(['InterruptionFrame', 'BotStoppedSpeakingFrame']);
    expect(mixer.calls).toEqual([`start ${sampleRate}`]);
  });

  it('is written again at once where an interruption made a media server forget it', async () => {
    const bot = await talkOver(new Hum(), { paced: false });
    await passes(60);
    const before = bot.transport.played.length;
    bot.task.queueFrame(new InterruptionTaskFrame(), 'upstream');
    await passes(0);
    // one to be heard now, and the one that is always ahead
    expect(bot.transport.played.length - before).toBe(2);
  });

  it('keeps no EndFrame waiting: what was said is played, then it stops', async () => {
    const mixer = new Hum();
    const bot = await talkOver(mixer);
    bot.says(speech(100), new EndFrame());
    await passes(160);
    expect(await bot.result).toMatchObject({ reason: 'ended', forced: false });
    expect(mixer.calls.at(-1)).toBe('stop');
    expect(bot.behind.framesOf(TTSAudioRawFrame)).toHaveLength(3);
    const played = bot.transport.played.length;
    await passes(1_000);
    expect(bot.transport.played).toHaveLength(played);
  });

  it('is no progress: an EndFrame that is stuck elsewhere is forced all the same', async () => {
    const between = [new Clings()];
    const bot = await talkOver(new Hum(), { endStallTimeoutMs: 200, between });
    bot.says(new EndFrame());
    await passes(1_000);
    expect(await bot.result).toMatchObject({ reason: 'ended', forced: true });
  });

  it('leaves the event loop alone where playing takes no time', async () => {
    const bot = await talkOver(new Hum(), { paced: false });
    await passes(400);
    // a piece ahead of the clock
    expect(bot.transport.playedMs).toBeLessThanOrEqual(480);
    expect(bot.transport.playedMs).toBeGreaterThanOrEqual(400);
  });

  it('is left out and reported where it cannot be started', async () => {
    const mixer = new Hum();
    mixer.start = () => Promise.reject(new Error('no such file'));
    const transport = new MemoryTransport({ params: paramsOf(mixer) });
    const bot = await startCall({}, { transport });
    const errors = failures(bot);
    bot.says(sound(80), new EndFrame());
    await passes(80);
    expect(await bot.result).toMatchObject({ reason: 'ended', forced: false });
    expect(heardSamples(bot).slice(0, 3)).toEqual([0, 1, 2]);
    expect(transport.playedMs).toBe(80);
    expect(errors).toEqual(['no such file']);
  });

  it('that fails is reported once for a row, and the bot is heard without it', async () => {
    const mixer = new Hum();
    const bot = await talkOver(mixer);
    const errors = failures(bot);
    mixer.mix = () => {
      throw new Error('out of tune');
    };
    bot.says(sound(400), new TTSStoppedFrame());
    await passes(480);
    expect(errors).toEqual(['out of tune']);
    expect(bot.behind.framesOf(OutputAudioRawFrame)).toHaveLength(10);
  });

  it('that never stops does not keep the bot', async () => {
    const mixer = new Hum();
    mixer.stop = () => new Promise(() => {});
    const bot = await talkOver(mixer);
    bot.says(new EndFrame());
    await passes(2_000);
    expect(await bot.result).toMatchObject({ reason: 'ended', forced: false });
  });

  it('falls silent at once after a CancelFrame', async () => {
    const mixer = new Hum();
    const bot = await talkOver(mixer);
    await passes(100);
    bot.task.cancel();
    await passes(0);
    expect(await bot.result).toMatchObject({ reason: 'cancelled', forced: false });
    expect(mixer.calls.at(-1)).toBe('stop');
    await passes(1_000);
    expect(bot.transport.playedMs).toBe(80);
  });
});
