/** LiveKit access tokens signed with jose; the only file that imports it. */

import type { webcrypto } from 'node:crypto';
import { SignJWT } from 'jose';
import { type RoomGrant, restTokenClaims } from './hs256.ts';

/** Signs tokens of 60 seconds for REST calls with one key pair. */
export class AccessTokenSigner {
  readonly #apiKey: string;
  readonly #apiSecret: string;
  /** Cached: importing the secret costs as much as signing. */
  #key: Promise<webcrypto.CryptoKey> | undefined;

  constructor(apiKey: string, apiSecret: string) {
    this.#apiKey = apiKey;
    this.#apiSecret = apiSecret;
  }

  /** @param clockOffsetMs How far the server's clock is ahead of this machine's, in milliseconds. Default 0. */
  async sign(video: RoomGrant, clockOffsetMs = 0): Promise<string> {
    this.#key ??= importSecret(this.#apiSecret);
    return sign(restTokenClaims(this.#apiKey, video, clockOffsetMs), await this.#key);
  }
}

/** Signs any claims, for a single token. */
export async function signClaims(claims: object, apiSecret: string): Promise<string> {
  return sign(claims, await importSecret(apiSecret));
}

function sign(claims: object, key: webcrypto.CryptoKey): Promise<string> {
  return new SignJWT({ ...claims }).setProtectedHeader({ alg: 'HS256', typ: 'JWT' }).sign(key);
}

function importSecret(secret: string): Promise<webcrypto.CryptoKey> {
  const algorithm = { name: 'HMAC', hash: 'SHA-256' };
  return crypto.subtle.importKey('raw', new TextEncoder().encode(secret), algorithm, false, ['sign']);
}
