/** The room of a job, and the REST API to delete it. */

import { LiveKitRESTHelper } from '../rooms/rest/livekit-rest-helper.ts';
import type { RoomRest } from '../rooms/rest/room-rest.ts';
import { givenOrEnv } from '../rooms/rest/server-url.ts';
import type { RoomIdentity } from '../rooms/room-identity.ts';
import { isGeneratedRoomName } from '../rooms/room-name.ts';
import type { AgentJobContext } from './job-context.ts';

/** The room and the LiveKit server; by default the job's. */
export interface JobRoomOptions {
  /** The room. Default: the one that the job was assigned to. */
  readonly roomName?: string | undefined;
  /** The server's. Default: the worker's, else `LIVEKIT_URL`. */
  readonly url?: string | undefined;
  /** LiveKit's API key. Default: the worker's, else `LIVEKIT_API_KEY`. */
  readonly apiKey?: string | undefined;
  /** LiveKit's API secret. Default: the worker's, else `LIVEKIT_API_SECRET`. */
  readonly apiSecret?: string | undefined;
  /** Instead of URL, key and secret. */
  readonly rest?: RoomRest | undefined;
}

/** For console mode, which has no room and no server; never called. */
const noRest: RoomRest = { deleteRoomByName: async () => true };

/** True in console mode. */
export function isFakeJob(ctx: AgentJobContext | undefined): boolean {
  return ctx?.isFakeJob ?? ctx?.info.fakeJob ?? false;
}

/** The room's name; empty where it is unknown. */
export function jobRoomName(ctx: AgentJobContext | undefined, { roomName }: JobRoomOptions): string {
  // the assigned room is known before the bot has connected; protobuf's default is an empty name
  const name = roomName ?? (ctx?.job.room?.name || ctx?.room.name);
  return name || (isFakeJob(ctx) ? 'console' : '');
}

/** The assigned room, not a later one of its name; `undefined` where the deleter has to look it up. */
export function assignedRoom(ctx: AgentJobContext | undefined, roomName: string): RoomIdentity | undefined {
  const { name, sid } = ctx?.job.room ?? {};
  const isAssigned = name === roomName && sid !== undefined && sid !== '';
  return isAssigned ? { owned: isGeneratedRoomName(roomName), sid } : undefined;
}

/** @throws {InvalidOptionError} URL, key or secret are missing or invalid. */
export function jobRest(ctx: AgentJobContext | undefined, options: JobRoomOptions): RoomRest {
  if (isFakeJob(ctx)) return noRest;
  if (options.rest !== undefined) return options.rest;
  const { url, apiKey, apiSecret } = ctx?.info ?? {};
  return new LiveKitRESTHelper({
    apiUrl: givenOrEnv('apiUrl', options.url ?? (url || undefined), 'LIVEKIT_URL'),
    apiKey: givenOrEnv('apiKey', options.apiKey ?? (apiKey || undefined), 'LIVEKIT_API_KEY'),
    apiSecret: givenOrEnv('apiSecret', options.apiSecret ?? (apiSecret || undefined), 'LIVEKIT_API_SECRET'),
  });
}
