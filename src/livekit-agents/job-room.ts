/** Which room a job is for, and how it can be deleted. */

import { isGeneratedRoomName } from '../rooms/generated-room-name.ts';
import { givenOrEnv } from '../rooms/given-or-env.ts';
import { LiveKitRESTHelper } from '../rooms/livekit-rest-helper.ts';
import type { RoomIdentity } from '../rooms/room-identity.ts';
import type { RoomRest } from '../rooms/room-rest.ts';
import type { AgentJobContext } from './job-context.ts';

export interface JobRoomOptions {
  /** Default: the room that the job was assigned to. */
  readonly roomName?: string | undefined;
  /** Default: the worker's, else `LIVEKIT_URL`. */
  readonly url?: string | undefined;
  /** Default: the worker's, else `LIVEKIT_API_KEY`. */
  readonly apiKey?: string | undefined;
  /** Default: the worker's, else `LIVEKIT_API_SECRET`. */
  readonly apiSecret?: string | undefined;
  /** Instead of URL, key and secret. */
  readonly rest?: RoomRest | undefined;
}

/** Console mode has no room and no server: nothing is ever called. */
const noRest: RoomRest = { deleteRoomByName: async () => true };

export function isFakeJob(ctx: AgentJobContext | undefined): boolean {
  return ctx?.isFakeJob ?? ctx?.info.fakeJob ?? false;
}

/** The name is empty when nobody knows it. */
export function jobRoomName(ctx: AgentJobContext | undefined, { roomName }: JobRoomOptions): string {
  // the assigned room is known before the bot has connected, and empty in protobuf's way when it is not
  const name = roomName ?? (ctx?.job.room?.name || ctx?.room.name);
  return name || (isFakeJob(ctx) ? 'console' : '');
}

/** The room that was assigned, and no later one of its name; `undefined` where the deleter has to find out. */
export function assignedRoom(ctx: AgentJobContext | undefined, roomName: string): RoomIdentity | undefined {
  const { name, sid } = ctx?.job.room ?? {};
  const isAssigned = name === roomName && sid !== undefined && sid !== '';
  return isAssigned ? { owned: isGeneratedRoomName(roomName), sid } : undefined;
}

/** @throws {InvalidOptionError} URL, key or secret are nowhere, or can never work. */
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
