/** LiveKit's RoomService over Twirp's JSON: the four calls, and the one request behind them. */

import { type LiveKitAnswer, LiveKitRESTError } from '../../lib/errors.ts';
import { withAbort } from '../../lib/timeout.ts';
import { checkRoomName } from '../room-name.ts';
import type { RoomGrant } from './hs256.ts';
import type { SendHttp } from './http.ts';
import {
  type Answer,
  type HttpAnswer,
  type JsonObject,
  listedParticipant,
  listedRoom,
  objects,
  parseHttpDate,
  type RoomServiceMethod,
  readAnswer,
} from './response.ts';
import { networkCause } from './rest-error.ts';
import type { ListedParticipant, ListedRoom, RestCallOptions, RoomRest } from './room-rest.ts';

/** Already checked; see `LiveKitRESTHelperOptions`. */
export interface RoomServiceClientOptions {
  /** The URL of the server's HTTP API. */
  readonly baseUrl: string;
  /** The limit for one request, in milliseconds. */
  readonly attemptTimeoutMs: number;
  /** For a list of all rooms, in milliseconds. Default `attemptTimeoutMs`. */
  readonly listTimeoutMs?: number | undefined;
  /** Makes a token; `clockOffsetMs` is how far the server's clock is ahead of this machine's. */
  readonly sign: (grant: RoomGrant, clockOffsetMs: number) => Promise<string> | string;
  /** Sends one request. */
  readonly send: SendHttp;
  /** Redacted in every error. */
  readonly apiSecret: string;
  /** Why nothing is sent; `undefined` where requests make sense. */
  readonly refusal?: string | undefined;
}

/** One call, with the least grant for it. */
interface Call extends RestCallOptions {
  readonly method: RoomServiceMethod;
  readonly roomName: string;
  readonly grant: RoomGrant;
  readonly body: JsonObject;
}

/** What fails in an error's message, to follow "Failed to". */
const what: Record<RoomServiceMethod, string> = {
  DeleteRoom: 'delete room',
  ListRooms: 'list rooms',
  CreateRoom: 'create room',
  ListParticipants: 'list participants of room',
};

/**
 * One attempt per call, with a token of its own.
 *
 * Every failure is a {@link LiveKitRESTError}. A 401 from a server with another time is repeated once with the
 * server's, which later calls use if it helped.
 */
export class RoomServiceClient implements RoomRest {
  readonly #options: RoomServiceClientOptions;
  #clockOffsetMs = 0;
  /** The newest `Date` of the server minus the monotonic clock. */
  #serverDateMs: number | undefined;

  constructor(options: RoomServiceClientOptions) {
    this.#options = options;
  }

  /**
   * Deletes the room, which disconnects all participants.
   *
   * @returns True when LiveKit has confirmed it: status 200 with a JSON object that is no error.
   * @throws {LiveKitRESTError} Anything else, a room that does not exist (`kind: 'not_found'`) included.
   * @throws {InvalidOptionError} The name is empty, above 256 bytes or ill-formed; nothing was sent.
   */
  async deleteRoomByName(roomName: string, options?: RestCallOptions): Promise<true> {
    checkRoomName(roomName);
    const body = { room: roomName };
    await this.#call({ method: 'DeleteRoom', roomName, grant: { roomCreate: true }, body, ...options });
    return true;
  }

  async listRooms(names: readonly string[], options?: RestCallOptions): Promise<readonly ListedRoom[]> {
    for (const name of names) checkRoomName(name, 'names');
    const roomName = names.join(', ');
    const grant = { roomList: true } as const;
    const answer = await this.#call({ method: 'ListRooms', roomName, grant, body: { names }, ...options });
    return objects(answer.rooms).map(listedRoom);
  }

  async createRoom(roomName: string, options?: RestCallOptions): Promise<ListedRoom> {
    checkRoomName(roomName);
    const body = { name: roomName };
    const grant = { roomCreate: true };
    return listedRoom(await this.#call({ method: 'CreateRoom', roomName, grant, body, ...options }));
  }

  async listParticipants(roomName: string, options?: RestCallOptions): Promise<readonly ListedParticipant[]> {
    checkRoomName(roomName);
    const grant = { roomAdmin: true, room: roomName } as const;
    const body = { room: roomName };
    const answer = await this.#call({ method: 'ListParticipants', roomName, grant, body, ...options });
    return objects(answer.participants).map(listedParticipant);
  }

  /** LiveKit's time now, milliseconds since 1970, by the `Date` of its newest answer; `undefined` before the first. */
  serverTimeMs(): number | undefined {
    return this.#serverDateMs === undefined ? undefined : this.#serverDateMs + performance.now();
  }

  /** A token by the server's clock, as far as it is known. */
  protected async sign(grant: RoomGrant): Promise<string> {
    return this.#options.sign(grant, this.#clockOffsetMs);
  }

  /** Rejects with the signal's reason when that aborts; the time limit covers everything else. */
  async #call(call: Call): Promise<JsonObject> {
    const { baseUrl, attemptTimeoutMs, listTimeoutMs, refusal, apiSecret } = this.#options;
    if (refusal !== undefined) throw failure(call, { kind: 'network', retryable: false, body: refusal });
    const listsAll = call.method === 'ListRooms' && call.roomName === '';
    const limitMs = (listsAll ? listTimeoutMs : undefined) ?? attemptTimeoutMs;
    let status: number | undefined;
    const onTimeout = (): Error => {
      const body = `no complete answer from ${new URL(baseUrl).host} within ${limitMs} ms`;
      return failure(call, { kind: 'timeout', retryable: true, status, body });
    };
    return withAbort({ limitMs, signal: call.signal, onTimeout }, async (signal) => {
      const attempt = async (clockOffsetMs: number): Promise<Answer> => {
        status = undefined;
        const answer = await this.#send(call, clockOffsetMs, signal);
        status = answer.status;
        const dateMs = parseHttpDate(answer.header('date'));
        if (dateMs !== undefined) this.#serverDateMs = dateMs - performance.now();
        return readAnswer(call.method, answer, { clockOffsetMs, apiSecret });
      };
      let answer = await attempt(this.#clockOffsetMs);
      if ('failure' in answer && answer.failure.kind === 'clock') {
        const { serverAheadMs } = answer;
        answer = await attempt(serverAheadMs);
        // else it was not the clock, and the time of a proxy must not spoil later calls
        if (status !== 401) this.#clockOffsetMs = serverAheadMs;
      }
      if ('json' in answer) return answer.json;
      throw failure(call, answer.failure);
    });
  }

  async #send(call: Call, clockOffsetMs: number, signal: AbortSignal): Promise<HttpAnswer> {
    const { baseUrl, send, sign, apiSecret } = this.#options;
    const headers = {
      Authorization: `Bearer ${await sign(call.grant, clockOffsetMs)}`,
      'Content-Type': 'application/json',
      // some proxies compress all the same
      'Accept-Encoding': 'identity',
    };
    const url = `${baseUrl}/twirp/livekit.RoomService/${call.method}`;
    try {
      return await send({ url, headers, body: JSON.stringify(call.body), signal });
    } catch (error) {
      const body = `no answer (${networkCause(error, new URL(baseUrl).host, apiSecret)})`;
      throw failure(call, { kind: 'network', retryable: true, body });
    }
  }
}

function failure(call: Call, answer: LiveKitAnswer): LiveKitRESTError {
  return new LiveKitRESTError(call.roomName, answer, what[call.method]);
}
