/** A bot that is interrupted stops talking: how soon the caller notices. */

import { beforeAll, expect, it, vi } from 'vitest';
import { InterruptionFrame } from '../../src/frames/interruption.ts';
import type { LiveKitServer } from '../../src/testing/start-livekit-server.ts';
import { median } from '../support/median.mjs';
import { promised } from '../support/promised.ts';
import { describeWith } from '../support/requirements.ts';
import { sharedLiveKit } from '../support/shared-services.ts';
import { now } from '../support/talking-bot.ts';
import { call, newTransport, playedMs, silenceOf, startBot, tone } from '../transports/livekit/call.ts';

const describe = await describeWith('livekit-server', '@livekit/rtc-node');

const rounds = 5;
const queuedMs = 20_000;
const limitMs = 150;

describe('a bot with twenty seconds queued', () => {
  let server: LiveKitServer;
  beforeAll(async () => {
    server = await sharedLiveKit();
  });

  it('is silent for the caller within 150 ms of an InterruptionFrame', async () => {
    const transport = newTransport(server);
    const ada = await call(server, transport.roomName);
    const bot = startBot(server, { transport });
    await bot.started;
    const silentAfterMs: number[] = [];
    for (let round = 0; round < rounds; round += 1) {
      bot.behind.clear();
      bot.says(...tone(queuedMs));
      await vi.waitFor(() => expect(playedMs(bot)).toBeGreaterThan(600), 30_000);
      const at = now();
      bot.says(new InterruptionFrame());
      silentAfterMs.push((await silenceOf(ada)) - at);
    }
    const all = silentAfterMs.map((ms) => ms.toFixed(0)).join(', ');
    console.info(`silent ${median(silentAfterMs).toFixed(0)} ms after the InterruptionFrame (${all})`);
    expect(median(silentAfterMs)).toBeLessThan(promised(limitMs));
    // and not because nothing was heard
    expect((await ada.heard()).heardMs).toBeGreaterThan(rounds * 300);
  });
});
