/**
 * A bot is killed in the middle of a sentence, twice. The first time its guardian deletes the room, at once. The
 * second time the guardian is killed as well, as when a whole container is lost: the sweeper deletes the room.
 *
 * Run:      npm run example examples/07-crash-and-sweep.ts
 * You see:  caller  has joined
 *           caller  hears the bot
 *           bot     is killed
 *           room    gone 52 ms later, by the guardian
 *           caller  has joined
 *           caller  hears the bot
 *           bot     is killed, and its guardian
 *           sweeper found lease-expired, silent for 5.0 s
 *           room    gone 5.3 s later, by the sweeper
 *           room    gone
 */

import { setTimeout as sleep } from 'node:timers/promises';
import { createParticipantToken, LiveKitRESTHelper } from 'endframe/livekit';
import { generateRoomName, Sweeper } from 'endframe/sweeper';
import { spawnCaller, startLiveKitServer } from 'endframe/testing';
import { guardianOf, startReadingBot } from './support/bot-process.ts';
import { tell } from './support/phone-call.ts';

const prefix = 'crash-';
const server = await startLiveKitServer();
const { url, apiKey, apiSecret } = server;
const rest = new LiveKitRESTHelper({ apiUrl: url, apiKey, apiSecret });

/** A call whose bot is killed; resolves with how long the caller was left in the room, in milliseconds. */
async function crash(roomName: string, { withGuardian = false } = {}): Promise<number> {
  const token = await createParticipantToken({ apiKey, apiSecret, roomName, identity: 'caller' });
  const bot = await startReadingBot(server, roomName);
  const caller = spawnCaller({ url, token });
  await caller.waitFor('joined');
  tell('caller', 'has joined');
  await caller.waitFor('audioStarted');
  tell('caller', 'hears the bot');
  await sleep(1_500);
  if (withGuardian) process.kill(guardianOf(bot), 'SIGKILL');
  bot.kill('SIGKILL');
  const killedAt = Date.now();
  tell('bot', withGuardian ? 'is killed, and its guardian' : 'is killed');
  const { at, reason } = await caller.waitFor('disconnected', { timeoutMs: 60_000 });
  if (reason !== 'ROOM_DELETED') throw new Error(`the caller was disconnected with ${reason}`);
  return Math.round(at - killedAt);
}

tell('room', `gone ${await crash(generateRoomName(prefix))} ms later, by the guardian`);

// the usual limit is 30 s, for bots that beat every 5 s; these beat every second
const sweeper = new Sweeper({ rest, prefix, pollMs: 500, leaseTtlMs: 5_000, graceMs: 5_000 });
sweeper.on('orphanFound', ({ reason, silentMs }) => {
  tell('sweeper', `found ${reason}, silent for ${(silentMs / 1_000).toFixed(1)} s`);
});
sweeper.start();
const sweptMs = await crash(generateRoomName(prefix), { withGuardian: true });
tell('room', `gone ${(sweptMs / 1_000).toFixed(1)} s later, by the sweeper`);
await sweeper.stop();
const left = (await rest.listRooms([])).filter(({ name }) => name.startsWith(prefix));
tell('room', left.length === 0 ? 'gone' : 'STILL THERE');
await server.stop();
