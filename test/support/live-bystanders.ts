/** What has to stay when a bot dies beside it. */

import { deepEqual } from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { generateRoomName } from '../../src/rooms/room-name.ts';
import type { LiveKitServer } from '../../src/testing/start-livekit-server.ts';
import { spawnCaller } from './caller.ts';
import { DoomedBot } from './doomed-bot.ts';
import { isAlive } from './is-alive.ts';
import { listParticipants, listRooms } from './room-service.ts';
import { joinToken } from './tokens.ts';

export interface LiveBystanders extends AsyncDisposable {
  /** @throws {AssertionError} The room is gone or another one, or somebody is out or was out for a while. */
  assertUntouched(): Promise<void>;
}

/** A call of ours that goes on, with its own bot, guardian and caller, in a room whose name has this prefix. */
export async function startLiveBystanders(server: LiveKitServer, prefix: string): Promise<LiveBystanders> {
  const { url } = server;
  const ours = generateRoomName(prefix);
  const caller = spawnCaller({ url, token: await joinToken(server, ours, 'ada') });
  // it is not to be taken for stuck where others keep the machine busy
  const bot = new DoomedBot({ server, url, roomName: ours, verify: false, guardianHeartbeatMs: 30_000 });
  const end = async (): Promise<void> => {
    // orderly, where it can: the guardian of a bot that was killed would look for a server that has stopped
    bot.end();
    await Promise.all([caller.stop(), Promise.race([bot.exited, sleep(3_000, undefined, { ref: false })])]);
    await bot[Symbol.asyncDispose]();
  };
  /** The sids change with a room, or with somebody, that comes back. */
  const look = async () => ({
    rooms: (await listRooms(server, ours)).map(({ name, sid }) => `${name} ${sid}`).sort(),
    inside: (await listParticipants(server, ours)).map(({ identity, sid }) => `${identity} ${sid}`).sort(),
    botRuns: isAlive(bot.pid),
    told: [...caller.events, ...bot.events]
      .map(({ event }) => event)
      .filter((event) => ['reconnecting', 'disconnected', 'failed', 'outcome'].includes(event)),
  });
  try {
    await Promise.all([caller.waitFor('joined', { timeoutMs: 90_000 }), bot.waitFor('started', 30_000)]);
    await bot.guardianPid();
    const before = await look();
    deepEqual({ ...before, rooms: before.rooms.length, inside: before.inside.length }, healthy);
    return {
      assertUntouched: async () => deepEqual(await look(), before, 'a bystander was touched'),
      [Symbol.asyncDispose]: end,
    };
  } catch (error) {
    await end();
    throw error;
  }
}

const healthy = { rooms: 1, inside: 2, botRuns: true, told: [] };
