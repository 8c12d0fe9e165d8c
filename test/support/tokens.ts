import { AccessToken, type VideoGrant } from 'livekit-server-sdk';

/** The key pair of a server. */
export interface Keys {
  readonly apiKey: string;
  readonly apiSecret: string;
}

/** A token with exactly these grants, good for ten minutes. */
export function tokenFor(
  { apiKey, apiSecret }: Keys,
  identity: string,
  grant: VideoGrant,
  kind?: string,
): Promise<string> {
  const token = new AccessToken(apiKey, apiSecret, { identity, ttl: 600 });
  token.addGrant(grant);
  if (kind !== undefined) token.kind = kind;
  return token.toJwt();
}

/** Lets somebody join a room, speak and listen. */
export function joinToken(keys: Keys, room: string, identity: string, kind?: string): Promise<string> {
  return tokenFor(keys, identity, { roomJoin: true, room, canPublish: true, canSubscribe: true }, kind);
}
