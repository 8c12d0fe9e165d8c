/** What the bot says arrives as it was said: no shorter, no longer, no other sound, and without holes. */

import { beforeAll, expect, it } from 'vitest';
import { EndFrame } from '../../src/frames/lifecycle.ts';
import { TTSStoppedFrame } from '../../src/frames/speaking.ts';
import type { HeardAudioReport } from '../../src/testing/heard-audio.ts';
import type { LiveKitServer } from '../../src/testing/start-livekit-server.ts';
import { promised } from '../support/promised.ts';
import { describeWith } from '../support/requirements.ts';
import { sharedLiveKit } from '../support/shared-services.ts';
import { call, newTransport, startBot, tone } from '../transports/livekit/call.ts';

const describe = await describeWith('livekit-server', '@livekit/rtc-node');

const saidMs = 5_000;
const saidHz = 1_000;

function offBy({ heardMs }: HeardAudioReport): number {
  return Math.abs(heardMs - saidMs);
}

describe('a tone of five seconds', () => {
  let server: LiveKitServer;
  beforeAll(async () => {
    server = await sharedLiveKit();
  });

  it('reaches the callers with its length and frequency, unbroken', async () => {
    const transport = newTransport(server);
    const callers = await Promise.all(['ada', 'bob'].map((who) => call(server, transport.roomName, who)));
    const bot = startBot(server, { transport });
    await bot.started;
    bot.says(...tone(saidMs, { frequencyHz: saidHz }), new TTSStoppedFrame(), new EndFrame());
    expect(await bot.result).toMatchObject({ reason: 'ended', forced: false });
    await Promise.all(callers.map(({ exited }) => exited));
    const reports = await Promise.all(callers.map((caller) => caller.heard(transport.identity)));
    for (const { heardMs, frequencyHz, gapsMs, rms } of reports) {
      const longest = Math.max(0, ...gapsMs);
      console.info(`heard ${heardMs} ms at ${frequencyHz} Hz, longest gap ${longest} ms, rms ${rms}`);
      expect(frequencyHz).toBeGreaterThan(saidHz * promised(0.99, 0.9));
      expect(frequencyHz).toBeLessThan(saidHz * promised(1.01, 1.1));
      expect(longest).toBeLessThanOrEqual(promised(40, 1_000));
    }
    // what one of them has heard the bot has sent
    expect(Math.min(...reports.map(offBy))).toBeLessThanOrEqual(promised(50, saidMs / 4));
  });
});
