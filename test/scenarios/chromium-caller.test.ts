/** A person with a browser: hears the bot, is heard by it, and is shown why the call is over. */

import { beforeAll, expect, it, vi } from 'vitest';
import { UserAudioRawFrame } from '../../src/frames/audio.ts';
import { EndFrame } from '../../src/frames/lifecycle.ts';
import { HeardAudio } from '../../src/testing/heard-audio.ts';
import type { LiveKitServer } from '../../src/testing/start-livekit-server.ts';
import { BrowserCaller } from '../support/browser/browser-caller.ts';
import { promised } from '../support/promised.ts';
import { describeWith } from '../support/requirements.ts';
import { roomExists } from '../support/room-service.ts';
import { sharedLiveKit } from '../support/shared-services.ts';
import { joinToken } from '../support/tokens.ts';
import { type Bot, newTransport, startBot, tone } from '../transports/livekit/call.ts';

// a browser takes some seconds to start on a busy machine
vi.setConfig({ testTimeout: 420_000 });
const describe = await describeWith('livekit-server', '@livekit/rtc-node', 'chromium');

const microphoneHz = 600;
const botHz = 1_000;

describe('a caller with Chromium', () => {
  let server: LiveKitServer;
  beforeAll(async () => {
    server = await sharedLiveKit();
  });

  /** What the bot has heard of somebody. */
  function heardBy({ inside }: Bot, identity: string) {
    const heard = new HeardAudio();
    for (const { audio, sampleRate, userId } of inside.framesOf(UserAudioRawFrame)) {
      if (userId === identity) heard.add(audio, sampleRate, 0);
    }
    return heard.report();
  }

  it('hears the bot, is heard by it, and sees ROOM_DELETED after its end', async () => {
    const transport = newTransport(server);
    const bot = startBot(server, { transport });
    await bot.started;
    const { url } = server;
    const token = await joinToken(server, transport.roomName, 'ada');
    await using ada = await BrowserCaller.start({ url, token, microphoneHz });
    await ada.waitFor('joined');
    await Promise.all([ada.waitFor('listens'), ada.waitFor('speaks')]);
    await vi.waitFor(() => expect(heardBy(bot, 'ada').heardMs).toBeGreaterThan(1_000), { timeout: 90_000 });
    expect(Math.abs(heardBy(bot, 'ada').frequencyHz - microphoneHz)).toBeLessThan(20);

    bot.says(...tone(2_000, { frequencyHz: botHz }), new EndFrame('said goodbye'));
    expect(await bot.result).toMatchObject({ reason: 'ended', forced: false });
    expect(await ada.waitFor('disconnected')).toMatchObject({ shown: 'ROOM_DELETED' });
    expect(await roomExists(server, transport.roomName)).toBe(false);
    const heard = ada.events.findLast(({ event }) => event === 'heard');
    console.info(`the page heard ${JSON.stringify(heard)}`);
    // looked at every 50 ms, with an eye for the last 85 ms
    expect(heard?.heardMs).toBeGreaterThan(promised(1_500, 1_000));
    expect(heard?.rms).toBeGreaterThan(0.1);
    expect(Math.abs(Number(heard?.frequencyHz) - botHz)).toBeLessThan(20);
  });
});
