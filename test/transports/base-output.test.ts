import { describe, expect, it, vi } from 'vitest';
import { OutputAudioRawFrame, TTSAudioRawFrame } from '../../src/frames/audio.ts';
import { OutputImageRawFrame } from '../../src/frames/images.ts';
import { InterruptionFrame, InterruptionTaskFrame } from '../../src/frames/interruption.ts';
import { EndFrame, StopFrame } from '../../src/frames/lifecycle.ts';
import { OutputTransportMessageFrame, OutputTransportMessageUrgentFrame } from '../../src/frames/messages.ts';
import { PipelineFlushFrame } from '../../src/frames/probes.ts';
import {
  BotSpeakingFrame,
  BotStartedSpeakingFrame,
  BotStoppedSpeakingFrame,
  TTSStoppedFrame,
} from '../../src/frames/speaking.ts';
import { TextFrame } from '../../src/frames/text.ts';
import { silentLogger } from '../../src/lib/logger.ts';
import { MemoryTransport } from '../../src/testing/memory-transport.ts';
import { passes, useFakeTime } from '../support/fake-time.ts';
import { heardSamples, namesOf, ramp, sampleRate, sound, speech, startCall } from './call-setup.ts';

describe('BaseOutputTransport, playing', () => {
  useFakeTime();

  it('plays sound in chunks of 40 ms, in real time, and passes each on when it was played', async () => {
    const bot = await startCall();
    bot.says(sound(120));
    await passes(39);
    expect(bot.behind.framesOf(OutputAudioRawFrame)).toEqual([]);
    await passes(1);
    expect(bot.behind.framesOf(OutputAudioRawFrame).map((frame) => frame.durationMs)).toEqual([40]);
    await passes(80);
    expect(heardSamples(bot)).toEqual([...ramp(120)]);
  });

  it('joins pieces of any size without a gap', async () => {
    const bot = await startCall({ paced: false });
    bot.says(sound(25), sound(7, 400), sound(48, 512));
    await passes(0);
    expect(heardSamples(bot)).toEqual([...ramp(80)]);
  });

  it('keeps frames behind the sound that they were pushed behind', async () => {
    const bot = await startCall();
    bot.says(sound(80), new TextFrame('after'), sound(40), new TextFrame('last'));
    await passes(79);
    expect(namesOf(bot.behind.frames)).toEqual(['OutputAudioRawFrame']);
    await passes(1);
    expect(namesOf(bot.behind.frames)).toEqual(['OutputAudioRawFrame', 'OutputAudioRawFrame', 'TextFrame']);
    await passes(40);
    expect(namesOf(bot.behind.frames).at(-1)).toBe('TextFrame');
  });

  it('keeps requests to the task, and the other frames of the framework, behind the sound as well', async () => {
    const bot = await startCall();
    bot.says(sound(80), new PipelineFlushFrame());
    await passes(79);
    expect(namesOf(bot.behind.frames)).toEqual(['OutputAudioRawFrame']);
    await passes(1);
    expect(namesOf(bot.behind.frames)).toEqual([
      'OutputAudioRawFrame',
      'OutputAudioRawFrame',
      'PipelineFlushFrame',
    ]);
  });

  it('passes frames on at once when nothing plays', async () => {
    const bot = await startCall();
    bot.says(new TextFrame('now'));
    await passes(0);
    expect(namesOf(bot.behind.frames)).toEqual(['TextFrame']);
  });

  it('plays the rest of a speech, filled up with silence, when it is over', async () => {
    const bot = await startCall({ paced: false });
    bot.says(speech(50), new TTSStoppedFrame());
    await passes(0);
    expect(heardSamples(bot)).toEqual([...ramp(50), ...new Int16Array((sampleRate * 30) / 1_000)]);
    expect(bot.behind.framesOf(TTSAudioRawFrame)).toHaveLength(2);
    expect(namesOf(bot.behind.frames).slice(-2)).toEqual(['BotStoppedSpeakingFrame', 'TTSStoppedFrame']);
  });

  it.each([10, 250])('plays %d ms of sound to the end when nothing follows', async (ms) => {
    const bot = await startCall();
    const timers = vi.getTimerCount();
    bot.says(sound(ms));
    await passes(1_000);
    expect(heardSamples(bot).slice(0, 16 * ms)).toEqual([...ramp(ms)]);
    expect(bot.transport.playedMs).toBe(Math.ceil(ms / 40) * 40);
    expect(vi.getTimerCount()).toBe(timers);
  });

  it('plays what a resampler holds back when nothing follows', async () => {
    const bot = await startCall();
    const audio = new Int16Array(8 * 80).fill(1_000);
    bot.says(new OutputAudioRawFrame({ audio, sampleRate: 8_000, numChannels: 1 }));
    await passes(1_000);
    expect(heardSamples(bot).filter((sample) => sample === 1_000)).toHaveLength(16 * 80);
  });

  it.each([{ sampleRate: Number.NaN }, { sampleRate: 0 }, { sampleRate: -8_000 }, { numChannels: 0 }])(
    'reports sound that can never be played, and plays what follows: %o',
    async (bad) => {
      const bot = await startCall({ paced: false });
      const errors: unknown[] = [];
      bot.task.on('error', (error) => errors.push(error));
      const eightKHz = (): OutputAudioRawFrame =>
        new OutputAudioRawFrame({ audio: new Int16Array(320).fill(7), sampleRate: 8_000, numChannels: 1 });
      bot.says(eightKHz(), Object.assign(eightKHz(), bad), eightKHz());
      await passes(1_000);
      expect(errors).toHaveLength(1);
      expect(heardSamples(bot).filter((sample) => sample === 7)).toHaveLength(2 * 640);
    },
  );

  it.each([15, 25, 70])('puts no silence into sound that comes in pieces of %d ms', async (ms) => {
    const bot = await startCall();
    for (let piece = 0; piece < 20; piece += 1) {
      bot.says(sound(ms, piece * ms * 16));
      await passes(ms);
    }
    await passes(1_000);
    const whole = ramp(20 * ms);
    expect(heardSamples(bot).slice(0, whole.length)).toEqual([...whole]);
  });

  it('forgets the rest at an interruption', async () => {
    const bot = await startCall();
    bot.says(sound(10));
    await passes(10);
    bot.task.queueFrame(new InterruptionTaskFrame(), 'upstream');
    await passes(1_000);
    expect(bot.transport.played).toEqual([]);
  });

  it('keeps class and fields of what it cuts', async () => {
    const bot = await startCall({ paced: false });
    const frame = speech(80);
    frame.metadata = { turn: 7 };
    frame.pts = 3;
    bot.says(frame);
    await passes(0);
    const chunks = bot.behind.framesOf(TTSAudioRawFrame);
    expect(chunks.map(({ metadata, pts, sampleRate }) => ({ metadata, pts, sampleRate }))).toEqual([
      { metadata: { turn: 7 }, pts: 3, sampleRate },
      { metadata: { turn: 7 }, pts: 3, sampleRate },
    ]);
    expect(new Set([frame.id, ...chunks.map(({ id }) => id)]).size).toBe(3);
  });

  it('brings every rate and number of channels to its own', async () => {
    const bot = await startCall({ paced: false });
    const stereo8k = new OutputAudioRawFrame({
      audio: new Int16Array(2 * 8 * 400).fill(1_000),
      sampleRate: 8_000,
      numChannels: 2,
    });
    bot.says(stereo8k, new TTSStoppedFrame(), sound(40));
    await passes(0);
    expect(bot.transport.playedMs).toBe(440);
    expect(bot.transport.played.every((chunk) => chunk.sampleRate === sampleRate)).toBe(true);
    expect(new Set(heardSamples(bot).slice(0, 16 * 400))).toEqual(new Set([1_000]));
    expect(heardSamples(bot).slice(16 * 400)).toEqual([...ramp(40)]);
  });

  it('drops sound when audio out is off, and nothing else, and says so once, with the option', async () => {
    const warn = vi.fn();
    const logger = { ...silentLogger, warn };
    const bot = await startCall({ params: { audioInEnabled: true } }, { logger });
    bot.says(sound(80), new TextFrame('text'), speech(80));
    await passes(0);
    expect(namesOf(bot.behind.frames)).toEqual(['TextFrame']);
    expect(bot.transport.played).toEqual([]);
    expect(warn).toHaveBeenCalledOnce();
    expect(JSON.stringify(warn.mock.calls)).toContain('audioOutEnabled');
  });

  it('says once, with the option, that pictures are dropped when video out is off', async () => {
    const warn = vi.fn();
    const bot = await startCall({}, { logger: { ...silentLogger, warn } });
    const image = { image: Uint8Array.of(1), width: 1, height: 1 };
    bot.says(new OutputImageRawFrame(image), new OutputImageRawFrame(image));
    await passes(0);
    expect(warn).toHaveBeenCalledOnce();
    expect(JSON.stringify(warn.mock.calls)).toContain('videoOutEnabled');
  });

  it('sends messages in their turn, urgent ones at once', async () => {
    const bot = await startCall();
    bot.says(
      sound(40),
      new OutputTransportMessageFrame('in turn'),
      new OutputTransportMessageUrgentFrame('now'),
    );
    await passes(0);
    expect(bot.transport.messages.map(({ message }) => message)).toEqual(['now']);
    await passes(40);
    expect(bot.transport.messages.map(({ message }) => message)).toEqual(['now', 'in turn']);
    expect(namesOf(bot.behind.frames)).toEqual(['OutputAudioRawFrame', 'OutputTransportMessageFrame']);
  });
});

describe('BaseOutputTransport, telling who speaks', () => {
  useFakeTime();

  it('says in both directions that the bot speaks, and that it has stopped', async () => {
    const bot = await startCall();
    bot.says(speech(80), new TTSStoppedFrame());
    await passes(80);
    const started = [bot.inside, bot.behind].map((recorder) => recorder.framesOf(BotStartedSpeakingFrame));
    expect(started.map(({ length }) => length)).toEqual([1, 1]);
    expect(started[0]?.[0]?.broadcastSiblingId).toBe(started[1]?.[0]?.id);
    for (const recorder of [bot.inside, bot.behind]) {
      expect(recorder.framesOf(BotStoppedSpeakingFrame)).toHaveLength(1);
    }
  });

  it('says so of a speech shorter than a chunk as well', async () => {
    const bot = await startCall();
    bot.says(speech(10), new TTSStoppedFrame());
    await passes(40);
    expect(namesOf(bot.behind.frames)).toEqual([
      'BotStartedSpeakingFrame',
      'TTSAudioRawFrame',
      'BotStoppedSpeakingFrame',
      'TTSStoppedFrame',
    ]);
  });

  it('repeats every 200 ms that the bot speaks', async () => {
    const bot = await startCall();
    bot.says(speech(1_000));
    await passes(999);
    expect(bot.behind.framesOf(BotSpeakingFrame)).toHaveLength(5);
  });

  it('takes three seconds without sound for an end of the speech', async () => {
    const bot = await startCall();
    bot.says(speech(40));
    await passes(40 + 2_999);
    expect(bot.behind.framesOf(BotStoppedSpeakingFrame)).toEqual([]);
    await passes(1);
    expect(bot.behind.framesOf(BotStoppedSpeakingFrame)).toHaveLength(1);
  });

  it('says nothing about other sound', async () => {
    const bot = await startCall({ paced: false });
    bot.says(sound(80), new TTSStoppedFrame());
    await passes(0);
    expect(bot.behind.framesOf(BotStartedSpeakingFrame)).toEqual([]);
    expect(bot.behind.framesOf(BotStoppedSpeakingFrame)).toEqual([]);
  });
});

describe('BaseOutputTransport, interrupted', () => {
  useFakeTime();

  it('stops at once and forgets what waits', async () => {
    const bot = await startCall();
    bot.says(speech(1_000), new TextFrame('never'));
    await passes(100);
    bot.task.queueFrame(new InterruptionTaskFrame(), 'upstream');
    await passes(2_000);
    expect(bot.transport.playedMs).toBe(80);
    expect(namesOf(bot.behind.frames).slice(-2)).toEqual(['InterruptionFrame', 'BotStoppedSpeakingFrame']);
  });

  it('begins anew with the next sound', async () => {
    const bot = await startCall();
    bot.says(sound(50));
    await passes(10);
    bot.task.queueFrame(new InterruptionTaskFrame(), 'upstream');
    await passes(0);
    bot.says(sound(40, 5_000));
    await passes(1_000);
    expect(heardSamples(bot)).toEqual([...ramp(40, 5_000)]);
  });

  it('plays on what must not be interrupted', async () => {
    const bot = await startCall();
    const important = sound(120);
    important.uninterruptible = true;
    const note = new TextFrame('kept');
    note.uninterruptible = true;
    bot.says(important, sound(40), note);
    await passes(50);
    bot.task.queueFrame(new InterruptionTaskFrame(), 'upstream');
    await passes(1_000);
    expect(heardSamples(bot)).toEqual([...ramp(120)]);
    expect(namesOf(bot.behind.frames).at(-1)).toBe('TextFrame');
  });

  it('hears interruptions from behind too', async () => {
    const bot = await startCall();
    bot.says(sound(400));
    await passes(100);
    bot.behind.broadcastInterruption();
    await passes(1_000);
    expect(bot.transport.playedMs).toBe(80);
    expect(bot.inside.framesOf(InterruptionFrame)).toHaveLength(1);
  });
});

describe('BaseOutputTransport, ending', () => {
  useFakeTime();

  it('plays everything, a partial chunk included, leaves, and then passes the EndFrame on', async () => {
    const bot = await startCall();
    bot.says(speech(90), new EndFrame());
    await passes(119);
    expect(bot.transport.isConnected).toBe(true);
    await passes(1);
    expect(await bot.result).toMatchObject({ reason: 'ended', forced: false });
    expect(heardSamples(bot).slice(0, 16 * 90)).toEqual([...ramp(90)]);
    expect(namesOf(bot.behind.frames).slice(-2)).toEqual(['BotStoppedSpeakingFrame', 'EndFrame']);
    expect(bot.transport.history).toEqual(['joined', 'left']);
  });

  it('is not interrupted while it plays out', async () => {
    const bot = await startCall();
    bot.says(sound(400), new EndFrame());
    await passes(100);
    bot.task.queueFrame(new InterruptionTaskFrame(), 'upstream');
    await passes(300);
    expect(await bot.result).toMatchObject({ reason: 'ended', forced: false });
    expect(heardSamples(bot)).toEqual([...ramp(400)]);
  });

  it('plays a goodbye longer than the stall limit', async () => {
    const bot = await startCall({}, { endStallTimeoutMs: 200 });
    bot.says(sound(2_000), new EndFrame());
    await passes(2_000);
    expect(await bot.result).toMatchObject({ reason: 'ended', forced: false });
    expect(bot.transport.playedMs).toBe(2_000);
  });

  it('adds the silence that it is told to, whatever interrupts', async () => {
    const bot = await startCall({ params: { audioOutEnabled: true, endSilenceMs: 200 } });
    bot.says(sound(40), new EndFrame());
    await passes(100);
    bot.task.queueFrame(new InterruptionTaskFrame(), 'upstream');
    await passes(139);
    expect(bot.transport.isConnected).toBe(true);
    await passes(1);
    expect(await bot.result).toMatchObject({ reason: 'ended', forced: false });
    expect(bot.transport.playedMs).toBe(240);
    expect(bot.behind.framesOf(OutputAudioRawFrame)).toHaveLength(1);
  });

  it('cuts what plays when it is cancelled, also while it plays out', async () => {
    const bot = await startCall();
    bot.says(sound(1_000), new EndFrame());
    await passes(100);
    bot.task.cancel();
    await passes(0);
    expect(await bot.result).toMatchObject({ reason: 'cancelled', forced: false });
    expect(bot.transport.playedMs).toBe(80);
    expect(bot.transport.history).toEqual(['joined', 'left']);
  });
});

describe('BaseOutputTransport, stopped', () => {
  useFakeTime();

  it('plays out, and stays for the next run, any number of times', async () => {
    const transport = new MemoryTransport();
    for (let run = 0; run < 3; run += 1) {
      const bot = await startCall({}, { transport });
      bot.says(sound(100), new StopFrame());
      await passes(120);
      expect(await bot.result).toMatchObject({ reason: 'stopped', forced: false });
      expect(transport.isConnected).toBe(true);
    }
    expect(transport.playedMs).toBe(360);
    const last = await startCall({}, { transport });
    last.says(new EndFrame());
    await passes(0);
    await last.result;
    expect(transport.history).toEqual(['joined', 'left']);
  });
});
