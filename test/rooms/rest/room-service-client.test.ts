import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import { describe, expect, it, vi } from 'vitest';
import { LiveKitRESTError } from '../../../src/lib/errors.ts';
import { restTokenClaims, signToken } from '../../../src/rooms/rest/hs256.ts';
import { sendByHttp } from '../../../src/rooms/rest/http.ts';
import { LiveKitRESTHelper } from '../../../src/rooms/rest/livekit-rest-helper.ts';
import { RoomServiceClient } from '../../../src/rooms/rest/room-service-client.ts';
import { restBaseUrl } from '../../../src/rooms/rest/server-url.ts';
import {
  type Answer,
  answers,
  answersAfter,
  confirms,
  endlessBody,
  neverAnswers,
  resets,
  resetsInTheBody,
  serve,
  speaksNoHttp,
  stallsInTheBody,
} from './misbehaving-server.ts';

const apiKey = 'test-key';
const apiSecret = 'test-secret-that-nobody-may-see';
const keys = { apiKey, apiSecret };
/** Enough on a busy machine. */
const attemptTimeoutMs = 10_000;
const shortMs = 300;
const page = '<!doctype html><title>Sign in</title>';
const token = 'eyJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJrIn0.c2ln';

/** The two clients that send these calls. */
const clients = [
  [
    'LiveKitRESTHelper',
    (apiUrl: string, limitMs: number) =>
      new LiveKitRESTHelper({ ...keys, apiUrl, attemptTimeoutMs: limitMs }),
  ],
  [
    'the guardian',
    (baseUrl: string, limitMs: number) =>
      new RoomServiceClient({
        apiSecret: keys.apiSecret,
        baseUrl,
        attemptTimeoutMs: limitMs,
        sign: (grant, offsetMs) => signToken(restTokenClaims(keys.apiKey, grant, offsetMs), keys.apiSecret),
        send: sendByHttp,
      }),
  ],
] as const;

async function setup(...answer: Answer[]) {
  return setupWithLimit(attemptTimeoutMs, ...answer);
}

async function setupWithLimit(limitMs: number, ...answer: Answer[]) {
  const server = await serve(...answer);
  const helper = new LiveKitRESTHelper({ ...keys, apiUrl: server.url, attemptTimeoutMs: limitMs });
  const fails = async (roomName = 'room'): Promise<LiveKitRESTError> => {
    const error: unknown = await helper.deleteRoomByName(roomName).then(
      () => undefined,
      (thrown) => thrown,
    );
    if (!(error instanceof LiveKitRESTError)) throw new Error(`not a LiveKitRESTError: ${error}`);
    return error;
  };
  return { ...server, helper, fails };
}

describe('RoomService, through LiveKitRESTHelper', () => {
  it.each([
    ['{}', 'application/json'],
    ['{}', 'text/html'],
    [' {"anything":1}\n', ''],
  ])('takes a 200 with %j as %j for a deletion', async (body, type) => {
    const { helper } = await setup(answers(200, body, { 'Content-Type': type }));
    expect(await helper.deleteRoomByName('room')).toBe(true);
  });

  const twirp = (code: string): string => JSON.stringify({ code, msg: 'text' });
  it.each([
    [200, 'OK', 'bad_response', true],
    [200, page, 'bad_response', true],
    [200, '', 'bad_response', true],
    [200, '[]', 'bad_response', true],
    [200, 'null', 'bad_response', true],
    [200, '{"cut":', 'bad_response', true],
    [200, '{"error":"no upstream"}', 'bad_response', true],
    [200, '{"error":null}', 'bad_response', true],
    [200, '{"msg":"ok","data":{}}', 'bad_response', true],
    [200, twirp('unauthenticated'), 'bad_response', true],
    [201, '{}', 'bad_response', false],
    [204, '', 'bad_response', false],
    [301, '', 'bad_response', false],
    [302, '{}', 'bad_response', false],
    [303, '', 'bad_response', false],
    [307, '', 'bad_response', false],
    [308, '', 'bad_response', false],
    [400, twirp('malformed'), 'rejected', false],
    [401, twirp('unauthenticated'), 'auth', false],
    [401, 'invalid API key', 'auth', false],
    [403, page, 'auth', false],
    [404, twirp('not_found'), 'not_found', false],
    [404, twirp('bad_route'), 'bad_response', false],
    [404, page, 'bad_response', false],
    [405, '', 'rejected', false],
    [408, '', 'timeout', true],
    [425, '', 'unavailable', true],
    [429, twirp('resource_exhausted'), 'rate_limited', true],
    [500, twirp('unknown'), 'unavailable', true],
    [502, page, 'unavailable', true],
    [503, twirp('unavailable'), 'unavailable', true],
    [504, '', 'unavailable', true],
  ] as const)('tells what a %i with %j is', async (status, body, kind, retryable) => {
    const location = { Location: '/twirp/livekit.RoomService/DeleteRoom' };
    const { fails, requests } = await setup(answers(status, body, status < 400 ? location : {}), confirms);
    const error = await fails('my-room');
    const code = body.startsWith('{"code"') ? JSON.parse(body).code : undefined;
    expect({ ...error }).toMatchObject({ roomName: 'my-room', status, kind, retryable, code });
    expect(error.message).toBe(`Failed to delete room [my-room] (status: ${status}): ${body}`);
    expect(requests).toHaveLength(1);
  });

  const error = '{"error":"no upstream"}';
  it.each([
    ['listRooms', error],
    ['listRooms', twirp('unauthenticated')],
    ['listRooms', '{}'],
    ['listRooms', '{"rooms":null}'],
    ['listRooms', '{"rooms":{}}'],
    ['listRooms', '{"rooms":[],"error":"cut short"}'],
    ['listParticipants', error],
    ['listParticipants', '{}'],
    ['listParticipants', '{"rooms":[]}'],
    ['createRoom', error],
    ['createRoom', '{}'],
    ['warmUp', '{}'],
  ] as const)('does not believe a 200 to %s with %j', async (method, body) => {
    const { helper } = await setup(answers(200, body));
    const call = method === 'listRooms' ? helper.listRooms([]) : helper[method]('room' as never);
    await expect(call).rejects.toMatchObject({ kind: 'bad_response', status: 200, retryable: true });
  });

  it('does not follow a redirect to another host', async () => {
    const other = await serve(confirms);
    for (const status of [301, 302, 303, 307, 308]) {
      const { fails } = await setup(answers(status, '', { Location: `${other.url}/` }));
      expect(await fails()).toMatchObject({ kind: 'bad_response', status });
    }
    expect(other.requests).toHaveLength(0);
  });

  it('takes what a browser makes of a redirect for a failure too', async () => {
    const fetch = async (): Promise<Response> => Response.error();
    const helper = new LiveKitRESTHelper({ ...keys, fetch });
    await expect(helper.deleteRoomByName('r')).rejects.toMatchObject({ kind: 'bad_response' });
  });

  it.each([
    ['2', 2_000],
    ['-1', undefined],
    ['garbage', undefined],
  ])('passes on Retry-After: %s', async (header, retryAfterMs) => {
    const { fails } = await setup(answers(429, '', { 'Retry-After': header }));
    expect(await fails()).toMatchObject({ retryAfterMs });
  });

  it('reads a Retry-After date by the clock of who sent it', async () => {
    const headers = {
      Date: 'Tue, 24 Nov 2020 12:00:00 GMT',
      'Retry-After': 'Tue, 24 Nov 2020 12:00:03 GMT',
    };
    const { fails } = await setup(answers(503, '', headers));
    expect(await fails()).toMatchObject({ retryAfterMs: 3_000 });
  });

  it('cuts the body and hides tokens and the secret in it', async () => {
    const { fails } = await setup(answers(401, `${token} ${apiSecret} ${'x'.repeat(1_000)}`));
    const { message } = await fails();
    expect(message).toBe(
      `Failed to delete room [room] (status: 401): ${`[redacted] [redacted] ${'x'.repeat(1_000)}`.slice(0, 500)}`,
    );
  });

  describe('an answer that does not come whole', () => {
    it('is a timeout when nothing comes', async () => {
      const { fails, requests, url } = await setupWithLimit(shortMs, neverAnswers);
      const error = await fails();
      expect(error).toMatchObject({ kind: 'timeout', status: undefined, retryable: true });
      expect(error.message).toBe(
        `Failed to delete room [room] (status: none): no complete answer from ${new URL(url).host} within 300 ms`,
      );
      expect(requests).toHaveLength(1);
    });

    it('is a timeout when the body stalls', async () => {
      const { fails } = await setupWithLimit(shortMs, stallsInTheBody);
      expect(await fails()).toMatchObject({ kind: 'timeout', status: 200, retryable: true });
    });

    it('is a timeout when a fetch ignores its signal', async () => {
      const fetch = (): Promise<Response> => new Promise(() => {});
      const helper = new LiveKitRESTHelper({ apiKey, apiSecret, fetch, attemptTimeoutMs: 20 });
      await expect(helper.deleteRoomByName('r')).rejects.toMatchObject({ kind: 'timeout' });
    });

    it('is a network failure when the connection is reset', async () => {
      const { fails, url } = await setup(resets);
      const error = await fails();
      expect(error).toMatchObject({ kind: 'network', status: undefined, retryable: true });
      expect(error.message).toMatch(/\(status: none\): no answer \((ECONNRESET|UND_ERR_SOCKET) [\d.:]+\)$/);
      expect(error.message).toContain(new URL(url).host);
    });

    it('is a network failure when nobody listens', async () => {
      const { fails, close, url } = await setup(confirms);
      await close();
      const error = await fails();
      expect(error).toMatchObject({ kind: 'network', retryable: true });
      expect(error.message).toContain(`no answer (ECONNREFUSED ${new URL(url).host})`);
    });

    it.each([
      ['http://livekit.invalid', 'no answer (ENOTFOUND livekit.invalid)'],
      ['ws://livekit.invalid:7880/base', 'no answer (ENOTFOUND livekit.invalid:7880)'],
    ])('is a network failure that names %s', async (apiUrl, text) => {
      for (const [, createRest] of clients) {
        const rest = createRest(restBaseUrl(apiUrl), attemptTimeoutMs);
        const error: unknown = await rest.deleteRoomByName('r').catch((thrown: unknown) => thrown);
        expect(error).toMatchObject({ kind: 'network', retryable: true });
        // a machine without a network may say EAI_AGAIN
        expect(String(error).replace('EAI_AGAIN', 'ENOTFOUND')).toContain(text);
      }
    });

    it('is a network failure that says why without a code, and without the token', async () => {
      const cause = new Error(`bad port for ${token} ${apiSecret}`);
      const fetch = () => Promise.reject(new TypeError('fetch failed', { cause }));
      const helper = new LiveKitRESTHelper({ ...keys, fetch, apiUrl: 'http://livekit.example.com' });
      await expect(helper.deleteRoomByName('r')).rejects.toThrow(
        'no answer (bad port for [redacted] [redacted] livekit.example.com)',
      );
    });

    it('is a network failure when it is no HTTP', async () => {
      const { fails } = await setup(speaksNoHttp);
      expect(await fails()).toMatchObject({ kind: 'network', retryable: true });
    });

    it('is a network failure when the headers are endless', async () => {
      const { fails } = await setup(answers(200, '{}', { 'X-Long': 'x'.repeat(100_000) }));
      expect(await fails()).toMatchObject({ kind: 'network', retryable: true });
    });

    it('is no deletion when a 200 is reset in its body', async () => {
      const { fails } = await setup(resetsInTheBody());
      expect(await fails()).toMatchObject({ kind: 'bad_response', status: 200, retryable: true });
    });

    it('may get better when an error is reset in its body', async () => {
      const { fails } = await setup(resetsInTheBody(404));
      expect(await fails()).toMatchObject({ kind: 'bad_response', status: 404, retryable: true });
    });

    it('is no deletion when it is no UTF-8', async () => {
      const { fails } = await setup(answers(200, Buffer.from('{"a":"\xff"}', 'latin1')));
      expect(await fails()).toMatchObject({ kind: 'bad_response', status: 200, retryable: true });
    });

    it('is cut off at 64 kB when it never ends', async () => {
      const counted = { bytes: 0, closed: false };
      const { fails } = await setup(endlessBody(counted));
      expect(await fails()).toMatchObject({ kind: 'bad_response', status: 200, retryable: true });
      await vi.waitFor(() => expect(counted.closed).toBe(true));
      expect(counted.bytes).toBeLessThan(20_000_000);
    });

    it('is read whole up to 64 kB', async () => {
      const body = (length: number): string => `{"a":"${'x'.repeat(length - 8)}"}`;
      const { helper } = await setup(answers(200, body(65_536)), answers(200, body(65_537)));
      expect(await helper.deleteRoomByName('r')).toBe(true);
      await expect(helper.deleteRoomByName('r')).rejects.toMatchObject({ kind: 'bad_response' });
    });
  });

  describe('a caller that stops waiting', () => {
    it('gets its own reason, at once', async () => {
      const { helper } = await setup(neverAnswers);
      const controller = new AbortController();
      const call = helper.deleteRoomByName('r', { signal: controller.signal });
      setTimeout(() => controller.abort(new Error('enough')), 20);
      await expect(call).rejects.toThrow('enough');
    });

    it('sends nothing when it has stopped before', async () => {
      const { helper, requests } = await setup(confirms);
      const signal = AbortSignal.abort(new Error('enough'));
      await expect(helper.deleteRoomByName('r', { signal })).rejects.toThrow('enough');
      expect(requests).toHaveLength(0);
    });

    it('is not listened to any longer than needed', async () => {
      const { helper } = await setup(confirms);
      const { signal } = new AbortController();
      const add = vi.spyOn(signal, 'addEventListener');
      const remove = vi.spyOn(signal, 'removeEventListener');
      await helper.deleteRoomByName('r', { signal });
      expect(add.mock.calls.length).toBe(remove.mock.calls.length);
    });
  });

  describe.each(clients)('a wrong clock, in %s', (_who, createRest) => {
    const wordings = [
      'error: go-jose/go-jose/jwt: validation failed, token is expired (exp)',
      'error: token has invalid claims: token is expired',
      'Unauthorized',
    ];
    const refuses = (offMs: number, body = wordings[0]): Answer =>
      answers(401, body, { Date: new Date(Date.now() + offMs).toUTCString() });
    const nbfOf = (authorization: string | undefined): number =>
      JSON.parse(Buffer.from(authorization?.split('.')[1] ?? '', 'base64url').toString()).nbf;
    const start = async (...answer: Answer[]) => startWithLimit(attemptTimeoutMs, ...answer);
    const startWithLimit = async (limitMs: number, ...answer: Answer[]) => {
      const server = await serve(...answer);
      const rest = createRest(server.url, limitMs);
      const offS = (index: number): number =>
        Math.round(nbfOf(server.requests[index]?.headers.authorization) - Date.now() / 1_000);
      const fails = (): Promise<unknown> =>
        rest.deleteRoomByName('r').then(
          () => 'deleted',
          (error) => error,
        );
      return { ...server, rest, offS, fails };
    };

    it.each(wordings.flatMap((body) => [600, -600, 90, -35].map((offS) => [offS, body] as const)))(
      'that is %i s off is repaired by one more try, whatever the server says: %s',
      async (offS, body) => {
        const server = await start(refuses(offS * 1_000, body), confirms);
        expect(await server.rest.deleteRoomByName('r')).toBe(true);
        expect(server.requests).toHaveLength(2);
        expect(Math.abs(server.offS(1) - offS)).toBeLessThan(30);
      },
    );

    it('is remembered', async () => {
      const { rest, requests, offS } = await start(refuses(600_000), confirms);
      await rest.deleteRoomByName('r');
      await rest.deleteRoomByName('r');
      expect(requests).toHaveLength(3);
      expect(offS(2)).toBeGreaterThan(500);
    });

    it('is repaired again when it has been set right', async () => {
      const { rest, requests, offS } = await start(refuses(600_000), confirms, refuses(0), confirms);
      await rest.deleteRoomByName('r');
      await rest.deleteRoomByName('r');
      expect(requests).toHaveLength(4);
      expect(Math.abs(offS(3))).toBeLessThan(30);
    });

    it('is no excuse for a wrong key', async () => {
      const { fails, requests } = await start(refuses(600_000), refuses(600_000));
      expect(await fails()).toMatchObject({ kind: 'auth', status: 401, retryable: false });
      expect(requests).toHaveLength(2);
    });

    it('is not believed of a server that refuses all the same', async () => {
      const { rest, fails, requests, offS } = await start(refuses(600_000), refuses(600_000), confirms);
      await fails();
      expect(await rest.deleteRoomByName('r')).toBe(true);
      expect(requests).toHaveLength(3);
      expect(Math.abs(offS(2))).toBeLessThan(30);
    });

    it('is reported of a server that tells another time each time', async () => {
      const { fails, requests } = await start(refuses(600_000), refuses(-600_000));
      expect(await fails()).toMatchObject({ kind: 'clock', status: 401, retryable: false });
      expect(requests).toHaveLength(2);
    });

    it.each(wordings)('is not to be seen without a date, whatever the server says: %s', async (body) => {
      const { fails, requests } = await start((response) => {
        response.sendDate = false;
        response.writeHead(401).end(body);
      });
      expect(await fails()).toMatchObject({ kind: 'auth' });
      expect(requests).toHaveLength(1);
    });

    it.each(['2', 'soon', '2026-11-30', ''])('is not read out of the date %j', async (date) => {
      const { fails, requests } = await start(answers(401, wordings[0], { Date: date }));
      expect(await fails()).toMatchObject({ kind: 'auth' });
      expect(requests).toHaveLength(1);
    });

    it('is repaired within the one time limit', async () => {
      const slowly = [answersAfter(200, refuses(600_000)), answersAfter(200, confirms)];
      const { fails } = await startWithLimit(shortMs, ...slowly);
      expect(await fails()).toMatchObject({ kind: 'timeout' });
    });
  });

  describe.each(clients)('an answer that is compressed all the same, in %s', (_who, createRest) => {
    const rooms = JSON.stringify({ rooms: [{ name: 'r', sid: 'RM_1', metadata: 'x'.repeat(5_000) }] });
    const codings: Record<string, (text: string) => Buffer> = {
      gzip: (text) => gzipSync(text),
      'X-GZIP': (text) => gzipSync(text),
      deflate: (text) => deflateSync(text),
      br: (text) => brotliCompressSync(text),
      'deflate without its header': (text) => deflateRawSync(text),
      'gzip, br': (text) => brotliCompressSync(gzipSync(text)),
      identity: (text) => Buffer.from(text),
      unknown: (text) => Buffer.from(text),
    };

    it.each(Object.keys(codings))('is read: %s', async (coding) => {
      const encode = codings[coding] ?? Buffer.from;
      const headers = { 'Content-Encoding': coding.split(' without')[0] ?? '' };
      const server = await serve(answers(200, encode(rooms), headers), answers(200, encode('{}'), headers));
      const rest = createRest(server.url, attemptTimeoutMs);
      expect(await rest.listRooms?.(['r'])).toMatchObject([{ sid: 'RM_1' }]);
      expect(await rest.deleteRoomByName('r')).toBe(true);
      expect(server.requests[0]?.headers['accept-encoding']).toBe('identity');
    });

    it.each([
      ['gzip', gzipSync('{}').subarray(0, 12)],
      ['gzip', Buffer.from('{}')],
      ['br', Buffer.from('{}')],
      ['deflate', Buffer.alloc(0)],
    ])('is no deletion when it cannot be read: %s, %#', async (coding, body) => {
      const server = await serve(answers(200, body, { 'Content-Encoding': coding }));
      const result = createRest(server.url, attemptTimeoutMs).deleteRoomByName('r');
      if (coding === 'rot13' && _who === 'LiveKitRESTHelper') expect(await result).toBe(true);
      else
        await expect(result).rejects.toMatchObject({ kind: expect.stringMatching(/bad_response|network/) });
    });

    it('is read up to 64 kB, however small it was on the way', async () => {
      const bomb = gzipSync(`{"a":"${'x'.repeat(50_000_000)}"}`);
      const server = await serve(answers(200, bomb, { 'Content-Encoding': 'gzip' }));
      const result = createRest(server.url, attemptTimeoutMs).deleteRoomByName('r');
      await expect(result).rejects.toMatchObject({ kind: 'bad_response' });
    });
  });
});
