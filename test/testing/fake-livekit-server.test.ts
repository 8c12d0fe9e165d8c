import { setTimeout as sleep } from 'node:timers/promises';
import { RoomServiceClient } from 'livekit-server-sdk';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { signToken } from '../../src/rooms/rest/hs256.ts';
import { type FakeFault, FakeLiveKitServer, type FakeRequest } from '../../src/testing.ts';

describe('FakeLiveKitServer', () => {
  let server: FakeLiveKitServer;
  beforeEach(async () => {
    server = await FakeLiveKitServer.start();
  });
  afterEach(() => server.stop());

  function token(claims: object = {}): string {
    const now = Math.floor(Date.now() / 1_000);
    const { apiKey, apiSecret } = server;
    return signToken(
      { iss: apiKey, nbf: now, exp: now + 60, video: { roomCreate: true }, ...claims },
      apiSecret,
    );
  }

  function deletes(room: string, init: RequestInit = {}): Promise<Response> {
    return fetch(`${server.httpUrl}/twirp/livekit.RoomService/DeleteRoom`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token()}`, 'content-type': 'application/json' },
      body: JSON.stringify({ room }),
      redirect: 'manual',
      ...init,
    });
  }

  /** The network error's code, of `fetch` itself or of reading the body. */
  async function breaks(room: string, signal?: AbortSignal): Promise<string> {
    try {
      await (await deletes(room, { ...(signal && { signal }) })).text();
      return 'no error';
    } catch (error) {
      const { cause = error } = error as Error;
      const { code, name } = cause as { code?: unknown; name: string };
      return typeof code === 'string' ? code : name;
    }
  }

  it('serves the official SDK', async () => {
    const client = new RoomServiceClient(server.httpUrl, server.apiKey, server.apiSecret);
    await client.createRoom({ name: 'a', metadata: 'm', emptyTimeout: 9 });
    server.join('a', 'ada', { kind: 'SIP', attributes: { x: '1' } });
    expect(await client.listRooms(['a'])).toMatchObject([{ name: 'a', metadata: 'm', emptyTimeout: 9 }]);
    expect(await client.listParticipants('a')).toMatchObject([{ identity: 'ada', attributes: { x: '1' } }]);
    await client.updateParticipant('a', 'ada', { attributes: { x: '', y: '2' }, metadata: 'new' });
    expect(await client.getParticipant('a', 'ada')).toMatchObject({
      attributes: { y: '2' },
      metadata: 'new',
    });
    await client.removeParticipant('a', 'ada');
    await client.deleteRoom('a');
    expect(server.rooms).toEqual([]);
  });

  describe('participants', () => {
    it('hear why they are out, as a promise and as an event', async () => {
      const heard: string[] = [];
      const ada = server.join('a', 'ada');
      const bob = server.join('a', 'bob');
      const eve = server.join('b', 'eve');
      ada.on('disconnected', (reason) => heard.push(reason));
      bob.leave();
      expect((await deletes('a')).status).toBe(200);
      expect(await ada.disconnected).toBe('ROOM_DELETED');
      expect(await bob.disconnected).toBe('CLIENT_INITIATED');
      expect(heard).toEqual(['ROOM_DELETED']);
      expect(eve.disconnectReason).toBeUndefined();
    });

    it('are replaced by a second one of the same identity', async () => {
      const first = server.join('a', 'ada');
      const second = server.join('a', 'ada');
      expect(await first.disconnected).toBe('DUPLICATE_IDENTITY');
      expect(server.room('a')?.participants.get('ada')).toBe(second);
    });

    it('are not counted as agents', async () => {
      server.join('a', 'bot', { agent: true });
      server.join('a', 'ada');
      const client = new RoomServiceClient(server.httpUrl, server.apiKey, server.apiSecret);
      expect((await client.listRooms())[0]?.numParticipants).toBe(1);
    });

    it('cannot create a room where autoCreate is off', async () => {
      await using strict = await FakeLiveKitServer.start({ autoCreate: false });
      expect(() => strict.join('a', 'ada')).toThrow(/no room "a"/);
      strict.createRoom('a');
      strict.join('a', 'ada');
    });

    it('are out when the server stops', async () => {
      const ada = server.join('a', 'ada');
      await server.stop();
      expect(await ada.disconnected).toBe('SERVER_SHUTDOWN');
    });
  });

  describe('the request log', () => {
    it('keeps what came, in order', async () => {
      const seen: FakeRequest[] = [];
      server.on('request', (request) => seen.push(request));
      await deletes('a');
      await fetch(server.httpUrl);
      expect(server.requests).toMatchObject([
        {
          method: 'POST',
          call: 'DeleteRoom',
          body: '{"room":"a"}',
          headers: { 'content-type': 'application/json' },
        },
        { method: 'GET', url: '/', call: undefined, body: '' },
      ]);
      expect(seen).toEqual(server.requests);
    });
  });

  describe('faults', () => {
    it.each([
      [{ kind: 'reset' }, 'ECONNRESET'],
      [{ kind: 'half-body' }, 'UND_ERR_SOCKET'],
      [{ kind: 'garbage' }, 'HPE_INVALID_CONSTANT'],
    ] as [FakeFault, string][])('%j breaks the connection: %s', async (fault, code) => {
      server.createRoom('a');
      server.fail(fault);
      expect(await breaks('a')).toBe(code);
      expect(server.room('a')).toBeDefined();
    });

    it.each([
      { kind: 'silence' },
      { kind: 'stall' },
      { kind: 'endless-body' },
      { kind: 'drip', everyMs: 1_000 },
    ] as FakeFault[])('%j never ends', async (fault) => {
      server.fail(fault);
      expect(await breaks('a', AbortSignal.timeout(150))).toBe('TimeoutError');
    });

    it('answers late', async () => {
      server.createRoom('a');
      server.fail({ kind: 'delay', ms: 100 });
      const begun = performance.now();
      expect((await deletes('a')).status).toBe(200);
      expect(performance.now() - begun).toBeGreaterThan(95);
      expect(server.room('a')).toBeUndefined();
    });

    it('answers byte by byte', async () => {
      server.fail({ kind: 'drip', everyMs: 1 });
      expect(await (await deletes('a')).json()).toMatchObject({ code: 'not_found' });
    });

    it('answers with any status, headers and body', async () => {
      server.fail({ kind: 'status', status: 429, headers: { 'retry-after': '7' }, body: 'slow down' });
      const response = await deletes('a');
      expect([response.status, response.headers.get('retry-after'), await response.text()]).toEqual([
        429,
        '7',
        'slow down',
      ]);
    });

    it('redirects', async () => {
      server.fail({ kind: 'redirect', status: 307, location: 'http://127.0.0.1:9/' });
      const response = await deletes('a');
      expect([response.status, response.headers.get('location')]).toEqual([307, 'http://127.0.0.1:9/']);
    });

    it('deletes the room and loses the answer when told so', async () => {
      server.createRoom('a');
      server.fail({ kind: 'reset', acts: true }, { times: 1 });
      expect(await breaks('a')).toBe('ECONNRESET');
      expect(server.room('a')).toBeUndefined();
      expect((await deletes('a')).status).toBe(404);
    });

    it('come in order, for as many requests as ordered, and end when healed', async () => {
      const status = async (): Promise<number> => (await deletes('a')).status;
      server.fail({ kind: 'status', status: 503 }, { times: 2 });
      server.fail({ kind: 'status', status: 429 }, { times: 1 });
      expect([await status(), await status(), await status(), await status()]).toEqual([503, 503, 429, 404]);
      server.fail({ kind: 'status', status: 500 });
      expect([await status(), await status()]).toEqual([500, 500]);
      server.heal();
      expect(await status()).toBe(404);
      expect(server.requests.map(({ fault }) => fault ?? 'none')).toEqual([
        ...Array(3).fill('status'),
        'none',
        ...Array(2).fill('status'),
        'none',
      ]);
    });

    it('hit only the method they are ordered for', async () => {
      server.fail({ kind: 'reset' }, { method: 'DeleteRoom' });
      expect((await fetch(server.httpUrl)).status).toBe(200);
      expect(await breaks('a')).toBe('ECONNRESET');
    });
  });

  describe('the clock', () => {
    it('refuses tokens and dates answers by its own time', async () => {
      server.clockOffsetMs = 600_000;
      const response = await deletes('a');
      expect(response.status).toBe(401);
      expect(await response.text()).toMatch(/token is expired$/);
      const date = Date.parse(response.headers.get('date') ?? '');
      expect(Math.abs(date - Date.now() - 600_000)).toBeLessThan(60_000);
    });
  });

  describe('stop', () => {
    it('ends requests that hang, and frees the port', async () => {
      server.fail({ kind: 'silence' });
      const hanging = breaks('a');
      while (server.requests.length === 0) await sleep(5);
      await Promise.all([server.stop(), server.stop()]);
      expect(await hanging).not.toBe('no error');
      const port = Number(new URL(server.httpUrl).port);
      await using again = await FakeLiveKitServer.start({ port });
      expect(again.httpUrl).toBe(server.httpUrl);
    });
  });
});
