/** Tokens that let somebody into one room, with the least grants, for a short time. */

import type { AccessToken, VideoGrant } from 'livekit-server-sdk';
import { checkLimitMs, checkText } from '../../option-checks.ts';
import { checkRoomName } from '../../rooms/room-name.ts';

export interface ParticipantTokenOptions {
  readonly apiKey: string;
  readonly apiSecret: string;
  readonly roomName: string;
  /** Unique in the room: somebody who joins with the same one takes the place of the first. */
  readonly identity: string;
  /** Shown to others. */
  readonly name?: string | undefined;
  readonly metadata?: string | undefined;
  readonly attributes?: Readonly<Record<string, string>> | undefined;
  /** How long it lets in, in milliseconds; who is in stays. Default 600 000. */
  readonly ttlMs?: number | undefined;
}

export interface AgentTokenOptions extends ParticipantTokenOptions {
  /** How long a room that this bot creates waits for its first human, in milliseconds. Default 300 000. */
  readonly emptyTimeoutMs?: number | undefined;
  /** How long it stays when the last human has left, in milliseconds. Default 20 000. */
  readonly departureTimeoutMs?: number | undefined;
}

/**
 * For a human: may join this room, speak, listen and send messages. Never gives the right to create rooms.
 *
 * @throws {InvalidOptionError} An option is missing or can never work.
 */
export async function createParticipantToken(options: ParticipantTokenOptions): Promise<string> {
  const token = await tokenFor(options, {});
  return token.toJwt();
}

/**
 * For a bot. Joining as an agent, it does not keep a room alive that all humans have left, and others see what it
 * is; and it may write its own attributes.
 *
 * @throws {InvalidOptionError} An option is missing or can never work.
 */
export async function createAgentToken(options: AgentTokenOptions): Promise<string> {
  const { emptyTimeoutMs = 300_000, departureTimeoutMs = 20_000 } = options;
  checkLimitMs('emptyTimeoutMs', emptyTimeoutMs);
  checkLimitMs('departureTimeoutMs', departureTimeoutMs);
  const token = await tokenFor(options, { agent: true, canUpdateOwnMetadata: true });
  // the grant alone says it to the server only
  token.kind = 'agent';
  const { RoomConfiguration } = await import('livekit-server-sdk');
  const config = new RoomConfiguration({
    emptyTimeout: Math.ceil(emptyTimeoutMs / 1_000),
    departureTimeout: Math.ceil(departureTimeoutMs / 1_000),
  });
  // by itself it writes down fields that are not set, and servers refuse a token with a field they do not know
  token.roomConfig = Object.assign(config, { toJSON: () => config.toJson() });
  return token.toJwt();
}

async function tokenFor(options: ParticipantTokenOptions, more: VideoGrant): Promise<AccessToken> {
  const { apiKey, apiSecret, roomName, identity, name, metadata, attributes, ttlMs = 600_000 } = options;
  checkText('apiKey', apiKey);
  checkText('apiSecret', apiSecret);
  checkText('identity', identity);
  checkRoomName(roomName);
  checkLimitMs('ttlMs', ttlMs);
  const { AccessToken } = await import('livekit-server-sdk');
  const token = new AccessToken(apiKey, apiSecret, {
    identity,
    ttl: Math.ceil(ttlMs / 1_000),
    ...(name !== undefined && { name }),
    ...(metadata !== undefined && { metadata }),
    ...(attributes !== undefined && { attributes: { ...attributes } }),
  });
  const rights = { canPublish: true, canSubscribe: true, canPublishData: true };
  token.addGrant({ roomJoin: true, room: roomName, ...rights, ...more });
  return token;
}
