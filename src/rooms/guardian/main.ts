/**
 * The guardian's program: deletes rooms of bots that have died or are stuck.
 *
 * guardian-client.ts starts one for each process with bots, and holds the other end of its pipe, which closes when
 * that process is gone, for any reason. No rxjs, protobuf or jose, to start fast and stay small. Exits when nothing
 * is left to do.
 */

import { Socket } from 'node:net';
import { restTokenClaims, signToken } from '../rest/hs256.ts';
import { sendByHttp } from '../rest/http.ts';
import type { RestCredentials } from '../rest/livekit-rest-helper.ts';
import { RoomServiceClient } from '../rest/room-service-client.ts';
import { refusalOf } from '../rest/server-url.ts';
import { GuardedRoom, HeartbeatMonitor } from './guarded-room.ts';
import { encode, type FromGuardian, guardianPipeFd, MessageReader, type ToGuardian } from './protocol.ts';

/** For one room, from the end of its bot on. */
const limitMs = 10 * 60_000;
/** More than all checks of a deleted room can take. */
const checksMs = 5 * 60_000;
/** Interval of the checks while a heartbeat is missing: a stuck bot is noticed this much later, at most. */
const tickMs = 250;
/** A timer that is later than this means that the machine, or this process, was frozen. */
const latestMs = 1_250;

/** Exit delay without rooms: the next one may be in the pipe. */
const lingerMs = 500;

/** Exits, also while something hangs. */
function endAfter(ms: number): NodeJS.Timeout {
  return setTimeout(() => process.exit(1), ms);
}

/** Without a first message. */
const firstMessage = endAfter(limitMs);

const rooms = new Map<number, GuardedRoom>();
/** Ids increase; an unknown lower id belongs to a finished room. */
let newestId = 0;
const heartbeat = new HeartbeatMonitor(performance.now());
const reader = new MessageReader<ToGuardian>();
/** Fires when a heartbeat is missing; while they come, nothing else wakes this process up. */
let quiet: NodeJS.Timeout | undefined;
let ticks: NodeJS.Timeout | undefined;
const pipe = new Socket({ fd: guardianPipeFd, readable: true, writable: true });

function send(message: FromGuardian): void {
  if (pipe.writable) pipe.write(encode(message));
  if (message.type !== 'finished') return;
  rooms.delete(message.id);
  if (!pipe.destroyed) watchForQuiet();
  if (pipe.writable) setTimeout(endIfIdle, lingerMs);
  else endIfIdle();
}

function endIfIdle(): void {
  if (rooms.size === 0) process.exit();
}

function handleMessage(message: ToGuardian): void {
  clearTimeout(firstMessage);
  const room = rooms.get(message.id);
  switch (message.type) {
    case 'watch':
      if (message.id > newestId) guard(message);
      else room?.update(message.guarded);
      watchForQuiet();
      break;
    case 'take-over':
      room?.takeOver('taken-over');
      break;
    case 'verify':
      room?.verify();
      break;
    case 'release':
      room?.release();
  }
}

function guard({ id, guarded }: Extract<ToGuardian, { type: 'watch' }>): void {
  const rest = guardianRest(guarded.credentials);
  // in a list of processes instead of the whole program
  if (newestId === 0) process.title = 'endframe guardian';
  newestId = id;
  rooms.set(id, new GuardedRoom(id, guarded, { rest, send, limitMs }));
  send({ type: 'armed', id });
}

function watchForQuiet(): void {
  const quietMs = Math.min(...[...rooms.values()].map(({ heartbeatMs }) => heartbeatMs)) / 2;
  clearTimeout(quiet);
  if (quietMs === Number.POSITIVE_INFINITY) return;
  quiet = setTimeout(() => {
    checkSilence(quietMs + latestMs);
    clearInterval(ticks);
    ticks = setInterval(() => checkSilence(tickMs + latestMs), tickMs);
  }, quietMs);
}

function checkSilence(longestGapMs: number): void {
  const silentMs = heartbeat.silentMs(performance.now(), longestGapMs);
  for (const room of rooms.values()) room.botIsSilent(silentMs);
  if ([...rooms.values()].every(({ isHandled }) => isHandled)) clearInterval(ticks);
}

pipe.setEncoding('utf8');
pipe.on('data', (text: string) => {
  heartbeat.beat(performance.now());
  clearInterval(ticks);
  for (const room of rooms.values()) room.botIsAlive();
  for (const message of reader.read(text)) handleMessage(message);
  quiet?.refresh();
});
pipe.on('error', () => {});
pipe.on('close', () => {
  endAfter(limitMs + checksMs);
  clearTimeout(quiet);
  clearInterval(ticks);
  for (const room of rooms.values()) room.takeOver('bot-gone');
  endIfIdle();
});

// signals are for the bot; this process waits for its end
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => {});

/** A REST client of Node's own modules alone. */
function guardianRest({ apiKey, apiSecret, baseUrl, attemptTimeoutMs }: RestCredentials): RoomServiceClient {
  return new RoomServiceClient({
    apiSecret,
    baseUrl,
    attemptTimeoutMs,
    refusal: refusalOf(baseUrl),
    sign: (grant, clockOffsetMs) => signToken(restTokenClaims(apiKey, grant, clockOffsetMs), apiSecret),
    send: sendByHttp,
  });
}
