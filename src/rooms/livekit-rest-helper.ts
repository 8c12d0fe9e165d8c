import { InvalidOptionError } from '../errors.ts';
import { listedParticipant, listedRoom, objects } from './listed.ts';
import { checkLimitMs, checkText } from './option-checks.ts';
import { checkRoomName } from './room-name.ts';
import type { ListedParticipant, ListedRoom, RestCallOptions, RoomRest } from './room-rest.ts';
import { RoomService } from './room-service.ts';
import { restBaseUrl } from './server-url.ts';

export interface LiveKitRESTHelperOptions {
  readonly apiKey: string;
  readonly apiSecret: string;
  /** http, https, ws or wss; a base path is kept. Default: Pipecat's placeholder, to be replaced. */
  readonly apiUrl?: string | undefined;
  /** Default: the global `fetch`, looked up for each call. */
  readonly fetch?: typeof globalThis.fetch | undefined;
  /** For connect, headers, body and the repair of a wrong clock together. Default 3 000. */
  readonly attemptTimeoutMs?: number | undefined;
}

/** Listing it costs the server nothing, and nobody has a room of that name. */
const warmUpName = 'endframe-warm-up';

/**
 * Calls LiveKit's RoomService, one attempt at a time; `RoomDeleter` adds the retries.
 *
 * Each attempt signs its own token of 60 seconds with the least grant. A server that finds the clock of this
 * machine wrong is believed once. Redirects are never followed. Neither the secret nor a token gets into
 * errors, `JSON.stringify` or `util.inspect`.
 *
 * @throws {InvalidOptionError} An option is missing or can never work. Nothing is taken from the environment.
 * @see Pipecat `transports/livekit/utils.py`, `LiveKitRESTHelper` (Copyright (c) Daily, BSD 2-Clause License),
 *   whose names, request, claims and message these are; there it has no time limit, follows redirects, and
 *   throws a bare Exception.
 */
export class LiveKitRESTHelper implements RoomRest {
  readonly #service: RoomService;

  constructor(options: LiveKitRESTHelperOptions) {
    const { apiKey, apiSecret, apiUrl = 'https://your-livekit-host.com', fetch } = options;
    const { attemptTimeoutMs = 3_000 } = options;
    checkText('apiKey', apiKey);
    checkText('apiSecret', apiSecret);
    checkLimitMs('attemptTimeoutMs', attemptTimeoutMs);
    if (fetch !== undefined && typeof fetch !== 'function')
      throw new InvalidOptionError('fetch', 'a function');
    const baseUrl = restBaseUrl(apiUrl);
    this.#service = new RoomService({ apiKey, apiSecret, baseUrl, fetch, attemptTimeoutMs });
  }

  /** A token of 60 seconds that may create and delete rooms, or nothing at all. */
  createAccessToken(roomCreate = true): Promise<string> {
    return this.#service.sign({ roomCreate });
  }

  /**
   * Deletes the room, which disconnects everybody in it.
   *
   * @returns True when LiveKit has confirmed it: status 200 with a JSON object.
   * @throws {LiveKitRESTError} Anything else, a room that does not exist (`kind: 'not_found'`) included.
   * @throws {InvalidOptionError} The name is empty, above 256 bytes or ill-formed; nothing was sent.
   */
  async deleteRoomByName(roomName: string, { signal }: RestCallOptions = {}): Promise<true> {
    checkRoomName(roomName);
    await this.#service.call({
      method: 'DeleteRoom',
      what: 'delete room',
      roomName,
      grant: { roomCreate: true },
      body: { room: roomName },
      signal,
    });
    return true;
  }

  /**
   * Signs, connects and lists a room that does not exist, so that the first deletion is fast.
   *
   * @throws {LiveKitRESTError} LiveKit cannot be reached, or refuses the credentials.
   */
  async warmUp(options: RestCallOptions = {}): Promise<void> {
    await this.listRooms([warmUpName], options);
  }

  async listRooms(
    names: readonly string[],
    { signal }: RestCallOptions = {},
  ): Promise<readonly ListedRoom[]> {
    for (const name of names) checkRoomName(name, 'names');
    const answer = await this.#service.call({
      method: 'ListRooms',
      what: 'list rooms',
      roomName: names.join(', '),
      grant: { roomList: true },
      body: { names },
      signal,
    });
    return objects(answer.rooms).map(listedRoom);
  }

  async createRoom(roomName: string, { signal }: RestCallOptions = {}): Promise<ListedRoom> {
    checkRoomName(roomName);
    const answer = await this.#service.call({
      method: 'CreateRoom',
      what: 'create room',
      roomName,
      grant: { roomCreate: true },
      body: { name: roomName },
      signal,
    });
    return listedRoom(answer);
  }

  async listParticipants(
    roomName: string,
    { signal }: RestCallOptions = {},
  ): Promise<readonly ListedParticipant[]> {
    checkRoomName(roomName);
    const answer = await this.#service.call({
      method: 'ListParticipants',
      what: 'list participants of room',
      roomName,
      grant: { roomAdmin: true, room: roomName },
      body: { room: roomName },
      signal,
    });
    return objects(answer.participants).map(listedParticipant);
  }
}
