import { vi } from 'vitest';
import { type RoomGrant, restTokenClaims, signToken } from '../../src/rooms/rest/hs256.ts';
import type { FakeFault, FaultOrder } from '../../src/testing/fake-livekit-server.ts';
import { answer, methodOf } from '../../src/testing/fake-room-service.ts';
import { FakeRooms } from '../../src/testing/fake-rooms.ts';
import { sleep } from '../support/fake-time.ts';

type Fault = Extract<FakeFault, { kind: 'status' | 'delay' }>;

/** To take the place of the `AccessTokenSigner`, which signs in another thread: meanwhile virtual time would pass. */
export class SignerAtOnce {
  readonly #apiKey: string;
  readonly #apiSecret: string;

  constructor(apiKey: string, apiSecret: string) {
    this.#apiKey = apiKey;
    this.#apiSecret = apiSecret;
  }

  async sign(grant: RoomGrant, clockOffsetMs = 0): Promise<string> {
    return signToken(restTokenClaims(this.#apiKey, grant, clockOffsetMs), this.#apiSecret);
  }
}

/** A LiveKit behind the global `fetch`, for virtual time: without sockets, and with a {@link SignerAtOnce}. */
export class LiveKitByFetch {
  readonly url = 'ws://livekit.example.com';
  readonly apiKey = 'key';
  readonly apiSecret = 'a-secret-that-nobody-may-see';
  readonly rooms: FakeRooms = new FakeRooms();
  #faults: { readonly fault: Fault; readonly method: string | undefined; left: number }[] = [];

  constructor() {
    const keys = { [this.apiKey]: this.apiSecret };
    const state = { rooms: this.rooms, keys, now: Date.now, version: '1.13' } as const;
    const respond = async (input: unknown, init: RequestInit = {}): Promise<Response> => {
      const { pathname } = new URL(String(input));
      const fault = this.#nextFault(methodOf(pathname));
      if (fault?.kind === 'delay') await sleep(fault.ms);
      if (fault?.kind === 'status') return new Response(fault.body ?? '', { status: fault.status });
      const headers = Object.fromEntries(new Headers(init.headers));
      const request = { method: 'POST', url: pathname, headers, body: Buffer.from(String(init.body)) };
      const { status, headers: answered, body } = answer(request, state);
      return new Response(String(body), { status, headers: answered });
    };
    vi.stubGlobal('fetch', respond);
  }

  /** Orders a fault for the next requests. */
  fail(fault: Fault, { times = Number.POSITIVE_INFINITY, method }: FaultOrder = {}): void {
    this.#faults.push({ fault, method, left: times });
  }

  #nextFault(call: string | undefined): Fault | undefined {
    const order = this.#faults.find(({ method, left }) => left > 0 && (method ?? call) === call);
    if (order !== undefined) order.left -= 1;
    return order?.fault;
  }
}
