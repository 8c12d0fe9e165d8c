/** LiveKit's checks of a token, with its messages. */

import { type ParsedToken, parseToken } from '../rooms/rest/hs256.ts';
import { type Fields, text, type WireRequest } from './fake-wire.ts';

/** The LiveKit versions that a FakeLiveKitServer can imitate; later patch versions respond alike. */
export type FakeLiveKitVersion = '1.9' | '1.13';

/** The grants of RoomService. */
export type RoomGrantName = 'roomCreate' | 'roomList' | 'roomAdmin';

interface TokenLibrary {
  /** Whether it can be parsed. */
  accepts(token: ParsedToken): boolean;
  /** Why a token is refused; `undefined` for a good one. */
  problem(token: ParsedToken, secret: string, nowSeconds: number): string | undefined;
}

const leewaySeconds = 60;

const goJose: TokenLibrary = {
  accepts: ({ claims }) => datesOf(claims).every((date) => date == null || typeof date === 'number'),
  problem: (token, secret, nowSeconds) => {
    if (!token.isSignedBy(secret)) return 'go-jose/go-jose: error in cryptographic primitive';
    const { expired, early, issuedLater } = clockProblems(token, nowSeconds);
    if (early) return 'go-jose/go-jose/jwt: validation failed, token not valid yet (nbf)';
    if (expired) return 'go-jose/go-jose/jwt: validation failed, token is expired (exp)';
    if (issuedLater) return 'go-jose/go-jose/jwt: validation field, token issued in the future (iat)';
    return undefined;
  },
};

const golangJwt: TokenLibrary = {
  accepts: ({ header, claims }) =>
    typeof header.alg === 'string' && datesOf(claims).every((date) => date == null || isNumber(date)),
  problem: (token, secret, nowSeconds) => {
    const { alg } = token.header;
    if (alg !== 'HS256') return `token signature is invalid: signing method ${alg} is invalid`;
    if (!token.isSignedBy(secret)) return 'token signature is invalid: signature is invalid';
    const { expired, early } = clockProblems(token, nowSeconds);
    const problems = [...(expired ? ['token is expired'] : []), ...(early ? ['token is not valid yet'] : [])];
    return problems.length > 0 ? `token has invalid claims: ${problems.join(', ')}` : undefined;
  },
};

const libraries: Readonly<Record<FakeLiveKitVersion, TokenLibrary>> = { '1.9': goJose, '1.13': golangJwt };

/** What tokens are checked with. */
export interface TokenCheck {
  /** The version of LiveKit that is simulated. */
  readonly version: FakeLiveKitVersion;
  /** Secrets by key. */
  readonly keys: Readonly<Record<string, string>>;
  /** The server's clock, milliseconds since 1970. */
  readonly now: () => number;
}

/** The claims of the token, empty without a token, or the message of a refusal. */
export function authenticate({ headers, url }: WireRequest, check: TokenCheck): Fields | string {
  const { version, keys, now } = check;
  const header = text(headers.authorization);
  if (header !== '' && !header.startsWith('Bearer ')) {
    return 'invalid authorization header. Must start with Bearer ';
  }
  const query = new URLSearchParams(url.split('?')[1] ?? '');
  const token = header === '' ? (query.get('access_token') ?? '') : header.slice('Bearer '.length);
  if (token === '') return {};
  const parsed = parseToken(token);
  const library = libraries[version];
  if (parsed === undefined || !library.accepts(parsed)) return 'invalid authorization token';
  const key = text(parsed.claims.iss);
  const secret = Object.hasOwn(keys, key) ? keys[key] : undefined;
  if (secret === undefined) return `invalid API key: ${key}`;
  const problem = library.problem(parsed, secret, now() / 1_000);
  // the real server repeats the token too
  return problem === undefined ? parsed.claims : `invalid token: ${token}, error: ${problem}`;
}

function datesOf({ exp, nbf, iat }: Fields): unknown[] {
  return [exp, nbf, iat];
}

/** Also a number in a string. */
function isNumber(value: unknown): boolean {
  return typeof value === 'number' || (typeof value === 'string' && /^\d+(\.\d+)?(e\d+)?$/.test(value));
}

function clockProblems({ claims: { exp, nbf, iat } }: ParsedToken, nowSeconds: number) {
  return {
    expired: exp != null && nowSeconds - leewaySeconds > Number(exp),
    early: nbf != null && nowSeconds + leewaySeconds < Number(nbf),
    issuedLater: iat != null && nowSeconds + leewaySeconds < Number(iat),
  };
}

/** Whether the claims have the grant; `roomAdmin` only for the token's own room. */
export function allows({ video }: Fields, grant: RoomGrantName, { room }: Fields): boolean {
  if (typeof video !== 'object' || video === null) return false;
  const grants = video as Fields;
  return grants[grant] === true && (grant !== 'roomAdmin' || text(grants.room) === text(room));
}
