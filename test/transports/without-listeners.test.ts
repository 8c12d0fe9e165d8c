import { describe, expect, it } from 'vitest';
import { OutputAudioRawFrame } from '../../src/frames/audio.ts';
import { OutputImageRawFrame } from '../../src/frames/images.ts';
import { EndFrame, StopFrame } from '../../src/frames/lifecycle.ts';
import { OutputTransportMessageFrame } from '../../src/frames/messages.ts';
import {
  BotStartedSpeakingFrame,
  BotStoppedSpeakingFrame,
  TTSStoppedFrame,
  TTSTextFrame,
} from '../../src/frames/speaking.ts';
import { TextFrame } from '../../src/frames/text.ts';
import { MemoryTransport } from '../../src/testing/memory-transport.ts';
import type { TransportParams } from '../../src/transports/transport-params.ts';
import { passes, useFakeTime } from '../support/fake-time.ts';
import { heardSamples, namesOf, ramp, sound, speech, startCall } from './call-setup.ts';

/** A bot with ada. */
async function talkWithAda(params: TransportParams = {}) {
  const transport = new MemoryTransport({ params: { audioOutEnabled: true, ...params } });
  transport.participantJoins('ada');
  return startCall({}, { transport });
}

describe('a room output that nobody listens to any more', () => {
  useFakeTime();

  it('stops in the middle of a word, and the run goes on', async () => {
    const bot = await talkWithAda();
    bot.says(speech(6_000), new TTSStoppedFrame());
    await passes(400);
    bot.transport.participantLeaves('ada');
    await passes(10_000);
    expect(bot.transport.playedMs).toBe(400);
    expect(bot.task.hasFinished).toBe(false);
    const last = namesOf(bot.behind.frames).filter((name) => name.includes('Stopped'));
    expect(last).toEqual(['BotStoppedSpeakingFrame', 'TTSStoppedFrame']);
    expect(bot.inside.framesOf(BotStoppedSpeakingFrame)).toHaveLength(1);
  });

  it('does not play out for nobody when an EndFrame is under way', async () => {
    const bot = await talkWithAda({ endSilenceMs: 2_000 });
    const important = sound(6_000);
    important.uninterruptible = true;
    bot.says(important, speech(6_000), new EndFrame());
    await passes(400);
    bot.transport.participantLeaves('ada');
    await passes(0);
    expect(await bot.result).toMatchObject({ reason: 'ended', forced: false });
    expect(bot.transport.playedMs).toBe(400);
  });

  it('does not show the rest of a film to nobody when an EndFrame is under way', async () => {
    const bot = await talkWithAda({ videoOutEnabled: true, videoOutIsLive: true, videoOutFramerate: 10 });
    const image = { image: Uint8Array.of(1), width: 1, height: 1 };
    bot.says(...Array.from({ length: 50 }, () => new OutputImageRawFrame(image)), new EndFrame());
    await passes(400);
    bot.transport.participantLeaves('ada');
    await passes(100);
    expect(await bot.result).toMatchObject({ reason: 'ended', forced: false });
    expect(bot.transport.shown.length).toBeLessThan(7);
  });

  it('drops what is said to nobody, words and sound, and lets everything else pass', async () => {
    const bot = await talkWithAda();
    bot.transport.participantLeaves('ada');
    bot.says(
      new TTSTextFrame('never'),
      speech(1_000),
      new TextFrame('a note'),
      new OutputTransportMessageFrame('for the recorder'),
      new TTSStoppedFrame(),
    );
    await passes(0);
    expect(namesOf(bot.behind.frames)).toEqual([
      'ParticipantJoinedFrame',
      'ClientConnectedFrame',
      'ParticipantLeftFrame',
      'TextFrame',
      'OutputTransportMessageFrame',
      'TTSStoppedFrame',
    ]);
    expect(bot.behind.framesOf(BotStartedSpeakingFrame)).toEqual([]);
    expect(bot.transport.played).toEqual([]);
  });

  it('plays to whoever comes next', async () => {
    const bot = await talkWithAda();
    bot.says(sound(410));
    await passes(100);
    bot.transport.participantLeaves('ada');
    bot.says(sound(400));
    await passes(1_000);
    bot.transport.participantJoins('bob');
    bot.says(sound(40, 5_000));
    await passes(1_000);
    const heard = heardSamples(bot);
    expect(heard.length).toBe(16 * 120);
    expect(heard.slice(-640)).toEqual([...ramp(40, 5_000)]);
  });

  it('keeps what a mixer adds for those who listen', async () => {
    const audioOutMixer = {
      start() {},
      stop() {},
      processFrame() {},
      mix: (audio: Int16Array) => audio.fill(7),
    };
    const bot = await talkWithAda({ audioOutMixer });
    await passes(400);
    bot.transport.participantLeaves('ada');
    await passes(0);
    const before = bot.transport.played.length;
    await passes(1_000);
    expect(bot.transport.played.length).toBe(before);
    bot.transport.participantJoins('bob');
    await passes(1_000);
    expect(bot.transport.played.length).toBeGreaterThan(before + 20);
  });

  it('plays on while one of several is there', async () => {
    const bot = await talkWithAda();
    bot.transport.participantJoins('bob');
    bot.says(sound(400));
    await passes(100);
    bot.transport.participantLeaves('ada');
    await passes(300);
    expect(bot.transport.playedMs).toBe(400);
  });

  it('plays in a room where nobody has been yet', async () => {
    const bot = await startCall();
    bot.says(sound(400), new EndFrame());
    await passes(400);
    await bot.result;
    expect(bot.transport.playedMs).toBe(400);
  });

  it.each([
    ['people', 80],
    ['everybody', 400],
  ] as const)('goes by who is company: %s', async (company, playedMs) => {
    const bot = await talkWithAda({ company });
    bot.transport.participantJoins('recorder', 'egress');
    bot.says(sound(400));
    await passes(100);
    bot.transport.participantLeaves('ada');
    await passes(1_000);
    expect(bot.transport.playedMs).toBe(playedMs);
  });

  it('begins a next run anew, with those who are there', async () => {
    const first = await talkWithAda();
    first.transport.participantLeaves('ada');
    first.says(new StopFrame());
    await passes(0);
    await first.result;
    const { transport } = first;
    transport.participantJoins('bob');
    const second = await startCall({}, { transport });
    second.says(sound(400));
    await passes(100);
    expect(second.behind.framesOf(OutputAudioRawFrame)).toHaveLength(2);
    transport.participantLeaves('bob');
    await passes(1_000);
    expect(transport.playedMs).toBe(80);
  });
});
