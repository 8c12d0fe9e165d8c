/** What the real server says about rooms, through the official SDK: a view that owes nothing to our code. */

import { type ParticipantInfo, type Room, RoomServiceClient } from 'livekit-server-sdk';
import type { Keys } from './tokens.ts';

export interface RestServer extends Keys {
  readonly httpUrl: string;
}

export function roomService({ httpUrl, apiKey, apiSecret }: RestServer): RoomServiceClient {
  return new RoomServiceClient(httpUrl, apiKey, apiSecret);
}

/** The rooms of these names, or all of them. */
export function listRooms(server: RestServer, ...names: readonly string[]): Promise<Room[]> {
  return roomService(server).listRooms(names.length === 0 ? undefined : [...names]);
}

export async function roomExists(server: RestServer, name: string): Promise<boolean> {
  return (await listRooms(server, name)).length > 0;
}

/** Empty also when there is no such room. */
export function listParticipants(server: RestServer, room: string): Promise<ParticipantInfo[]> {
  return roomService(server).listParticipants(room);
}
