/** Every way in which a bot can stop without an end, and how long its caller then sits in a room without it. */

import { setTimeout as sleep } from 'node:timers/promises';
import type { LiveKitServer } from '../../src/testing/start-livekit-server.ts';
import { spawnCaller } from './caller.ts';
import { DoomedBot, type DoomedBotOptions } from './doomed-bot.ts';
import type { LiveBystanders } from './live-bystanders.ts';
import { listRooms, roomService } from './room-service.ts';
import { joinToken } from './tokens.ts';

export interface WayToDie {
  readonly title: string;
  readonly die: (bot: DoomedBot) => void;
  /** `stuck`: the process lives on, and the heartbeat limit counts first. */
  readonly ends: 'ended' | 'stuck';
  readonly options?: Partial<DoomedBotOptions>;
}

/** The default: a shorter one takes a bot on a busy machine for one that is stuck. */
export const heartbeatMs = 4_000;
/** What is promised, after the death or after the heartbeat limit. */
export const promisedMs = 1_000;

// nobody catches anything: these are the guardian's alone
const uncaught = { handleProcessEvents: false } as const;

export const waysToDie: readonly WayToDie[] = [
  { title: 'SIGKILL', die: (bot) => bot.kill('SIGKILL'), ends: 'ended' },
  { title: 'SIGKILL of its process group', die: (bot) => bot.killGroup('SIGKILL'), ends: 'ended' },
  { title: 'SIGQUIT', die: (bot) => bot.kill('SIGQUIT'), ends: 'ended' },
  {
    title: 'SIGTERM that nobody handles',
    die: (bot) => bot.kill('SIGTERM'),
    ends: 'ended',
    options: uncaught,
  },
  { title: 'abort()', die: (bot) => bot.die('abort'), ends: 'ended' },
  { title: 'SIGSEGV', die: (bot) => bot.die('SIGSEGV'), ends: 'ended' },
  {
    title: 'heap out of memory',
    die: (bot) => bot.die('out of memory'),
    ends: 'ended',
    options: { execArgv: ['--max-old-space-size=64'] },
  },
  { title: 'process.exit()', die: (bot) => bot.die('process.exit'), ends: 'ended' },
  { title: 'an uncaught throw', die: (bot) => bot.die('uncaught throw'), ends: 'ended' },
  {
    title: 'an uncaught throw without a runner',
    die: (bot) => bot.die('uncaught throw'),
    ends: 'ended',
    options: uncaught,
  },
  { title: 'an unhandled rejection', die: (bot) => bot.die('unhandled rejection'), ends: 'ended' },
  {
    title: 'an unhandled rejection without a runner',
    die: (bot) => bot.die('unhandled rejection'),
    ends: 'ended',
    options: uncaught,
  },
  { title: 'an endless loop', die: (bot) => bot.die('endless loop'), ends: 'stuck' },
  { title: 'SIGSTOP', die: (bot) => bot.kill('SIGSTOP'), ends: 'stuck' },
];

export interface Death {
  /** LiveKit's reason, as the caller got it. */
  readonly reason: string;
  /**
   * From the end of the process, or from the moment it got stuck, until the caller was out, in milliseconds;
   * negative when the bot deleted the room before it ended.
   */
  readonly outAfterMs: number;
  /** Which are left of its room and the one with a name alike. */
  readonly left: readonly string[];
  /** The latter. */
  readonly bystander: string;
}

let runs = 0;

/** LiveKit throws everybody out some milliseconds before it forgets the room; by itself it would keep it for 20 s. */
const settlingMs = 5_000;

/** Which of these are left. */
async function settledRooms(server: LiveKitServer, ...names: readonly string[]): Promise<string[]> {
  for (const until = performance.now() + settlingMs; ; await sleep(20)) {
    const left = (await listRooms(server, ...names)).map(({ name }) => name);
    if (left.length < names.length || performance.now() > until) return left;
  }
}

/**
 * A caller and a bot in a room, beside a room with a name alike and another call of ours; then the bot dies.
 *
 * @throws {AssertionError} The others were touched.
 */
export async function die(
  server: LiveKitServer,
  { die, ends, options }: WayToDie,
  bystanders: LiveBystanders,
): Promise<Death> {
  const { url } = server;
  const roomName = `doomed-${process.pid}-${runs++}`;
  const token = await joinToken(server, roomName, 'ada');
  const bystander = `${roomName}-2`;
  await roomService(server).createRoom({ name: bystander, emptyTimeout: 300 });
  const caller = spawnCaller({ url, token });
  const bot = new DoomedBot({
    server,
    url,
    roomName,
    guardianHeartbeatMs: heartbeatMs,
    verify: false,
    ...options,
  });
  try {
    await Promise.all([caller.waitFor('joined', { timeoutMs: 90_000 }), bot.waitFor('started', 30_000)]);
    await bot.guardianPid();
    const stuckAt = performance.timeOrigin + performance.now();
    die(bot);
    const { at, reason } = await caller.waitFor('disconnected', { timeoutMs: 90_000 });
    if (ends === 'ended') await bot.exited;
    const left = await settledRooms(server, roomName, bystander);
    await bystanders.assertUntouched();
    return { reason, outAfterMs: at - (ends === 'ended' ? bot.endedAt : stuckAt), left, bystander };
  } finally {
    await Promise.all([caller.stop(), bot[Symbol.asyncDispose]()]);
  }
}
