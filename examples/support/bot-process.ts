/** A bot in a process of its own, for an example that kills it. */

import { type ChildProcess, execFileSync, fork } from 'node:child_process';
import { once } from 'node:events';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import type { LiveKitServer } from 'endframe/testing';

/** Resolves when it has joined and reads aloud. */
export async function startReadingBot(server: LiveKitServer, roomName: string): Promise<ChildProcess> {
  const { url: LIVEKIT_URL, apiKey: LIVEKIT_API_KEY, apiSecret: LIVEKIT_API_SECRET } = server;
  const program = fileURLToPath(new URL('./reading-bot.ts', import.meta.url));
  const bot = fork(program, [roomName], {
    env: { ...process.env, LIVEKIT_URL, LIVEKIT_API_KEY, LIVEKIT_API_SECRET },
  });
  await once(bot, 'message');
  return bot;
}

/** The only child that a bot has. */
export function guardianOf(bot: ChildProcess): number {
  return Number(execFileSync('pgrep', ['-P', String(bot.pid)], { encoding: 'utf8' }));
}
