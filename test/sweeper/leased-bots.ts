/** Real bots with leases, in processes of their own. */

import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { VideoGrant } from 'livekit-server-sdk';
import type { LiveKitServer } from '../../src/testing/start-livekit-server.ts';
import { spawnScript } from '../support/run-typescript.ts';
import { tokenFor } from '../support/tokens.ts';
import type { LeasedBotsOrder } from './leased-bots-program.ts';

export interface LeasedBots extends AsyncDisposable {
  kill(signal: NodeJS.Signals): void;
}

export interface LeasedBotsOptions {
  readonly beatMs?: number;
  /** Whether they join again when they lose LiveKit. Default false. */
  readonly comesBack?: boolean;
  /** Changes what the bot of a room may do. */
  readonly grant?: (room: string) => VideoGrant;
}

const program = fileURLToPath(new URL('./leased-bots-program.ts', import.meta.url));

/** A process that has loaded everything and waits for its order to join. */
export interface PreparedBots {
  join(rooms: readonly string[], options?: LeasedBotsOptions): Promise<LeasedBots>;
}

export async function prepareLeasedBots(server: LiveKitServer): Promise<PreparedBots> {
  const child = spawnScript(program, [], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  const ended = once(child, 'exit');
  const next = async (expected: string): Promise<void> => {
    const [news] = await Promise.race([once(child, 'message'), ended]);
    if (news !== expected) throw new Error(`the bots ended with ${news}`);
  };
  await next('loaded');
  return {
    join: async (rooms, { beatMs = 300, comesBack = false, grant = () => ({}) } = {}) => {
      const tokens = await Promise.all(
        rooms.map((room) => {
          const all = { roomJoin: true, agent: true, canUpdateOwnMetadata: true, room, ...grant(room) };
          return tokenFor(server, 'bot', all);
        }),
      );
      child.send({ url: server.url, tokens, beatMs, comesBack } satisfies LeasedBotsOrder);
      await next('ready');
      return {
        kill: (signal) => void child.kill(signal),
        [Symbol.asyncDispose]: async () => {
          child.kill('SIGKILL');
          await ended;
        },
      };
    },
  };
}

/** One process with one bot in each of these rooms; resolves when all have joined and begun to beat. */
export async function startLeasedBots(
  server: LiveKitServer,
  rooms: readonly string[],
  options?: LeasedBotsOptions,
): Promise<LeasedBots> {
  return (await prepareLeasedBots(server)).join(rooms, options);
}
