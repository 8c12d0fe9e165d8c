/** An answer of LiveKit, or of a proxy before it: bounded body, JSON, success or failure, listed rooms. */

import { isUtf8 } from 'node:buffer';
import type { LiveKitAnswer } from '../../lib/errors.ts';
import { isRetryable } from '../retry-policy.ts';
import { failureKind, redact, truncate } from './rest-error.ts';
import type { ListedParticipant, ListedRoom } from './room-rest.ts';

/** The head of an answer, with its body still to be read. */
export interface HttpAnswer {
  /** The HTTP status. */
  readonly status: number;
  /** A header of the response; `null` without it. */
  header(name: string): string | null;
  /** Reads at most `maxBytes` bytes; never rejects. To be called once, or the connection stays in use. */
  readBody(maxBytes: number): Promise<ResponseBody>;
}

/** The part of a body that could be read. */
export interface ResponseBody {
  /** The text. */
  readonly text: string;
  /** False when it was longer than allowed, broke off, or is not UTF-8. */
  readonly complete: boolean;
}

/** Bytes of a body, and whether these are all of them. */
export interface BodyBytes {
  /** The bytes that were read. */
  readonly bytes: Buffer;
  /** Whether the body was read to its end. */
  readonly complete: boolean;
}

/** An object that was parsed from JSON. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** The methods of LiveKit's RoomService in use. */
export type RoomServiceMethod = 'DeleteRoom' | 'ListRooms' | 'CreateRoom' | 'ListParticipants';

/** An answer of LiveKit: the object of a success, or the failure. */
export type Answer =
  | { readonly json: JsonObject }
  | {
      readonly failure: LiveKitAnswer;
      /** How far the server's clock is ahead of this machine's, in milliseconds; as assumed where it has no `Date`. */
      readonly serverAheadMs: number;
    };

const maxErrorBytes = 64 * 1_024;
/** A thousand rooms are 750 kB; a truncated list would make a full room look empty. */
const maxListingBytes = 16 * 1_024 * 1_024;

/** Reads and classifies an answer; never rejects. */
export async function readAnswer(
  method: RoomServiceMethod,
  answer: HttpAnswer,
  { clockOffsetMs, apiSecret }: { readonly clockOffsetMs: number; readonly apiSecret: string },
): Promise<Answer> {
  const { status } = answer;
  const isListing = status === 200 && method !== 'DeleteRoom';
  const body = await answer.readBody(isListing ? maxListingBytes : maxErrorBytes);
  const json = jsonObject(body);
  if (status === 200 && json !== undefined && isResult(method, json)) return { json };
  const code = twirpCode(json);
  const nowMs = Date.now();
  const serverMs = parseHttpDate(answer.header('date')) ?? nowMs + clockOffsetMs;
  const serverAheadMs = serverMs - nowMs;
  const kind = failureKind({ status, code, aheadMs: serverAheadMs - clockOffsetMs });
  const failure: LiveKitAnswer = {
    kind,
    retryable: isRetryable(kind, status, body.complete),
    status,
    code,
    // listed rooms carry their TURN passwords
    body: isListing ? '(a listing that cannot be read)' : truncate(redact(body.text, apiSecret)),
    retryAfterMs: parseRetryAfter(answer.header('retry-after'), serverMs),
  };
  return { failure, serverAheadMs };
}

/** Reads at most `maxBytes` and gives the connection up when there is more; never rejects. */
export async function readBounded(
  body: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  maxBytes: number,
): Promise<BodyBytes> {
  const chunks: Uint8Array[] = [];
  let left = maxBytes;
  try {
    for await (const chunk of body) {
      chunks.push(chunk.subarray(0, left));
      left -= chunk.byteLength;
      // leaving the loop closes the connection
      if (left < 0) break;
    }
  } catch {
    // the status line has arrived and counts
    left = -1;
  }
  return { bytes: Buffer.concat(chunks), complete: left >= 0 };
}

/** Decodes the bytes of a body. */
export function toBody({ bytes, complete }: BodyBytes): ResponseBody {
  return { text: bytes.toString('utf8'), complete: complete && isUtf8(bytes) };
}

/** Removes a proxy's compression, which was not requested; unknown codings stay, as with `fetch`. Never rejects. */
export async function decodeBody(body: BodyBytes, codings: string, maxBytes: number): Promise<ResponseBody> {
  let { bytes } = body;
  try {
    // the last one listed was applied last
    for (const coding of codings.split(',').reverse()) {
      bytes = await decode(bytes, coding.trim().toLowerCase(), maxBytes);
    }
    return toBody({ bytes, complete: body.complete });
  } catch {
    return { text: '', complete: false };
  }
}

async function decode(bytes: Buffer, coding: string, maxOutputLength: number): Promise<Buffer> {
  if (!['gzip', 'x-gzip', 'deflate', 'br'].includes(coding)) return bytes;
  const [zlib, { promisify }] = await Promise.all([import('node:zlib'), import('node:util')]);
  if (coding === 'br') return promisify(zlib.brotliDecompress)(bytes, { maxOutputLength });
  // some servers send deflate without zlib's header (its first byte ends in 8)
  const isBare = coding === 'deflate' && ((bytes[0] ?? 0) & 0x0f) !== 8;
  return promisify(isBare ? zlib.inflateRaw : zlib.unzip)(bytes, { maxOutputLength });
}

/** The body as a JSON object, for any Content-Type; `undefined` for anything else, or an incomplete one. */
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

/** The required fields of a 200. LiveKit 1.9 and 1.13 write empty lists out. */
const hasResult: Record<RoomServiceMethod, (json: JsonObject) => boolean> = {
  DeleteRoom: () => true,
  ListRooms: ({ rooms }) => Array.isArray(rooms),
  CreateRoom: ({ sid }) => typeof sid === 'string',
  ListParticipants: ({ participants }) => Array.isArray(participants),
};

/** Whether the object of a 200 is LiveKit's own, and not the error of a gateway that answers 200 to everything. */
function isResult(method: RoomServiceMethod, json: JsonObject): boolean {
  const isError = 'code' in json || 'msg' in json || 'error' in json;
  return !isError && hasResult[method](json);
}

/** Twirp's error code; free text is kept out of errors and logs. */
export function twirpCode(body: JsonObject | undefined): string | undefined {
  const code = body?.code;
  return typeof code === 'string' && /^[a-z_]{1,40}$/.test(code) ? code : undefined;
}

/**
 * The wait of a `Retry-After` header, in milliseconds from now; `undefined` for a date that has passed and for
 * anything but whole seconds or an HTTP date.
 */
export function parseRetryAfter(header: string | null, nowMs: number): number | undefined {
  const text = header?.trim() ?? '';
  if (/^\d+$/.test(text)) return Math.min(Number(text) * 1_000, Number.MAX_SAFE_INTEGER);
  const waitMs = (parseHttpDate(text) ?? 0) - nowMs;
  return waitMs > 0 ? waitMs : undefined;
}

/** Milliseconds since 1970; `undefined` for anything but an HTTP date. */
export function parseHttpDate(header: string | null): number | undefined {
  const text = header?.trim() ?? '';
  // Date.parse alone would accept "-1" and "1.5"
  const time = /^[A-Z][a-z]+, .* GMT$/.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(time) ? undefined : time;
}

/** A room in LiveKit's JSON: snake_case, 64-bit integers as strings. */
export function listedRoom(json: JsonObject): ListedRoom {
  return {
    name: text(json.name),
    sid: text(json.sid),
    // older servers list whole seconds only
    creationTimeMs: number(json.creation_time_ms) || number(json.creation_time) * 1_000,
    metadata: text(json.metadata),
  };
}

/** A participant in LiveKit's JSON. */
export function listedParticipant(json: JsonObject): ListedParticipant {
  const permission = object(json.permission);
  return {
    identity: text(json.identity),
    sid: text(json.sid),
    state: text(json.state),
    kind: text(json.kind) || 'STANDARD',
    isAgent: json.kind === 'AGENT' || permission.agent === true,
    isRecorder: permission.recorder === true,
    attributes: Object.fromEntries(
      Object.entries(object(json.attributes)).map(([name, value]) => [name, text(value)]),
    ),
    joinedAtMs: number(json.joined_at_ms) || number(json.joined_at) * 1_000 || undefined,
  };
}

/** The elements of a list as objects. */
export function objects(value: unknown): JsonObject[] {
  return Array.isArray(value) ? value.map(object) : [];
}

function object(value: unknown): JsonObject {
  return typeof value === 'object' && value !== null ? (value as JsonObject) : {};
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function number(value: unknown): number {
  const parsed = Number(value ?? 0);
  return Number.isFinite(parsed) ? parsed : 0;
}
