/** Lets bots die, each way so many times: `measure-deaths.ts TIMES [PART OF A TITLE]`; one JSON object per death. */

import { startLiveKitServer } from '../../src/testing/start-livekit-server.ts';
import { killBots } from './doomed-bot.ts';
import { startLiveBystanders } from './live-bystanders.ts';
import { die, heartbeatMs, promisedMs, waysToDie } from './ways-to-die.ts';

const [times = '1', part = ''] = process.argv.slice(2);
const server = await startLiveKitServer();
const bystanders = await startLiveBystanders(server, 'doomed-');
try {
  for (const way of waysToDie.filter(({ title }) => title.includes(part))) {
    for (let run = 0; run < Number(times); run += 1) {
      const { title, ends } = way;
      const limitMs = promisedMs + (ends === 'stuck' ? heartbeatMs : 0);
      try {
        const { reason, outAfterMs, left, bystander } = await die(server, way, bystanders);
        const kept = left.length === 1 && left[0] === bystander;
        const passed = reason === 'ROOM_DELETED' && kept && outAfterMs < limitMs;
        process.stdout.write(`${JSON.stringify({ title, limitMs, outAfterMs, passed, reason, left })}\n`);
      } catch (error) {
        process.stdout.write(`${JSON.stringify({ title, limitMs, passed: false, error: String(error) })}\n`);
      }
    }
  }
} finally {
  await bystanders[Symbol.asyncDispose]();
  await killBots();
  await server.stop();
}
