import { listedParticipant, listedRoom, objects } from './listed.ts';
import { checkRoomName } from './room-name.ts';
import type { ListedParticipant, ListedRoom, RestCallOptions, RoomRest } from './room-rest.ts';
import type { RoomService } from './room-service.ts';

/** The calls of LiveKit's RoomService that endframe needs, one attempt each and with the least grant. */
export class RoomCalls implements RoomRest {
  readonly #service: RoomService;

  constructor(service: RoomService) {
    this.#service = service;
  }

  /**
   * Deletes the room, which disconnects everybody in it.
   *
   * @returns True when LiveKit has confirmed it: status 200 with a JSON object that is no error.
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
      isLong: names.length === 0,
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
