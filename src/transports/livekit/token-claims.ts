import { InvalidOptionError } from '../../lib/errors.ts';

/** Whom a join token lets in, and where. */
export interface TokenClaims {
  readonly roomName: string;
  readonly identity: string;
}

/**
 * Reads a join token; whether it is genuine is for the server to say.
 *
 * @throws {InvalidOptionError} It is no join token; the value is not quoted.
 */
export function tokenClaims(token: string): TokenClaims {
  const claims = parse(token) as { sub?: unknown; video?: { room?: unknown } } | undefined;
  const identity = claims?.sub;
  const roomName = claims?.video?.room;
  if (typeof identity === 'string' && typeof roomName === 'string') return { roomName, identity };
  throw new InvalidOptionError('token', 'a LiveKit join token with an identity and a room');
}

/** Whether it lets its bearer write their own attributes, which LiveKit does not tell those who try. */
export function maySetAttributes(token: string): boolean {
  const claims = parse(token) as { video?: { canUpdateOwnMetadata?: unknown } } | undefined;
  return claims?.video?.canUpdateOwnMetadata === true;
}

/** Whether its bearer is an agent to LiveKit, which closes a room in which nobody but agents is left. */
export function isAgentToken(token: string): boolean {
  const claims = parse(token) as { kind?: unknown; video?: { agent?: unknown } } | undefined;
  return claims?.video?.agent === true || claims?.kind === 'agent';
}

function parse(token: unknown): unknown {
  try {
    return JSON.parse(Buffer.from(String(token).split('.')[1] ?? '', 'base64url').toString());
  } catch {
    return undefined;
  }
}
