/** Turns LiveKit's webhooks into hints for a sweeper. */

import { checkFunction, checkMethods, checkText } from '../../lib/options.ts';
import { readBody } from './request-body.ts';
import { verifyWebhook, type WebhookKeys } from './webhook-signature.ts';

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
