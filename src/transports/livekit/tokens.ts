/** Join tokens: made with the least grants for a short time, and read without verifying them. */

import { InvalidOptionError } from '../../lib/errors.ts';
import { checkDurationMs, checkText } from '../../lib/options.ts';
import { signClaims } from '../../rooms/rest/access-token.ts';
import { checkRoomName } from '../../rooms/room-name.ts';

/** Options of {@link createParticipantToken}. */
export interface ParticipantTokenOptions {
  /** LiveKit's API key. */
  readonly apiKey: string;
  /** LiveKit's API secret. */
  readonly apiSecret: string;
  /** The room's name. */
  readonly roomName: string;
  /** Unique in the room: a participant that joins with the same one replaces the first. */
  readonly identity: string;
  /** Display name. */
  readonly name?: string | undefined;
  /** The metadata; empty for none. */
  readonly metadata?: string | undefined;
  /** The attributes, by name. */
  readonly attributes?: Readonly<Record<string, string>> | undefined;
  /** How long it can be used to join, in milliseconds; being in the room is not limited. Default 600,000. */
  readonly ttlMs?: number | undefined;
}

/** Options of {@link createAgentToken}. */
export interface AgentTokenOptions extends ParticipantTokenOptions {
  /** How long a room that this bot creates stays open before its first participant, in milliseconds. Default 300,000. */
  readonly emptyTimeoutMs?: number | undefined;
  /** How long it stays open after the last participant, in milliseconds. Default 20,000. */
  readonly departureTimeoutMs?: number | undefined;
}

/**
 * For people: grants to join this room, publish, subscribe and send data, and never to create rooms.
 *
 * @throws {InvalidOptionError} An option is missing or invalid.
 */
export async function createParticipantToken(options: ParticipantTokenOptions): Promise<string> {
  return sign(options);
}

/**
 * For bots: joins as an agent, which does not keep a room open without people, is visible as an agent to others, and
 * may write its own attributes.
 *
 * @throws {InvalidOptionError} An option is missing or invalid.
 */
export async function createAgentToken(options: AgentTokenOptions): Promise<string> {
  const { emptyTimeoutMs = 300_000, departureTimeoutMs = 20_000 } = options;
  checkDurationMs('emptyTimeoutMs', emptyTimeoutMs);
  checkDurationMs('departureTimeoutMs', departureTimeoutMs);
  // servers refuse tokens with unknown fields
  const roomConfig = { emptyTimeout: seconds(emptyTimeoutMs), departureTimeout: seconds(departureTimeoutMs) };
  // the grant is for the server only, the kind for the other participants
  return sign(options, { agent: true, canUpdateOwnMetadata: true }, { kind: 'agent', roomConfig });
}

async function sign(
  options: ParticipantTokenOptions,
  moreGrants: object = {},
  moreClaims: object = {},
): Promise<string> {
  const { apiKey, apiSecret, roomName, identity, name, metadata, attributes, ttlMs = 600_000 } = options;
  checkText('apiKey', apiKey);
  checkText('apiSecret', apiSecret);
  checkText('identity', identity);
  checkRoomName(roomName);
  checkDurationMs('ttlMs', ttlMs);
  const nbf = Math.floor(Date.now() / 1_000);
  const grants = { canPublish: true, canSubscribe: true, canPublishData: true };
  const video = { roomJoin: true, room: roomName, ...grants, ...moreGrants };
  const claims = { iss: apiKey, sub: identity, nbf, exp: nbf + seconds(ttlMs), name, metadata, attributes };
  return signClaims({ ...claims, video, ...moreClaims }, apiSecret);
}

function seconds(ms: number): number {
  return Math.ceil(ms / 1_000);
}

/** The claims of a join token that matter to the bot that joins with it. */
export interface JoinToken {
  /** The room's name. */
  readonly roomName: string;
  /** The participant's identity in the room. */
  readonly identity: string;
  /** Whether the bot may write its own attributes: LiveKit ignores writes without it. */
  readonly canUpdateOwnMetadata: boolean;
  /** Whether the bot joins as an agent: LiveKit closes rooms without other participants. */
  readonly isAgent: boolean;
}

/**
 * Reads a join token; the signature is verified by the server only.
 *
 * @throws {InvalidOptionError} It is no join token; the value is not quoted.
 */
export function parseJoinToken(token: string): JoinToken {
  const claims = payloadOf(token);
  const { sub: identity, kind, video } = claims ?? {};
  const roomName = video?.room;
  if (typeof identity === 'string' && typeof roomName === 'string') {
    const canUpdateOwnMetadata = video?.canUpdateOwnMetadata === true;
    return { roomName, identity, canUpdateOwnMetadata, isAgent: video?.agent === true || kind === 'agent' };
  }
  throw new InvalidOptionError('token', 'a LiveKit join token with an identity and a room');
}

interface Claims {
  readonly sub?: unknown;
  readonly kind?: unknown;
  readonly video?: {
    readonly room?: unknown;
    readonly canUpdateOwnMetadata?: unknown;
    readonly agent?: unknown;
  };
}

function payloadOf(token: unknown): Claims | undefined {
  try {
    return JSON.parse(Buffer.from(String(token).split('.')[1] ?? '', 'base64url').toString());
  } catch {
    return undefined;
  }
}
