/** What an answer of LiveKit, or of whatever stands in front of it, means. Pure. */

import type { LiveKitRESTErrorKind } from '../lib/errors.ts';
import type { ResponseBody } from './response-body.ts';

export type JsonObject = Readonly<Record<string, unknown>>;

/** The body as a JSON object, whatever its Content-Type says; `undefined` when it is none, or not whole. */
export function jsonObject({ text, complete }: ResponseBody): JsonObject | undefined {
  if (!complete) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as JsonObject)
      : undefined;
  } catch {
    return undefined;
  }
}

/** The methods of LiveKit's RoomService that endframe needs. */
export type RoomServiceMethod = 'DeleteRoom' | 'ListRooms' | 'CreateRoom' | 'ListParticipants';

/** What an answer has besides status 200. LiveKit 1.9 and 1.13 write empty lists out. */
const hasResult: Record<RoomServiceMethod, (json: JsonObject) => boolean> = {
  DeleteRoom: () => true,
  ListRooms: ({ rooms }) => Array.isArray(rooms),
  CreateRoom: ({ sid }) => typeof sid === 'string',
  ListParticipants: ({ participants }) => Array.isArray(participants),
};

/** Whether the object of a 200 is LiveKit's own answer, and not the error of a gateway that says 200 to everything. */
export function isResult(method: RoomServiceMethod, json: JsonObject): boolean {
  return !isError(json) && hasResult[method](json);
}

/** Whether it has the fields of an error, which no result has. */
export function isError(json: JsonObject): boolean {
  return 'code' in json || 'msg' in json || 'error' in json;
}

/** Twirp's error code; nothing that only looks like text is let through to errors and logs. */
export function twirpCode(body: JsonObject | undefined): string | undefined {
  const code = body?.code;
  return typeof code === 'string' && /^[a-z_]{1,40}$/.test(code) ? code : undefined;
}

/** From here on a clock is off, in milliseconds; LiveKit itself allows 60 s. */
const clockToleranceMs = 30_000;

/** A failed answer, as far as classifying it needs to know it. What it says in words differs by server version. */
export interface FailedAnswer {
  readonly status: number;
  readonly code: string | undefined;
  /** How far the server's clock is ahead of the one that the token was made by; `undefined` where it does not say. */
  readonly aheadMs?: number | undefined;
}

/**
 * The kind of an answer that is no success.
 *
 * A 404 means "no such room" only with Twirp's code: proxies, wrong paths and wrong methods answer 404 too.
 */
export function failureKind({ status, code, aheadMs = 0 }: FailedAnswer): LiveKitRESTErrorKind {
  if (status === 401) return Math.abs(aheadMs) > clockToleranceMs ? 'clock' : 'auth';
  if (status === 403) return 'auth';
  if (status === 404) return code === 'not_found' ? 'not_found' : 'bad_response';
  if (status === 408) return 'timeout';
  if (status === 429) return 'rate_limited';
  if (status === 425 || (status >= 500 && status < 600)) return 'unavailable';
  return status >= 400 && status < 500 ? 'rejected' : 'bad_response';
}
