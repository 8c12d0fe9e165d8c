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
  /** Changes what the bots may do. */
  readonly grant?: VideoGrant;
}

const program = fileURLToPath(new URL('./leased-bots-program.ts', import.meta.url));

/** One process with one bot in each of these rooms; resolves when all have joined and begun to beat. */
export async function startLeasedBots(
  server: LiveKitServer,
  rooms: readonly string[],
  { beatMs = 300, grant = {} }: LeasedBotsOptions = {},
): Promise<LeasedBots> {
  const child = spawnScript(program, [], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  const tokens = await Promise.all(
    rooms.map((room) => {
      const all = { roomJoin: true, agent: true, canUpdateOwnMetadata: true, room, ...grant };
      return tokenFor(server, 'bot', all);
    }),
  );
  child.send({ url: server.url, tokens, beatMs } satisfies LeasedBotsOrder);
  const ended = once(child, 'exit');
  const [news] = await Promise.race([once(child, 'message'), ended]);
  if (news !== 'ready') throw new Error(`the bots ended with ${news}`);
  return {
    kill: (signal) => void child.kill(signal),
    [Symbol.asyncDispose]: async () => {
      child.kill('SIGKILL');
      await ended;
    },
  };
}
