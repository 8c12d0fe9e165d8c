/** A sweeper with short limits, and the rooms beside which it works. */

import { expect } from 'vitest';
import { silentLogger } from '../../src/lib/logger.ts';
import { LiveKitRESTHelper } from '../../src/rooms/rest/livekit-rest-helper.ts';
import { generateRoomName } from '../../src/rooms/room-name.ts';
import { Sweeper } from '../../src/sweeper/sweeper.ts';
import type { OrphanReport } from '../../src/sweeper/sweeper-events.ts';
import type { SweeperOptions } from '../../src/sweeper/sweeper-options.ts';
import type { LiveKitServer } from '../../src/testing/start-livekit-server.ts';
import { listRooms, roomService } from '../support/room-service.ts';
import { startLeasedBots } from './leased-bots.ts';

/** A look that takes longer than a poll counts for nothing: shorter ones are for idle machines. */
export const limits = { pollMs: 1_000, leaseTtlMs: 4_000, graceMs: 4_000 };

/** What is promised of a sweeper: its longest limit and two polls. */
export const boundMs: number = Math.max(limits.leaseTtlMs, limits.graceMs) + 2 * limits.pollMs;

/** To look, to delete, and to hear of it. */
export const measuringMs = 300;

export interface QuickSweeper extends AsyncDisposable {
  readonly sweeper: Sweeper;
  readonly reaped: readonly OrphanReport[];
}

export function startSweeper(
  server: LiveKitServer,
  prefix: string,
  { attemptTimeoutMs = 500, ...options }: Partial<SweeperOptions> & { attemptTimeoutMs?: number } = {},
): QuickSweeper {
  const rest = new LiveKitRESTHelper({ ...server, apiUrl: server.httpUrl, attemptTimeoutMs });
  const sweeper = new Sweeper({ rest, prefix, logger: silentLogger, ...limits, ...options });
  const reaped: OrphanReport[] = [];
  sweeper.on('roomReaped', (report) => reaped.push(report));
  sweeper.start();
  return { sweeper, reaped, [Symbol.asyncDispose]: () => sweeper.stop() };
}

/** For the rooms of one test alone, on a server that others use as well; such as `lost1b2c-`. */
export function uniquePrefix(word: string): string {
  return `${word}${generateRoomName().slice(-8)}-`;
}

export interface Bystanders extends AsyncDisposable {
  /** They are there, the same as before, and no other room with the prefix of the first is. */
  expectOnlyThese(): Promise<void>;
}

/** A room with a living bot of ours, and one of somebody else whose name is like this one. */
export async function startBystanders(
  server: LiveKitServer,
  roomName: string,
  neighbour: string = generateRoomName(prefixOf(roomName)),
): Promise<Bystanders> {
  const lookAlike = `${roomName}-2`;
  await roomService(server).createRoom({ name: lookAlike, emptyTimeout: 300 });
  await roomService(server).createRoom({ name: neighbour, emptyTimeout: 300 });
  const bots = await startLeasedBots(server, [neighbour]);
  const sids = async () => {
    const rooms = await listRooms(server);
    const ours = rooms.filter(({ name }) => name === neighbour || name.startsWith(prefixOf(roomName)));
    return new Map(ours.map(({ name, sid }): [string, string] => [name, sid]));
  };
  const all = await sids();
  const before = new Map([neighbour, lookAlike].map((name) => [name, all.get(name)]));
  return {
    expectOnlyThese: async () => expect(await sids()).toEqual(before),
    [Symbol.asyncDispose]: async () => {
      await bots[Symbol.asyncDispose]();
      const names = [...(await sids()).keys()];
      // a sweeper may be quicker
      await Promise.allSettled(names.map((name) => roomService(server).deleteRoom(name)));
    },
  };
}

function prefixOf(roomName: string): string {
  return roomName.slice(0, roomName.indexOf('-') + 1);
}
