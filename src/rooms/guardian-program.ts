/**
 * The guardian's process: sees rooms gone whose bot has died or is stuck.
 *
 * guardian.ts starts it, one for each process with bots, and holds the other end of its pipe, which closes when
 * that process is gone, however it went. It loads no rxjs, no protobuf and no jose, to start fast and stay
 * small. It ends when nothing is left to do.
 */

import { Socket } from 'node:net';
import { GuardedRoomWatch } from './guarded-room-watch.ts';
import {
  encode,
  type FromGuardian,
  guardianPipeFd,
  MessageReader,
  type ToGuardian,
} from './guardian-messages.ts';
import { guardianRest } from './guardian-rest.ts';
import { HeartbeatWatch } from './heartbeat-watch.ts';

/** For one room, from the death of its bot on. */
const giveUpMs = 10 * 60_000;
/** More than all looks at a deleted room can take. */
const looksMs = 5 * 60_000;
/** How often it looks at its clock while a beat is missing: this much later, at most, a stuck bot is noticed. */
const tickMs = 250;
/** Timers are late on a busy machine; beyond this the machine, or this process, was frozen. */
const latestMs = 1_250;

/** How long it stays when nothing is left to do: the next room may be on its way through the pipe. */
const lingerMs = 500;

// the name in a list of processes, instead of the whole program

/** Ends this process, whatever hangs. */
function endAfter(ms: number): NodeJS.Timeout {
  return setTimeout(() => process.exit(1), ms);
}

/** Until it has heard of a room. */
const unheard = endAfter(giveUpMs);

const rooms = new Map<number, GuardedRoomWatch>();
/** They ascend: news of an older room that is not here comes too late. */
let newestId = 0;
const heartbeat = new HeartbeatWatch(performance.now());
const reader = new MessageReader<ToGuardian>();
/** Fires when a beat is missing, so that nothing wakes this process up but beats, as long as they come. */
let quiet: NodeJS.Timeout | undefined;
let ticks: NodeJS.Timeout | undefined;
const pipe = new Socket({ fd: guardianPipeFd, readable: true, writable: true });

function tell(message: FromGuardian): void {
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

function obey(message: ToGuardian): void {
  clearTimeout(unheard);
  const watch = rooms.get(message.id);
  switch (message.type) {
    case 'watch':
      if (message.id > newestId) guard(message);
      else watch?.update(message.guarded);
      watchForQuiet();
      break;
    case 'take-over':
      watch?.takeOver('taken-over');
      break;
    case 'look':
      watch?.look();
      break;
    case 'forget':
      watch?.forget();
  }
}

function guard({ id, guarded }: Extract<ToGuardian, { type: 'watch' }>): void {
  const rest = guardianRest(guarded.credentials);
  // armed: seen by whoever lists processes
  if (newestId === 0) process.title = 'endframe guardian';
  newestId = id;
  rooms.set(id, new GuardedRoomWatch(id, guarded, { rest, tell, giveUpMs }));
  tell({ type: 'armed', id });
}

function watchForQuiet(): void {
  const quietMs = Math.min(...[...rooms.values()].map(({ heartbeatMs }) => heartbeatMs)) / 2;
  clearTimeout(quiet);
  if (quietMs === Number.POSITIVE_INFINITY) return;
  quiet = setTimeout(() => {
    look(quietMs + latestMs);
    clearInterval(ticks);
    ticks = setInterval(() => look(tickMs + latestMs), tickMs);
  }, quietMs);
}

function look(longestGapMs: number): void {
  const silentMs = heartbeat.silentMs(performance.now(), longestGapMs);
  for (const watch of rooms.values()) watch.botIsSilent(silentMs);
  if ([...rooms.values()].every(({ isSeenTo }) => isSeenTo)) clearInterval(ticks);
}

pipe.setEncoding('utf8');
pipe.on('data', (text: string) => {
  heartbeat.beat(performance.now());
  clearInterval(ticks);
  for (const watch of rooms.values()) watch.botIsAlive();
  for (const message of reader.read(text)) obey(message);
  quiet?.refresh();
});
pipe.on('error', () => {});
pipe.on('close', () => {
  endAfter(giveUpMs + looksMs);
  clearTimeout(quiet);
  clearInterval(ticks);
  for (const watch of rooms.values()) watch.takeOver('bot-gone');
  endIfIdle();
});

// Ctrl+C and those who stop a bot mean the bot; its end is what this process waits for
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => {});
