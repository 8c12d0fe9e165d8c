/** Tokens that let somebody into one room, with the least grants, for a short time. */

import { checkDurationMs, checkText } from '../../lib/options.ts';
import { signClaims } from '../../rooms/access-token.ts';
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
  return signFor(options);
}

/**
 * For a bot. Joining as an agent, it does not keep a room alive that all humans have left, and others see what it
 * is; and it may write its own attributes.
 *
 * @throws {InvalidOptionError} An option is missing or can never work.
 */
export async function createAgentToken(options: AgentTokenOptions): Promise<string> {
  const { emptyTimeoutMs = 300_000, departureTimeoutMs = 20_000 } = options;
  checkDurationMs('emptyTimeoutMs', emptyTimeoutMs);
  checkDurationMs('departureTimeoutMs', departureTimeoutMs);
  // servers refuse a token with a field that they do not know
  const roomConfig = { emptyTimeout: seconds(emptyTimeoutMs), departureTimeout: seconds(departureTimeoutMs) };
  // the grant alone says it to the server only, the kind to the other participants
  return signFor(options, { agent: true, canUpdateOwnMetadata: true }, { kind: 'agent', roomConfig });
}

async function signFor(
  options: ParticipantTokenOptions,
  moreRights: object = {},
  moreClaims: object = {},
): Promise<string> {
  const { apiKey, apiSecret, roomName, identity, name, metadata, attributes, ttlMs = 600_000 } = options;
  checkText('apiKey', apiKey);
  checkText('apiSecret', apiSecret);
  checkText('identity', identity);
  checkRoomName(roomName);
  checkDurationMs('ttlMs', ttlMs);
  const nbf = Math.floor(Date.now() / 1_000);
  const rights = { canPublish: true, canSubscribe: true, canPublishData: true };
  const video = { roomJoin: true, room: roomName, ...rights, ...moreRights };
  const claims = { iss: apiKey, sub: identity, nbf, exp: nbf + seconds(ttlMs), name, metadata, attributes };
  return signClaims({ ...claims, video, ...moreClaims }, apiSecret);
}

function seconds(ms: number): number {
  return Math.ceil(ms / 1_000);
}
