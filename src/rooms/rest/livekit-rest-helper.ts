/** The REST client of the package: options, tokens by jose, warm-up. */

import { InvalidOptionError } from '../../lib/errors.ts';
import { checkDurationMs, checkFunction, checkOptions, checkText } from '../../lib/options.ts';
import { AccessTokenSigner } from './access-token.ts';
import { sendByFetch } from './http.ts';
import type { RestCallOptions, RoomRest } from './room-rest.ts';
import { RoomServiceClient } from './room-service-client.ts';
import { placeholderUrl, refusalOf, restBaseUrl } from './server-url.ts';

/** Options of a {@link LiveKitRESTHelper}. */
export interface LiveKitRESTHelperOptions {
  /** LiveKit's API key. */
  readonly apiKey: string;
  /** LiveKit's API secret. */
  readonly apiSecret: string;
  /**
   * http, https, ws or wss; a base path is kept. Default: Pipecat's placeholder, `https://your-livekit-host.com`, to
   * which nothing is sent: calls reject at once with that reason.
   */
  readonly apiUrl?: string | undefined;
  /** Default: the global `fetch`, looked up for each call. */
  readonly fetch?: typeof globalThis.fetch | undefined;
  /** For connect, headers, body and the repair of a wrong clock together. Default 3 000. */
  readonly attemptTimeoutMs?: number | undefined;
  /** The same for a list of all rooms, which takes long where there are many. Default 20 000. */
  readonly listTimeoutMs?: number | undefined;
}

/** The server and key pair for the guardian. */
export interface RestCredentials {
  /** LiveKit's API key. */
  readonly apiKey: string;
  /** LiveKit's API secret. */
  readonly apiSecret: string;
  /** The URL of the server's HTTP API. */
  readonly baseUrl: string;
  /** The limit for one request, in milliseconds. */
  readonly attemptTimeoutMs: number;
}

/**
 * The key pair of a helper, for the guardian; `undefined` for any other `rest`.
 *
 * Not exported by the package; the key pair is neither enumerable nor shown by `inspect`.
 */
export let credentialsOf: (rest: RoomRest) => RestCredentials | undefined;

/** Listing a room that does not exist costs the server nothing. */
const warmUpName = 'endframe-warm-up';

/**
 * Calls LiveKit's RoomService, one attempt at a time; `RoomDeleter` adds the retries.
 *
 * Each attempt signs its own token of 60 seconds with the least grant. After a 401 with another time the
 * server's clock is tried once. Redirects are never followed. Neither the secret nor a token gets into
 * errors, `JSON.stringify` or `util.inspect`.
 *
 * @example
 * const rest = new LiveKitRESTHelper({ apiUrl: 'wss://livekit.example.com', apiKey, apiSecret });
 * await rest.deleteRoomByName('call-42');
 *
 * @throws {InvalidOptionError} An option is missing or can never work. Nothing is taken from the environment.
 * @see Pipecat `transports/livekit/utils.py`, `LiveKitRESTHelper` (Copyright (c) Daily, BSD 2-Clause License),
 *   whose names, request, claims and message these are; there it has no time limit, follows redirects, and
 *   throws a bare Exception.
 */
export class LiveKitRESTHelper extends RoomServiceClient {
  readonly #listTimeoutMs: number;
  readonly #credentials: RestCredentials;

  static {
    credentialsOf = (rest) => (#credentials in rest ? rest.#credentials : undefined);
  }

  constructor(options: LiveKitRESTHelperOptions) {
    checkOptions(options);
    const { apiKey, apiSecret, apiUrl = placeholderUrl, fetch } = options;
    const { attemptTimeoutMs = 3_000, listTimeoutMs = 20_000 } = options;
    checkText('apiKey', apiKey);
    checkText('apiSecret', apiSecret);
    checkDurationMs('attemptTimeoutMs', attemptTimeoutMs);
    checkDurationMs('listTimeoutMs', listTimeoutMs);
    if (fetch !== undefined) checkFunction('fetch', fetch);
    const baseUrl = restBaseUrl(apiUrl);
    const signer = new AccessTokenSigner(apiKey, apiSecret);
    super({
      apiSecret,
      baseUrl,
      attemptTimeoutMs,
      listTimeoutMs,
      // a fetch of one's own may go anywhere
      refusal: fetch === undefined ? refusalOf(baseUrl) : undefined,
      sign: (grant, clockOffsetMs) => signer.sign(grant, clockOffsetMs),
      send: sendByFetch(fetch),
    });
    this.#listTimeoutMs = listTimeoutMs;
    this.#credentials = { apiKey, apiSecret, baseUrl, attemptTimeoutMs };
  }

  /**
   * A helper for the server that `LIVEKIT_URL`, `LIVEKIT_API_KEY` and `LIVEKIT_API_SECRET` name.
   *
   * @throws {InvalidOptionError} One of them is missing, empty or can never work; it is named, and never quoted.
   */
  static fromEnv(env: Readonly<Record<string, string | undefined>> = process.env): LiveKitRESTHelper {
    const [apiUrl, apiKey, apiSecret] = ['LIVEKIT_URL', 'LIVEKIT_API_KEY', 'LIVEKIT_API_SECRET'].map(
      (name) => {
        const value = env[name];
        if (!value) throw new InvalidOptionError(name, 'set in the environment');
        return value;
      },
    ) as [string, string, string];
    return new LiveKitRESTHelper({ apiUrl: restBaseUrl(apiUrl, 'LIVEKIT_URL'), apiKey, apiSecret });
  }

  /** How long a list of all rooms may take, in milliseconds. */
  get listTimeoutMs(): number {
    return this.#listTimeoutMs;
  }

  /** A token of 60 seconds that may create and delete rooms, or nothing at all. */
  createAccessToken(roomCreate = true): Promise<string> {
    return this.sign({ roomCreate });
  }

  /**
   * Signs, connects and lists a room that does not exist, so that the first deletion is fast.
   *
   * @throws {LiveKitRESTError} LiveKit cannot be reached, or refuses the credentials.
   */
  async warmUp(options: RestCallOptions = {}): Promise<void> {
    await this.listRooms([warmUpName], options);
  }
}
