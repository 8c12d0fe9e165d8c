import { createHmac } from 'node:crypto';
import type { RestCredentials } from './livekit-rest-helper.ts';
import { RoomCalls } from './room-calls.ts';
import type { RoomRest } from './room-rest.ts';
import { RoomService } from './room-service.ts';
import { sendByHttp } from './send-by-http.ts';
import { refusalOf } from './server-url.ts';
import { type TokenClaims, tokenClaims } from './token-claims.ts';

/** What `LiveKitRESTHelper` does, with Node's own modules alone. */
export function guardianRest({ apiKey, apiSecret, baseUrl, attemptTimeoutMs }: RestCredentials): RoomRest {
  const service = new RoomService({
    apiSecret,
    baseUrl,
    attemptTimeoutMs,
    refusal: refusalOf(baseUrl),
    sign: (grant, clockOffsetMs) => signHs256(tokenClaims(apiKey, grant, clockOffsetMs), apiSecret),
    send: sendByHttp,
  });
  return new RoomCalls(service);
}

function signHs256(claims: TokenClaims, secret: string): string {
  const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const signed = `${encode({ alg: 'HS256', typ: 'JWT' })}.${encode(claims)}`;
  return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`;
}
