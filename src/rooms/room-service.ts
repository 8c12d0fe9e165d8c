import { type LiveKitAnswer, LiveKitRESTError } from '../errors.ts';

import { failureKind, type JsonObject, jsonObject, twirpCode } from './classify-answer.ts';
import type { HttpAnswer, SendHttp } from './http-exchange.ts';
import { networkErrorCode } from './network-error-code.ts';
import { cut, redact } from './redact.ts';
import { isRetryable, parseRetryAfter } from './retry-policy.ts';
import { withTimeLimit } from './time-limit.ts';
import type { RoomGrant } from './token-claims.ts';

/** Already checked; see `LiveKitRESTHelperOptions`. */
export interface RoomServiceOptions {
  readonly baseUrl: string;
  readonly attemptTimeoutMs: number;
  readonly sign: SignGrant;
  readonly send: SendHttp;
  /** Kept out of every error. */
  readonly apiSecret: string;
}

/** Makes a token; `clockOffsetMs` is how far the server's clock is ahead of ours. */
export type SignGrant = (grant: RoomGrant, clockOffsetMs: number) => Promise<string> | string;

/** One method of LiveKit's RoomService, with what it takes and allows. */
export interface RoomServiceCall {
  readonly method: 'DeleteRoom' | 'ListRooms' | 'CreateRoom' | 'ListParticipants';
  /** For the error: what fails, to follow "Failed to". */
  readonly what: string;
  readonly roomName: string;
  readonly grant: RoomGrant;
  readonly body: JsonObject;
  readonly signal: AbortSignal | undefined;
}

/** An answer as we read it: the object that was asked for, or what is wrong. */
type Answer =
  | { readonly json: JsonObject }
  | { readonly failure: LiveKitAnswer; readonly serverTimeMs: number | undefined };

const maxErrorBytes = 64 * 1_024;
/** A thousand rooms are 750 kB, and a listing cut short would make a full room look empty. */
const maxListingBytes = 16 * 1_024 * 1_024;

/**
 * One call of the RoomService over Twirp's JSON: sign, send, read within bounds, classify.
 *
 * Tells each failure as a {@link LiveKitRESTError}. A 401 that blames the clock is repeated once with the
 * server's time, which is kept for later calls.
 */
export class RoomService {
  readonly #options: RoomServiceOptions;
  #clockOffsetMs = 0;

  constructor(options: RoomServiceOptions) {
    this.#options = options;
  }

  async sign(grant: RoomGrant): Promise<string> {
    return this.#options.sign(grant, this.#clockOffsetMs);
  }

  /** Rejects with the signal's reason when that aborts; the time limit covers everything else. */
  call(call: RoomServiceCall): Promise<JsonObject> {
    const limitMs = this.#options.attemptTimeoutMs;
    let status: number | undefined;
    const onTimeout = (): Error => {
      const body = `no complete answer within ${limitMs} ms`;
      return fail(call, { kind: 'timeout', retryable: true, status, body });
    };
    return withTimeLimit({ limitMs, signal: call.signal, onTimeout }, async (signal) => {
      const attempt = async (): Promise<Answer> => {
        status = undefined;
        const answer = await this.#send(call, signal);
        status = answer.status;
        return this.#read(call, answer);
      };
      let answer = await attempt();
      if (this.#repairClock(answer)) answer = await attempt();
      if ('json' in answer) return answer.json;
      throw fail(call, answer.failure);
    });
  }

  async #send(call: RoomServiceCall, signal: AbortSignal): Promise<HttpAnswer> {
    const { baseUrl, send } = this.#options;
    const token = await this.sign(call.grant);
    try {
      return await send({
        url: `${baseUrl}/twirp/livekit.RoomService/${call.method}`,
        headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' },
        body: JSON.stringify(call.body),
        signal,
      });
    } catch (error) {
      const body = `no answer (${networkErrorCode(error)})`;
      throw fail(call, { kind: 'network', retryable: true, body });
    }
  }

  async #read(call: RoomServiceCall, answer: HttpAnswer): Promise<Answer> {
    const { status } = answer;
    const isListing = status === 200 && call.method !== 'DeleteRoom';
    const body = await answer.readBody(isListing ? maxListingBytes : maxErrorBytes);
    const json = jsonObject(body);
    if (status === 200 && json !== undefined) return { json };

    const text = redact(body.text, this.#options.apiSecret);
    const code = twirpCode(json);
    const kind = failureKind({ status, code, text });
    const serverTimeMs = parseDate(answer.header('date'));
    const failure: LiveKitAnswer = {
      kind,
      retryable: isRetryable(kind, status, body.complete),
      status,
      code,
      // what lists rooms carries their TURN passwords
      body: isListing ? '(a listing that cannot be read)' : cut(text),
      retryAfterMs: parseRetryAfter(answer.header('retry-after'), serverTimeMs ?? Date.now()),
    };
    return { failure, serverTimeMs };
  }

  /** Takes over the server's time if it blames ours; true when that makes another attempt worthwhile. */
  #repairClock(answer: Answer): boolean {
    if ('json' in answer || answer.failure.kind !== 'clock' || answer.serverTimeMs === undefined)
      return false;
    this.#clockOffsetMs = answer.serverTimeMs - Date.now();
    return true;
  }
}

function fail(call: RoomServiceCall, answer: LiveKitAnswer): LiveKitRESTError {
  return new LiveKitRESTError(call.roomName, answer, call.what);
}

function parseDate(header: string | null): number | undefined {
  const time = Date.parse(header ?? '');
  return Number.isNaN(time) ? undefined : time;
}
