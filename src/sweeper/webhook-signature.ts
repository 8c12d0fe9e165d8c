/** Whether a webhook really comes from LiveKit: an HS256 token that carries the hash of the body. */

import { createHash, createHmac, timingSafeEqual } from 'node:crypto';

export interface WebhookKeys {
  readonly apiKey: string;
  readonly apiSecret: string;
}

/** Of the clocks of both sides together. LiveKit itself allows a minute. */
const leewayS = 60;
const longestToken = 4_096;

/**
 * Checks the token of a webhook against the body as it came.
 *
 * There is no way around it, and no other algorithm: an access token of a participant has no hash of a body.
 *
 * @param body The raw bytes; parsing and writing them again would change them.
 * @returns When the token expires, milliseconds since 1970; `undefined` when it is not LiveKit's.
 */
export function verifyWebhook(
  token: string | null,
  body: Uint8Array,
  { apiKey, apiSecret }: WebhookKeys,
  nowMs: number,
): number | undefined {
  const [header, claims, signature, ...rest] = (token ?? '').slice(0, longestToken + 1).split('.');
  if (!token || token.length > longestToken || !header || !claims || !signature || rest.length > 0) {
    return undefined;
  }
  const expected = createHmac('sha256', apiSecret).update(`${header}.${claims}`).digest();
  if (!isSame(Buffer.from(signature, 'base64url'), expected)) return undefined;
  if (decode(header)?.alg !== 'HS256') return undefined;
  const { iss, exp, nbf, sha256 } = decode(claims) ?? {};
  const nowS = nowMs / 1_000;
  if (iss !== apiKey || typeof exp !== 'number' || exp + leewayS <= nowS) return undefined;
  if (typeof nbf === 'number' && nbf - leewayS > nowS) return undefined;
  if (typeof sha256 !== 'string') return undefined;
  const isBody = isSame(Buffer.from(sha256, 'base64'), createHash('sha256').update(body).digest());
  return isBody ? (exp + leewayS) * 1_000 : undefined;
}

function isSame(given: Buffer, expected: Buffer): boolean {
  return given.length === expected.length && timingSafeEqual(given, expected);
}

function decode(part: string): Record<string, unknown> | undefined {
  try {
    const json: unknown = JSON.parse(Buffer.from(part, 'base64url').toString());
    return typeof json === 'object' && json !== null ? (json as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
