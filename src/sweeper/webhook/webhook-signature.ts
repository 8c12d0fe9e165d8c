/** Verifies that a webhook comes from LiveKit: an HS256 token with the hash of the body. */

import { createHash, createHmac, timingSafeEqual } from 'node:crypto';

/** The key pair that LiveKit signs webhooks with. */
export interface WebhookKeys {
  readonly apiKey: string;
  readonly apiSecret: string;
}

/** Tolerated clock difference in seconds, as LiveKit's own. */
const leewayS = 60;
const maxTokenLength = 4_096;

/**
 * Checks the token of a webhook against the raw body.
 *
 * HS256 only. An access token of a participant is refused: it has no hash of a body.
 *
 * @param body The raw bytes; parsed and serialized again they would differ.
 * @returns When the token expires, milliseconds since 1970; `undefined` when it is not valid.
 */
export function verifyWebhook(
  token: string | null,
  body: Uint8Array,
  { apiKey, apiSecret }: WebhookKeys,
  nowMs: number,
): number | undefined {
  const [header, claims, signature, ...rest] = (token ?? '').slice(0, maxTokenLength + 1).split('.');
  if (!token || token.length > maxTokenLength || !header || !claims || !signature || rest.length > 0) {
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
