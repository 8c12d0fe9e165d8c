/** What the tokens of our REST calls say, whoever signs them. */

/** The one thing a token allows; LiveKit cannot limit `roomCreate` to one room. */
export type RoomGrant =
  | { readonly roomCreate: boolean }
  | { readonly roomList: true }
  | { readonly roomAdmin: true; readonly room: string };

export interface TokenClaims {
  readonly iss: string;
  readonly sub: string;
  readonly nbf: number;
  readonly exp: number;
  readonly video: RoomGrant;
}

const lifetimeS = 60;

/**
 * Exactly these claims: an `iat` ahead of the server's clock is refused by LiveKit 1.9.
 *
 * @param clockOffsetMs How far the server's clock is ahead of ours, in milliseconds.
 */
export function tokenClaims(apiKey: string, video: RoomGrant, clockOffsetMs: number): TokenClaims {
  const nbf = Math.floor((Date.now() + clockOffsetMs) / 1_000);
  return { iss: apiKey, sub: apiKey, nbf, exp: nbf + lifetimeS, video };
}
