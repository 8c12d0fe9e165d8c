/** Turns LiveKit's webhooks into hints for a sweeper: reads the body within limits and verifies the signature. */

import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { checkFunction, checkMethods, checkText } from '../../lib/options.ts';

/** The key pair that LiveKit signs webhooks with, and the sweeper. */
export interface WebhookHandlerOptions extends WebhookKeys {
  /** Gets the hints; a `Sweeper`. */
  readonly sweeper: { lookSooner(...roomNames: readonly string[]): void };
  /**
   * Milliseconds since 1970.
   *
   * @defaultValue `Date.now`
   */
  readonly nowMs?: (() => number) | undefined;
}

const contentTypes = ['application/webhook+json', 'application/json'];
const maxBytes = 64 * 1_024;
/** For the whole body; LiveKit delays the room's next events until it has an answer. */
const bodyLimitMs = 800;
/** LiveKit's tokens are valid for 5 minutes, and it sends an event up to 5 times. */
const minMemoryMs = 6 * 60_000;

/**
 * Makes a handler for LiveKit's webhooks, for any server that speaks `Request` and `Response`.
 *
 * A genuine event makes the sweeper probe its room now instead of a few seconds later. It decides nothing: events come
 * late, twice, in the wrong order or not at all, and the sweeper asks LiveKit before it acts. The handler answers
 * within a second, before the probe, and never rejects.
 *
 * @throws {InvalidOptionError} A key is missing, or `sweeper` is none.
 */
export function webhookHandler(options: WebhookHandlerOptions): (request: Request) => Promise<Response> {
  const { apiKey, apiSecret, sweeper, nowMs = Date.now } = options;
  checkText('apiKey', apiKey);
  checkText('apiSecret', apiSecret);
  checkMethods('sweeper', sweeper, ['lookSooner']);
  checkFunction('nowMs', nowMs);
  const seen = new SeenIds();

  const handle = async (request: Request): Promise<Response> => {
    if (request.method !== 'POST') return answer(405);
    const contentType = request.headers.get('content-type')?.split(';')[0]?.trim().toLowerCase() ?? '';
    if (!contentTypes.includes(contentType)) return answer(415);
    const body = await readBody(request, { maxBytes, limitMs: bodyLimitMs });
    if (typeof body === 'number') return answer(body);
    const now = nowMs();
    const goodUntilMs = verifyWebhook(request.headers.get('authorization'), body, { apiKey, apiSecret }, now);
    if (goodUntilMs === undefined) return answer(401);
    const event = parse(body);
    if (event === undefined) return answer(400);
    const isNew = seen.add(event.id, now, Math.max(goodUntilMs, now + minMemoryMs));
    if (isNew && event.roomName !== undefined) hint(sweeper, event.roomName);
    return answer(200);
  };
  return (request) => handle(request).catch(() => answer(500));
}

interface Event {
  readonly id: string;
  readonly roomName: string | undefined;
}

/** An error of the sweeper must not make LiveKit repeat the event. */
function hint(sweeper: WebhookHandlerOptions['sweeper'], roomName: string): void {
  try {
    sweeper.lookSooner(roomName);
  } catch {
    // the next pass probes the room
  }
}

/** Reads id and room name only: events contain a TURN password. */
function parse(body: Uint8Array): Event | undefined {
  try {
    const { id, room } = JSON.parse(Buffer.from(body).toString()) as {
      id?: unknown;
      room?: { name?: unknown };
    };
    if (typeof id !== 'string' || id === '') return undefined;
    return { id, roomName: typeof room?.name === 'string' && room.name !== '' ? room.name : undefined };
  } catch {
    return undefined;
  }
}

function answer(status: number): Response {
  return new Response(null, { status });
}

/** Ids of events, remembered until they can no longer come with a valid token. */
class SeenIds {
  readonly #untilMs = new Map<string, number>();

  /** False for an id that was added before. */
  add(id: string, nowMs: number, untilMs: number): boolean {
    this.#expire(nowMs);
    if (this.#untilMs.has(id)) return false;
    this.#untilMs.set(id, untilMs);
    return true;
  }

  /** From the front only: ids expire in nearly the order in which they were added. */
  #expire(nowMs: number): void {
    for (const [id, untilMs] of this.#untilMs) {
      if (untilMs > nowMs) return;
      this.#untilMs.delete(id);
    }
  }
}

/** The largest body, and the longest time for all of it. */
export interface RequestBodyLimits {
  /** The maximum size, in bytes. */
  readonly maxBytes: number;
  /** The limit, in milliseconds. */
  readonly limitMs: number;
}

/**
 * The raw body of a request, or the status to answer with: 413 too large, 408 too slow, 400 aborted or locked.
 *
 * Never rejects, and stops reading at the limits.
 */
export async function readBody(
  request: Request,
  { maxBytes, limitMs }: RequestBodyLimits,
): Promise<Uint8Array | 400 | 408 | 413> {
  if (Number(request.headers.get('content-length') ?? 0) > maxBytes) return 413;
  if (request.body === null) return new Uint8Array();
  const reader = readerOf(request.body);
  if (reader === undefined) return 400;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<408>((resolve) => {
    timer = setTimeout(resolve, limitMs, 408);
  });
  const result = await Promise.race([late, readAll(reader, maxBytes).catch((): 400 => 400)]);
  clearTimeout(timer);
  if (typeof result === 'number') reader.cancel().catch(() => {});
  return result;
}

/** `undefined` for a locked stream. */
function readerOf(body: ReadableStream<Uint8Array>): ReadableStreamDefaultReader<Uint8Array> | undefined {
  try {
    return body.getReader();
  } catch {
    return undefined;
  }
}

async function readAll(
  reader: ReadableStreamDefaultReader<Uint8Array>,
  maxBytes: number,
): Promise<Uint8Array | 413> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return Buffer.concat(chunks);
    length += value.byteLength;
    if (length > maxBytes) return 413;
    chunks.push(value);
  }
}

/** The key pair that LiveKit signs webhooks with. */
export interface WebhookKeys {
  /** LiveKit's API key. */
  readonly apiKey: string;
  /** LiveKit's API secret. */
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
