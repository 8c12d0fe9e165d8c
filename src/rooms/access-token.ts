/** LiveKit access tokens for REST calls. The only file that knows jose. */

import type { webcrypto } from 'node:crypto';
import { SignJWT } from 'jose';

/** The one thing a token allows; LiveKit cannot limit `roomCreate` to one room. */
export type RoomGrant =
  | { readonly roomCreate: boolean }
  | { readonly roomList: true }
  | { readonly roomAdmin: true; readonly room: string };

const lifetimeS = 60;

/**
 * Signs short-lived tokens with one key pair.
 *
 * Claims are exactly `iss`, `sub`, `nbf`, `exp` and `video`: an `iat` ahead of the server's clock is refused
 * by LiveKit 1.9.
 */
export class AccessTokenSigner {
  readonly #apiKey: string;
  readonly #apiSecret: string;
  /** Kept, because importing the secret costs as much as signing. */
  #key: Promise<webcrypto.CryptoKey> | undefined;

  constructor(apiKey: string, apiSecret: string) {
    this.#apiKey = apiKey;
    this.#apiSecret = apiSecret;
  }

  /** @param clockOffsetMs How far the server's clock is ahead of ours, in milliseconds. */
  async sign(video: RoomGrant, clockOffsetMs = 0): Promise<string> {
    this.#key ??= importSecret(this.#apiSecret);
    const nbf = Math.floor((Date.now() + clockOffsetMs) / 1_000);
    const claims = { iss: this.#apiKey, sub: this.#apiKey, nbf, exp: nbf + lifetimeS, video };
    return new SignJWT(claims).setProtectedHeader({ alg: 'HS256', typ: 'JWT' }).sign(await this.#key);
  }
}

function importSecret(secret: string): Promise<webcrypto.CryptoKey> {
  const algorithm = { name: 'HMAC', hash: 'SHA-256' };
  return crypto.subtle.importKey('raw', new TextEncoder().encode(secret), algorithm, false, ['sign']);
}
