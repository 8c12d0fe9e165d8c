/** What has to stay when a bot dies beside it. */

import { deepEqual } from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { generateRoomName } from '../../src/rooms/generated-room-name.ts';
import type { LiveKitServer } from '../../src/testing/start-livekit-server.ts';
import { spawnCaller } from './caller.ts';
import { DoomedBot } from './doomed-bot.ts';
import { isAlive } from './is-alive.ts';
import { listParticipants, listRooms, roomService } from './room-service.ts';
import { joinToken } from './tokens.ts';

export interface LiveBystanders extends AsyncDisposable {
  /** Somebody else's room: its name begins like that of the one that is to go. */
  readonly lookAlike: string;
  /** @throws {AssertionError} A room is gone or another one, or somebody is out or was out for a while. */
  assertUntouched(): Promise<void>;
}

/** A call of ours that goes on, with its own bot, guardian and caller, and a room with a name like this one. */
export async function startLiveBystanders(server: LiveKitServer, roomName: string): Promise<LiveBystanders> {
  const { url } = server;
  const lookAlike = `${roomName}-2`;
  const ours = generateRoomName(roomName.slice(0, roomName.indexOf('-') + 1));
  await roomService(server).createRoom({ name: lookAlike, emptyTimeout: 300 });
  const caller = spawnCaller({ url, token: await joinToken(server, ours, 'ada') });
  const bot = new DoomedBot({ server, url, roomName: ours, verify: false });
  const end = async (): Promise<void> => {
    // orderly, where it can: the guardian of a bot that was killed would look for a server that has stopped
    bot.end();
    await Promise.all([caller.stop(), Promise.race([bot.exited, sleep(3_000, undefined, { ref: false })])]);
    await bot[Symbol.asyncDispose]();
  };
  /** The sids change with a room, or with somebody, that comes back. */
  const look = async () => ({
    rooms: (await listRooms(server, ours, lookAlike)).map(({ name, sid }) => `${name} ${sid}`).sort(),
    inside: (await listParticipants(server, ours)).map(({ identity, sid }) => `${identity} ${sid}`).sort(),
    botRuns: isAlive(bot.pid),
    told: [...caller.events, ...bot.events]
      .map(({ event }) => event)
      .filter((event) => ['reconnecting', 'disconnected', 'failed', 'outcome'].includes(event)),
  });
  try {
    await Promise.all([caller.waitFor('joined', { timeoutMs: 30_000 }), bot.waitFor('started', 30_000)]);
    await bot.guardianPid();
    const before = await look();
    deepEqual({ ...before, rooms: before.rooms.length, inside: before.inside.length }, healthy);
    return {
      lookAlike,
      assertUntouched: async () => deepEqual(await look(), before, 'a bystander was touched'),
      [Symbol.asyncDispose]: end,
    };
  } catch (error) {
    await end();
    throw error;
  }
}

const healthy = { rooms: 2, inside: 2, botRuns: true, told: [] };
