import { checkFunction, checkMethods, checkText } from '../option-checks.ts';
import { readBody } from './request-body.ts';
import { SeenIds } from './seen-ids.ts';
import { verifyWebhook, type WebhookKeys } from './webhook-signature.ts';

export interface WebhookHandlerOptions extends WebhookKeys {
  /** What is told to look; a `Sweeper`. */
  readonly sweeper: { lookSooner(...roomNames: readonly string[]): void };
  /** Milliseconds since 1970. Default `Date.now`. */
  readonly nowMs?: (() => number) | undefined;
}

const contentTypes = ['application/webhook+json', 'application/json'];
const maxBytes = 64 * 1_024;
/** For the whole body; LiveKit holds back the room's next events until it has an answer. */
const bodyLimitMs = 800;
/** LiveKit's tokens live for five minutes, and it sends an event five times. */
const leastMemoryMs = 6 * 60_000;

/**
 * Makes a handler for LiveKit's webhooks, for any server that speaks `Request` and `Response`.
 *
 * A genuine event makes the sweeper look at its room now instead of in a few seconds. It never decides anything:
 * events come late, twice, in the wrong order or not at all, and the sweeper reads LiveKit before it acts. The
 * handler answers within a second, before the look. It never rejects.
 *
 * @throws {InvalidOptionError} A key is missing, or there is nothing to tell.
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
    const isNew = seen.add(event.id, now, Math.max(goodUntilMs, now + leastMemoryMs));
    if (isNew && event.roomName !== undefined) hint(sweeper, event.roomName);
    return answer(200);
  };
  return (request) => handle(request).catch(() => answer(500));
}

interface Event {
  readonly id: string;
  readonly roomName: string | undefined;
}

/** A failing sweeper is no reason for LiveKit to send the event again. */
function hint(sweeper: WebhookHandlerOptions['sweeper'], roomName: string): void {
  try {
    sweeper.lookSooner(roomName);
  } catch {
    // the next pass looks anyway
  }
}

/** Only what is needed: the rest of an event holds a TURN password. */
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
