import { describe, expect, it } from 'vitest';
import type { OutputAudioRawFrame } from '../../src/frames/audio.ts';
import type { Frame } from '../../src/frames/frame.ts';
import { InterruptionFrame, InterruptionTaskFrame } from '../../src/frames/interruption.ts';
import { EndFrame, StopFrame } from '../../src/frames/lifecycle.ts';
import { OutputTransportMessageUrgentFrame } from '../../src/frames/messages.ts';
import { BotStartedSpeakingFrame, TTSStoppedFrame } from '../../src/frames/speaking.ts';
import { TextFrame } from '../../src/frames/text.ts';
import type { Logger } from '../../src/lib/logger.ts';
import { MemoryTransport } from '../../src/testing/memory-transport.ts';
import { passes, useFakeTime } from '../support/fake-time.ts';
import { namesOf, ramp, sound, speech, startCall, type TestCall } from './call-setup.ts';

const params = { audioInEnabled: true, audioOutEnabled: true, audioOutDestinations: ['french', 'german'] };

function to<F extends Frame>(destination: string | undefined, frame: F): F {
  frame.transportDestination = destination;
  return frame;
}

const on = (bot: TestCall, destination?: string): OutputAudioRawFrame[] =>
  bot.transport.played.filter(({ transportDestination }) => transportDestination === destination);
const samplesOn = (bot: TestCall, destination?: string): number[] =>
  on(bot, destination).flatMap(({ audio }) => [...audio]);
const everywhere = [undefined, 'french', 'german'];

describe('audioOutDestinations', () => {
  useFakeTime();

  it('play beside one another, each in its own order', async () => {
    const bot = await startCall({ params });
    bot.says(sound(400), to('french', sound(80, 1_000)), to('french', new TextFrame('after')));
    await passes(80);
    expect(samplesOn(bot, 'french')).toEqual([...ramp(80, 1_000)]);
    expect(samplesOn(bot)).toEqual([...ramp(80)]);
    expect(samplesOn(bot, 'german')).toEqual([]);
    expect(bot.behind.framesOf(TextFrame).map(({ text }) => text)).toEqual(['after']);
  });

  it('say for themselves that the bot speaks', async () => {
    const bot = await startCall({ params });
    bot.says(to('french', speech(40)), to('french', new TTSStoppedFrame()));
    await passes(40);
    for (const recorder of [bot.inside, bot.behind]) {
      const started = recorder.framesOf(BotStartedSpeakingFrame);
      expect(started.map(({ transportDestination }) => transportDestination)).toEqual(['french']);
    }
  });

  it('are all interrupted by one interruption', async () => {
    const bot = await startCall({ params });
    for (const destination of everywhere) bot.says(to(destination, sound(400)));
    await passes(100);
    bot.task.queueFrame(new InterruptionTaskFrame(), 'upstream');
    await passes(1_000);
    for (const destination of everywhere) expect(samplesOn(bot, destination)).toEqual([...ramp(80)]);
  });

  it('are interrupted alone by an interruption of their own', async () => {
    const bot = await startCall({ params });
    for (const destination of everywhere) bot.says(to(destination, sound(400)));
    await passes(100);
    bot.inside.push(to('french', new InterruptionFrame()));
    await passes(1_000);
    expect(samplesOn(bot, 'french')).toEqual([...ramp(80)]);
    for (const destination of [undefined, 'german'])
      expect(samplesOn(bot, destination)).toEqual([...ramp(400)]);
  });

  it('all play out before an EndFrame, to the last sample of the longest', async () => {
    const bot = await startCall({ params });
    bot.says(sound(80), to('french', sound(390)), to('german', sound(40)), new EndFrame());
    await passes(100);
    bot.task.queueFrame(new InterruptionTaskFrame(), 'upstream');
    await passes(299);
    expect(bot.transport.isConnected).toBe(true);
    await passes(1);
    expect(await bot.result).toMatchObject({ reason: 'ended', forced: false });
    expect(samplesOn(bot, 'french').slice(0, 390 * 16)).toEqual([...ramp(390)]);
    expect(samplesOn(bot)).toEqual([...ramp(80)]);
    expect(bot.behind.framesOf(EndFrame)).toHaveLength(1);
  });

  it('are all cut by a CancelFrame', async () => {
    const bot = await startCall({ params });
    for (const destination of everywhere) bot.says(to(destination, sound(400)));
    await passes(100);
    bot.task.cancel();
    await passes(1_000);
    for (const destination of everywhere) expect(samplesOn(bot, destination)).toEqual([...ramp(80)]);
    expect(bot.transport.history).toEqual(['joined', 'left']);
  });

  it('all play out before a StopFrame, and play again in the next run', async () => {
    const transport = new MemoryTransport({ params });
    for (let run = 0; run < 2; run += 1) {
      const bot = await startCall({}, { transport });
      bot.says(to('german', sound(80)), new StopFrame());
      await passes(80);
      expect(await bot.result).toMatchObject({ reason: 'stopped', forced: false });
    }
    expect(transport.playedMs).toBe(160);
    expect(transport.isConnected).toBe(true);
  });

  it('that nobody knows get nothing, with one warning each', async () => {
    const warnings: object[] = [];
    const nothing = (): void => {};
    const logger: Logger = {
      debug: nothing,
      info: nothing,
      warn: (fields, message) => void warnings.push({ fields, message }),
      error: nothing,
    };
    const bot = await startCall({ params }, { logger });
    const lost = [sound(40), new TextFrame('lost'), sound(40)].map((frame) => to('polish', frame));
    bot.says(...lost, to('latin', new TextFrame('lost too')), new TextFrame('kept'));
    bot.says(to('polish', new OutputTransportMessageUrgentFrame('urgent')));
    await passes(100);
    expect(namesOf(bot.behind.frames)).toEqual(['TextFrame']);
    expect(bot.transport.playedMs).toBe(0);
    expect(bot.transport.messages).toHaveLength(1);
    expect(warnings).toMatchObject([
      { fields: { destination: 'polish' }, message: 'frames for an unknown destination are dropped' },
      { fields: { destination: 'latin' } },
    ]);
  });
});
