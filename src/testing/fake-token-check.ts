/** How LiveKit checks tokens, in its words. */

import { type Fields, text, type WireRequest } from './fake-wire.ts';
import { type ParsedToken, parseToken } from './hs256.ts';

export type RoomGrantName = 'roomCreate' | 'roomList' | 'roomAdmin';

const leewaySeconds = 60;

/** The claims of the token, none without a token, or the text of a refusal. */
export function authenticate(
  { headers, url }: WireRequest,
  keys: Readonly<Record<string, string>>,
  nowMs: number,
): Fields | string {
  const header = text(headers.authorization);
  if (header !== '' && !header.startsWith('Bearer ')) {
    return 'invalid authorization header. Must start with Bearer ';
  }
  const query = new URLSearchParams(url.split('?')[1] ?? '');
  const token = header === '' ? (query.get('access_token') ?? '') : header.slice('Bearer '.length);
  if (token === '') return {};
  const parsed = parseToken(token);
  if (parsed === undefined || !hasNumericDates(parsed)) return 'invalid authorization token';
  const key = text(parsed.claims.iss);
  const secret = Object.hasOwn(keys, key) ? keys[key] : undefined;
  if (secret === undefined) return `invalid API key: ${key}`;
  const problem = parsed.isSignedBy(secret)
    ? clockProblem(parsed.claims, nowMs / 1_000)
    : 'go-jose/go-jose: error in cryptographic primitive';
  // the token comes back in the answer: the real server does that too
  return problem === undefined ? parsed.claims : `invalid token: ${token}, error: ${problem}`;
}

function hasNumericDates({ claims }: ParsedToken): boolean {
  return [claims.exp, claims.nbf, claims.iat].every((date) => date == null || typeof date === 'number');
}

function clockProblem({ nbf, exp, iat }: Fields, nowSeconds: number): string | undefined {
  const library = 'go-jose/go-jose/jwt';
  if (typeof nbf === 'number' && nowSeconds + leewaySeconds < nbf) {
    return `${library}: validation failed, token not valid yet (nbf)`;
  }
  if (typeof exp === 'number' && nowSeconds - leewaySeconds > exp) {
    return `${library}: validation failed, token is expired (exp)`;
  }
  if (typeof iat === 'number' && nowSeconds + leewaySeconds < iat) {
    return `${library}: validation field, token issued in the future (iat)`;
  }
  return undefined;
}

/** Whether the claims grant it; the administration of a room only for the room in the token. */
export function allows({ video }: Fields, grant: RoomGrantName, { room }: Fields): boolean {
  if (typeof video !== 'object' || video === null) return false;
  const grants = video as Fields;
  return grants[grant] === true && (grant !== 'roomAdmin' || text(grants.room) === text(room));
}
