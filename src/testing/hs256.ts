/** JSON Web Tokens with shared secrets, both ways, so that a test server needs no library. */

import { createHmac, timingSafeEqual } from 'node:crypto';

/** A token taken apart, not yet trusted. */
export interface ParsedToken {
  readonly header: Readonly<Record<string, unknown>>;
  readonly claims: Readonly<Record<string, unknown>>;
  /** True when the signature fits the secret by the algorithm that the header names: HS256, HS384 or HS512. */
  isSignedBy(secret: string): boolean;
}

const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
const hashes: Readonly<Record<string, string>> = { HS256: 'sha256', HS384: 'sha384', HS512: 'sha512' };
const mac = (signed: string, secret: string, hash = 'sha256'): Buffer =>
  createHmac(hash, secret).update(signed).digest();

/** Signs the claims as they are, with HS256. */
export function signToken(claims: object, secret: string): string {
  const signed = `${encode({ alg: 'HS256', typ: 'JWT' })}.${encode(claims)}`;
  return `${signed}.${mac(signed, secret).toString('base64url')}`;
}

/** Takes a token apart; `undefined` when it is none. */
export function parseToken(token: string): ParsedToken | undefined {
  const [header, claims, signature, ...rest] = token.split('.');
  if (!header || !claims || signature === undefined || rest.length > 0) return undefined;
  const parsedHeader = decode(header);
  const parsedClaims = decode(claims);
  if (parsedHeader === undefined || parsedClaims === undefined) return undefined;
  return {
    header: parsedHeader,
    claims: parsedClaims,
    isSignedBy(secret) {
      const hash = hashes[String(parsedHeader.alg)];
      if (hash === undefined) return false;
      const given = Buffer.from(signature, 'base64url');
      const expected = mac(`${header}.${claims}`, secret, hash);
      return given.length === expected.length && timingSafeEqual(given, expected);
    },
  };
}

function decode(part: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, 'base64url').toString());
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}
