/** JSON Web Tokens by node:crypto alone: the claims of REST calls, HS256 signing, parsing. For the guardian and test servers. */

import { createHmac, timingSafeEqual } from 'node:crypto';

/** The single permission of a token; LiveKit cannot limit `roomCreate` to one room. */
export type RoomGrant =
  | { readonly roomCreate: boolean }
  | { readonly roomList: true }
  | { readonly roomAdmin: true; readonly room: string };

/** The claims of a REST call's token; times are seconds since 1970. */
export interface RestTokenClaims {
  /** The issuer: the API key. */
  readonly iss: string;
  /** The subject: the identity. */
  readonly sub: string;
  /** Not valid before, in seconds since 1970. */
  readonly nbf: number;
  /** Expires, in seconds since 1970. */
  readonly exp: number;
  /** The grants. */
  readonly video: RoomGrant;
}

const lifetimeS = 60;

/**
 * Exactly these claims: LiveKit 1.9 refuses an `iat` ahead of the server's clock.
 *
 * @param clockOffsetMs How far the server's clock is ahead of this machine's, in milliseconds.
 */
export function restTokenClaims(apiKey: string, video: RoomGrant, clockOffsetMs: number): RestTokenClaims {
  const nbf = Math.floor((Date.now() + clockOffsetMs) / 1_000);
  return { iss: apiKey, sub: apiKey, nbf, exp: nbf + lifetimeS, video };
}

/** A parsed token; its claims are not trusted before `isSignedBy`. */
export interface ParsedToken {
  /** The header of the token. */
  readonly header: Readonly<Record<string, unknown>>;
  /** The claims of the token. */
  readonly claims: Readonly<Record<string, unknown>>;
  /** True when the signature fits the secret by the algorithm of the header: HS256, HS384 or HS512. */
  isSignedBy(secret: string): boolean;
}

const hashes: Readonly<Record<string, string>> = { HS256: 'sha256', HS384: 'sha384', HS512: 'sha512' };
const mac = (signed: string, secret: string, hash = 'sha256'): Buffer =>
  createHmac(hash, secret).update(signed).digest();

/** Signs the claims as they are, with HS256. */
export function signToken(claims: object, secret: string): string {
  const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const signed = `${encode({ alg: 'HS256', typ: 'JWT' })}.${encode(claims)}`;
  return `${signed}.${mac(signed, secret).toString('base64url')}`;
}

/** Parses a token without verifying it; `undefined` for anything else. */
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
