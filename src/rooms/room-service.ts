import { type LiveKitAnswer, LiveKitRESTError } from '../lib/errors.ts';
import { withAbort } from '../lib/timeout.ts';
import {
  failureKind,
  isResult,
  type JsonObject,
  jsonObject,
  type RoomServiceMethod,
  twirpCode,
} from './classify-answer.ts';
import type { HttpAnswer, SendHttp } from './http-exchange.ts';
import { networkCause } from './network-error-code.ts';
import { cut, redact } from './redact.ts';
import { isRetryable, parseHttpDate, parseRetryAfter } from './retry-policy.ts';
import type { RoomGrant } from './token-claims.ts';

/** Already checked; see `LiveKitRESTHelperOptions`. */
export interface RoomServiceOptions {
  readonly baseUrl: string;
  readonly attemptTimeoutMs: number;
  /** For a list of all rooms. Default: as for everything else. */
  readonly listTimeoutMs?: number | undefined;
  readonly sign: SignGrant;
  readonly send: SendHttp;
  /** Kept out of every error. */
  readonly apiSecret: string;
  /** Why nothing is sent; `undefined` where requests make sense. */
  readonly refusal?: string | undefined;
}

/** Makes a token; `clockOffsetMs` is how far the server's clock is ahead of ours. */
export type SignGrant = (grant: RoomGrant, clockOffsetMs: number) => Promise<string> | string;

/** One method of LiveKit's RoomService, with what it takes and allows. */
export interface RoomServiceCall {
  readonly method: RoomServiceMethod;
  /** For the error: what fails, to follow "Failed to". */
  readonly what: string;
  readonly roomName: string;
  readonly grant: RoomGrant;
  readonly body: JsonObject;
  /** Whether the answer may be long. Default false. */
  readonly isLong?: boolean;
  readonly signal: AbortSignal | undefined;
}

/** An answer as we read it: the object that was asked for, or what is wrong. */
type Answer =
  | { readonly json: JsonObject }
  | {
      readonly failure: LiveKitAnswer;
      /** How far the server's clock is ahead of this machine's, in milliseconds; as assumed where it does not say. */
      readonly serverAheadMs: number;
    };

const maxErrorBytes = 64 * 1_024;
/** A thousand rooms are 750 kB, and a listing cut short would make a full room look empty. */
const maxListingBytes = 16 * 1_024 * 1_024;

/**
 * One call of the RoomService over Twirp's JSON: sign, send, read within bounds, classify.
 *
 * Tells each failure as a {@link LiveKitRESTError}. A 401 from a server with another time is repeated once
 * with the server's, which is kept for later calls if it helped.
 */
export class RoomService {
  readonly #options: RoomServiceOptions & { readonly host: string };
  #clockOffsetMs = 0;
  /** The newest `Date` of the server minus the monotonic clock. */
  #serverDateMs: number | undefined;

  constructor(options: RoomServiceOptions) {
    this.#options = { ...options, host: new URL(options.baseUrl).host };
  }

  async sign(grant: RoomGrant): Promise<string> {
    return this.#options.sign(grant, this.#clockOffsetMs);
  }

  /** The server's time now, milliseconds since 1970; `undefined` before its first answer. */
  serverTimeMs(): number | undefined {
    return this.#serverDateMs === undefined ? undefined : this.#serverDateMs + performance.now();
  }

  /** Rejects with the signal's reason when that aborts; the time limit covers everything else. */
  call(call: RoomServiceCall): Promise<JsonObject> {
    const { attemptTimeoutMs, listTimeoutMs = attemptTimeoutMs, refusal, host } = this.#options;
    const limitMs = call.isLong ? listTimeoutMs : attemptTimeoutMs;
    if (refusal !== undefined) {
      return Promise.reject(fail(call, { kind: 'network', retryable: false, body: refusal }));
    }
    let status: number | undefined;
    const onTimeout = (): Error => {
      const body = `no complete answer from ${host} within ${limitMs} ms`;
      return fail(call, { kind: 'timeout', retryable: true, status, body });
    };
    return withAbort({ limitMs, signal: call.signal, onTimeout }, async (signal) => {
      const attempt = async (clockOffsetMs: number): Promise<Answer> => {
        status = undefined;
        const answer = await this.#send(call, clockOffsetMs, signal);
        status = answer.status;
        return this.#read(call, clockOffsetMs, answer);
      };
      let answer = await attempt(this.#clockOffsetMs);
      if ('failure' in answer && answer.failure.kind === 'clock') {
        const { serverAheadMs } = answer;
        answer = await attempt(serverAheadMs);
        // else it was not the clock, and the time of a proxy must not spoil later calls
        if (status !== 401) this.#clockOffsetMs = serverAheadMs;
      }
      if ('json' in answer) return answer.json;
      throw fail(call, answer.failure);
    });
  }

  async #send(call: RoomServiceCall, clockOffsetMs: number, signal: AbortSignal): Promise<HttpAnswer> {
    const { baseUrl, host, send, sign, apiSecret } = this.#options;
    const token = await sign(call.grant, clockOffsetMs);
    try {
      return await send({
        url: `${baseUrl}/twirp/livekit.RoomService/${call.method}`,
        headers: {
          Authorization: `Bearer ${token}`,
          'Content-Type': 'application/json',
          // so that nothing has to be decoded; some proxies compress all the same
          'Accept-Encoding': 'identity',
        },
        body: JSON.stringify(call.body),
        signal,
      });
    } catch (error) {
      const body = `no answer (${networkCause(error, host, apiSecret)})`;
      throw fail(call, { kind: 'network', retryable: true, body });
    }
  }

  async #read(call: RoomServiceCall, clockOffsetMs: number, answer: HttpAnswer): Promise<Answer> {
    const { status } = answer;
    const dateMs = parseHttpDate(answer.header('date'));
    if (dateMs !== undefined) this.#serverDateMs = dateMs - performance.now();
    const isListing = status === 200 && call.method !== 'DeleteRoom';
    const body = await answer.readBody(isListing ? maxListingBytes : maxErrorBytes);
    const json = jsonObject(body);
    if (status === 200 && json !== undefined && isResult(call.method, json)) return { json };

    const text = redact(body.text, this.#options.apiSecret);
    const code = twirpCode(json);
    const nowMs = Date.now();
    const serverMs = dateMs ?? nowMs + clockOffsetMs;
    const serverAheadMs = serverMs - nowMs;
    const kind = failureKind({ status, code, aheadMs: serverAheadMs - clockOffsetMs });
    const failure: LiveKitAnswer = {
      kind,
      retryable: isRetryable(kind, status, body.complete),
      status,
      code,
      // what lists rooms carries their TURN passwords
      body: isListing ? '(a listing that cannot be read)' : cut(text),
      retryAfterMs: parseRetryAfter(answer.header('retry-after'), serverMs),
    };
    return { failure, serverAheadMs };
  }
}

function fail(call: RoomServiceCall, answer: LiveKitAnswer): LiveKitRESTError {
  return new LiveKitRESTError(call.roomName, answer, call.what);
}
