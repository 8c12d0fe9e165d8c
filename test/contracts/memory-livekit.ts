import { LiveKitRESTError } from '../../src/lib/errors.ts';
import type { ListedParticipant, ListedRoom } from '../../src/rooms/rest/room-rest.ts';
import type { SweeperRest } from '../../src/sweeper/sweeper-options.ts';
import type { FakeLiveKitServer } from '../../src/testing/fake-livekit-server.ts';
import { type FakeParticipant, type FakeRoom, FakeRooms } from '../../src/testing/fake-rooms.ts';
import { listedParticipant } from '../support/listed-participant.ts';

export type WholeRest = SweeperRest & Required<Pick<SweeperRest, 'createRoom'>>;
type Call = 'ListRooms' | 'ListParticipants' | 'CreateRoom' | 'DeleteRoom';

const answerAfterMs = 1;

/** The rooms of a {@link FakeLiveKitServer} without its server, for virtual time: answers take a millisecond. */
export class MemoryLiveKit
  implements Pick<FakeLiveKitServer, 'rooms' | 'room' | 'createRoom' | 'join' | 'heal' | 'stop'>
{
  readonly #rooms = new FakeRooms();
  readonly apiSecret = 'secret';
  readonly requests: { readonly call: Call; readonly body: string }[] = [];
  #failing: { readonly method: string | undefined; left: number } | undefined;

  get rooms(): FakeRoom[] {
    return this.#rooms.all();
  }

  room(name: string): FakeRoom | undefined {
    return this.#rooms.get(name);
  }

  createRoom(name: string, options: Parameters<FakeRooms['create']>[1] = {}): FakeRoom {
    return this.#rooms.create(name, options);
  }

  join(
    room: string,
    identity: string,
    options: Parameters<FakeLiveKitServer['join']>[2] = {},
  ): FakeParticipant {
    return this.#rooms.join(this.createRoom(room), identity, Date.now(), options);
  }

  /** Each request, or each of a method, is answered with 503. */
  fail(
    _fault: { readonly kind: 'status'; readonly status: 503 },
    { method, times = Number.POSITIVE_INFINITY }: { readonly method?: Call; readonly times?: number } = {},
  ): void {
    this.#failing = { method, left: times };
  }

  heal(): void {
    this.#failing = undefined;
  }

  async stop(): Promise<void> {}

  /** @param apiSecret Other ones than this are refused. */
  rest(apiSecret: string = this.apiSecret): WholeRest {
    const answer = async <T>(call: Call, room: string, act: () => T): Promise<T> => {
      await new Promise((resolve) => setTimeout(resolve, answerAfterMs));
      this.requests.push({ call, body: JSON.stringify({ room }) });
      if (apiSecret !== this.apiSecret)
        throw new LiveKitRESTError(room, { kind: 'auth', retryable: false, status: 401 });
      if (this.#fails(call))
        throw new LiveKitRESTError(room, { kind: 'unavailable', retryable: true, status: 503 });
      return act();
    };
    return {
      listRooms: (names) =>
        answer('ListRooms', '', () =>
          this.rooms.filter(({ name }) => names.length === 0 || names.includes(name)).map(listed),
        ),
      listParticipants: (name) =>
        answer('ListParticipants', name, () =>
          [...(this.room(name)?.participants.values() ?? [])].map(listedAs),
        ),
      createRoom: (name) => answer('CreateRoom', name, () => listed(this.createRoom(name))),
      deleteRoomByName: (name) =>
        answer('DeleteRoom', name, () => {
          if (this.#rooms.delete(name, 'ROOM_DELETED')) return true;
          throw new LiveKitRESTError(name, { kind: 'not_found', retryable: false, status: 404 });
        }),
    };
  }

  #fails(call: Call): boolean {
    const failing = this.#failing;
    if (failing === undefined || failing.left === 0) return false;
    if (failing.method !== undefined && failing.method !== call) return false;
    failing.left -= 1;
    return true;
  }
}

function listed({ name, sid, creationTimeMs, metadata }: FakeRoom): ListedRoom {
  return { name, sid, creationTimeMs, metadata };
}

function listedAs({ identity, sid, kind, agent, attributes }: FakeParticipant): ListedParticipant {
  return listedParticipant(identity, { sid, kind, isAgent: agent, attributes: { ...attributes } });
}
