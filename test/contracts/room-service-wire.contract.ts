/** What LiveKit's RoomService answers on the wire, by version: the fake must say the same as the real server. */

import { createHmac } from 'node:crypto';
import { request } from 'node:http';
import { describe, expect, it } from 'vitest';
import { signToken } from '../../src/rooms/rest/hs256.ts';
import type { FakeLiveKitVersion } from '../../src/testing/fake-tokens.ts';
import type { RestServer } from '../support/room-service.ts';

interface Answer {
  readonly status: number;
  readonly type: string;
  readonly body: string;
  readonly headers: Readonly<Record<string, unknown>>;
}

interface Call {
  readonly path?: string;
  readonly verb?: string;
  readonly token?: string;
  /** The whole header, instead of a token. */
  readonly authorization?: string;
  readonly contentType?: string;
  readonly body?: string | Buffer;
}

const json = 'application/json';
const plain = 'text/plain; charset=utf-8';
const prefix = '/twirp/livekit.RoomService/';
const create = { roomCreate: true };

/** What differs; everything else is the same in all of them. */
interface Differences {
  readonly removesNobody: string;
  /** How a refused token's text goes on behind the token. */
  readonly wrongSignature: string;
  readonly noSignature: string;
  readonly expired: string;
  readonly tooEarly: string;
  readonly expiredAndTooEarly: string;
  /** Whether a date may stand in a text, a token be issued in the future, or signed by HS384. */
  readonly takesTextDates: boolean;
  readonly takesFutureTokens: boolean;
  readonly takesHs384: boolean;
  readonly limitsMetadata: boolean;
}

const nobody = 'twirp error unknown: participant does not exist';
const differences: Readonly<Record<FakeLiveKitVersion, Differences>> = {
  '1.9': {
    removesNobody: 'participant not found',
    wrongSignature: 'go-jose/go-jose: error in cryptographic primitive',
    noSignature: 'go-jose/go-jose: error in cryptographic primitive',
    expired: 'go-jose/go-jose/jwt: validation failed, token is expired (exp)',
    tooEarly: 'go-jose/go-jose/jwt: validation failed, token not valid yet (nbf)',
    expiredAndTooEarly: 'go-jose/go-jose/jwt: validation failed, token not valid yet (nbf)',
    takesTextDates: false,
    takesFutureTokens: false,
    takesHs384: true,
    limitsMetadata: true,
  },
  '1.13': {
    removesNobody: nobody,
    wrongSignature: 'token signature is invalid: signature is invalid',
    noSignature: 'token signature is invalid: signing method none is invalid',
    expired: 'token has invalid claims: token is expired',
    tooEarly: 'token has invalid claims: token is not valid yet',
    expiredAndTooEarly: 'token has invalid claims: token is expired, token is not valid yet',
    takesTextDates: true,
    takesFutureTokens: true,
    takesHs384: false,
    limitsMetadata: false,
  },
};

export function roomServiceWireContract(server: () => RestServer, version: FakeLiveKitVersion): void {
  const differs = differences[version];
  let rooms = 0;
  const newName = (): string => `wire-${process.pid}-${rooms++}`;
  const now = (): number => Math.floor(Date.now() / 1_000);

  const sign = (video: object, claims: object = {}, secret = server().apiSecret): string => {
    const { apiKey } = server();
    return signToken({ iss: apiKey, sub: apiKey, nbf: now(), exp: now() + 60, video, ...claims }, secret);
  };

  /** Not `fetch`, which would not send all of these. */
  function send({
    path = `${prefix}DeleteRoom`,
    verb = 'POST',
    token,
    authorization = token === undefined ? undefined : `Bearer ${token}`,
    contentType = json,
    body = '{}',
  }: Call): Promise<Answer> {
    const headers = {
      ...(authorization !== undefined && { authorization }),
      ...(contentType !== '' && { 'content-type': contentType }),
    };
    return new Promise((resolve, reject) => {
      const { hostname, port } = new URL(server().httpUrl);
      const outgoing = request({ hostname, port, path, method: verb, headers }, async (incoming) => {
        const chunks = await incoming.toArray();
        resolve({
          status: incoming.statusCode ?? 0,
          type: incoming.headers['content-type'] ?? '',
          body: Buffer.concat(chunks).toString(),
          headers: incoming.headers,
        });
      });
      outgoing.on('error', reject).end(verb === 'GET' ? undefined : body);
    });
  }

  async function call(method: string, video: object, fields: object): Promise<Record<string, unknown>> {
    const answer = await send({
      path: prefix + method,
      token: sign(video),
      body: JSON.stringify(fields),
    });
    expect(answer).toMatchObject({ status: 200, type: json });
    return JSON.parse(answer.body);
  }

  const createRoom = (name: string, fields: object = {}): Promise<Record<string, unknown>> =>
    call('CreateRoom', create, { name, ...fields });
  const listed = async (...names: string[]): Promise<Record<string, unknown>[]> =>
    (await call('ListRooms', { roomList: true }, { names })).rooms as Record<string, unknown>[];

  describe('rooms', () => {
    it('creates a room and lists it in snake_case, with 64-bit numbers as text', async () => {
      const name = newName();
      const room = await createRoom(name, { metadata: 'm', empty_timeout: 7, maxParticipants: 3 });
      expect(room).toMatchObject({
        sid: expect.stringMatching(/^RM_/),
        name,
        empty_timeout: 7,
        departure_timeout: 20,
        max_participants: 3,
        creation_time: expect.stringMatching(/^\d{10}$/),
        creation_time_ms: expect.stringMatching(/^\d{13}$/),
        turn_password: expect.stringMatching(/./),
        metadata: 'm',
        num_participants: 0,
        active_recording: false,
      });
      expect(await listed(name)).toEqual([room]);
    });

    it('gives the room there is, unchanged, when it is created again', async () => {
      const name = newName();
      const first = await createRoom(name, { metadata: 'first' });
      expect(await createRoom(name, { metadata: 'second', empty_timeout: 9 })).toEqual(first);
    });

    it('lists all rooms for no names, and only exact names', async () => {
      const name = newName();
      await createRoom(name);
      expect((await listed()).map((room) => room.name)).toContain(name);
      expect(await listed(`${name} `, name.toUpperCase(), 'other')).toEqual([]);
    });

    it('deletes a room with an empty object, and only once', async () => {
      const name = newName();
      await createRoom(name);
      expect(await call('DeleteRoom', create, { room: name })).toEqual({});
      expect(await listed(name)).toEqual([]);
      const again = await send({ token: sign(create), body: JSON.stringify({ room: name }) });
      expect(again).toMatchObject({ status: 404, type: json });
      expect(JSON.parse(again.body)).toEqual({
        code: 'not_found',
        msg: 'twirp error unknown: requested room does not exist',
      });
    });

    it('deletes a room with a token for another room', async () => {
      const name = newName();
      await createRoom(name);
      expect(await call('DeleteRoom', { roomCreate: true, room: 'other' }, { room: name })).toEqual({});
    });

    it.each(['Grüße 👋', '../up/%2e', '"quoted" \\ \n', 'a\u0000b', ' spaces ', 'e\u0301', '\u202ertl'])(
      'takes the name %j as it is',
      async (odd) => {
        const name = newName() + odd;
        await createRoom(name);
        expect((await listed(name)).map((room) => room.name)).toEqual([name]);
        await call('DeleteRoom', create, { room: name });
        expect(await listed(name)).toEqual([]);
      },
    );

    it('does not create a room of more than 256 bytes', async () => {
      const token = sign(create);
      const body = JSON.stringify({ name: 'é'.repeat(129) });
      const answer = await send({ path: `${prefix}CreateRoom`, token, body });
      expect(answer).toMatchObject({ status: 400, type: json });
      expect(JSON.parse(answer.body)).toMatchObject({ code: 'invalid_argument' });
    });

    it('answers one of many deletions with 200, the others with not_found', async () => {
      const name = newName();
      await createRoom(name);
      const body = JSON.stringify({ room: name });
      const answers = await Promise.all(Array.from({ length: 8 }, () => send({ token: sign(create), body })));
      expect(answers.filter(({ status }) => status === 200).length).toBeGreaterThanOrEqual(1);
      expect(await listed(name)).toEqual([]);
    });
  });

  describe('participants', () => {
    it('lists nobody, also in a room that does not exist', async () => {
      const room = newName();
      expect(await call('ListParticipants', { roomAdmin: true, room }, { room })).toEqual({
        participants: [],
      });
    });

    it.each([
      ['RemoveParticipant', differs.removesNobody],
      ['GetParticipant', nobody],
      ['UpdateParticipant', nobody],
    ])('%s of nobody is not_found', async (method, msg) => {
      const room = newName();
      await createRoom(room);
      const token = sign({ roomAdmin: true, room });
      const answer = await send({
        path: prefix + method,
        token,
        body: JSON.stringify({ room, identity: 'x' }),
      });
      expect(answer.status).toBe(404);
      expect(JSON.parse(answer.body)).toEqual({ code: 'not_found', msg });
    });

    it('changes the metadata of a room', async () => {
      const room = newName();
      await createRoom(room, { metadata: 'old' });
      const changed = await call('UpdateRoomMetadata', { roomAdmin: true, room }, { room, metadata: 'new' });
      expect(changed).toMatchObject({ name: room, metadata: 'new' });
    });

    it(`${differs.limitsMetadata ? 'takes no' : 'takes'} metadata of a room above 64,000 bytes`, async () => {
      const room = newName();
      await createRoom(room);
      const answer = await send({
        path: `${prefix}UpdateRoomMetadata`,
        token: sign({ roomAdmin: true, room }),
        body: JSON.stringify({ room, metadata: 'x'.repeat(64_001) }),
      });
      expect(answer.status).toBe(differs.limitsMetadata ? 400 : 200);
      if (differs.limitsMetadata) {
        expect(JSON.parse(answer.body)).toEqual({
          code: 'invalid_argument',
          msg: 'metadata size exceeds limits 64000',
          meta: { argument: 'metadata size exceeds limits' },
        });
      }
    });
  });

  describe('tokens', () => {
    const denied = { code: 'unauthenticated', msg: 'permissions denied' };

    it.each([
      ['no token', {}],
      ['no grant', { token: () => sign({}) }],
      ['only roomJoin', { token: () => sign({ roomJoin: true, room: 'x' }) }],
      ['only roomList', { token: () => sign({ roomList: true }) }],
      ['only roomAdmin', { token: () => sign({ roomAdmin: true, room: 'x' }) }],
    ] as [string, { token?: () => string }][])(
      'refuses a deletion with %s as JSON',
      async (_what, { token }) => {
        const answer = await send({ ...(token && { token: token() }), body: '{"room":"x"}' });
        expect(answer).toMatchObject({ status: 401, type: json });
        expect(JSON.parse(answer.body)).toEqual(denied);
      },
    );

    it('refuses the administration of another room', async () => {
      const token = sign({ roomAdmin: true, room: 'a' });
      const answer = await send({ path: `${prefix}ListParticipants`, token, body: '{"room":"b"}' });
      expect(JSON.parse(answer.body)).toEqual(denied);
    });

    const headless = (): string => {
      const [, claims] = sign(create).split('.');
      return `${Buffer.from('{"alg":"none","typ":"JWT"}').toString('base64url')}.${claims}.`;
    };
    const repeats = (token: string, error: string): string => `invalid token: ${token}, error: ${error}`;
    const scheme = (): string => 'invalid authorization header. Must start with Bearer ';
    const garbage = (): string => 'invalid authorization token';

    it.each([
      ['Basic', () => 'Basic abc', scheme],
      ['a lower-case scheme', () => `bearer ${sign(create)}`, scheme],
      ['garbage', () => 'Bearer garbage', garbage],
      ['three parts of garbage', () => 'Bearer a.b.c', garbage],
      ['a date that is no number', () => `Bearer ${sign(create, { exp: 'soon' })}`, garbage],
      ['an unknown key', () => `Bearer ${sign(create, { iss: 'nobody' })}`, () => 'invalid API key: nobody'],
      ['no key', () => `Bearer ${sign(create, { iss: undefined })}`, () => 'invalid API key: '],
      [
        'a wrong secret',
        () => `Bearer ${sign(create, {}, 'x'.repeat(32))}`,
        (t: string) => repeats(t, differs.wrongSignature),
      ],
      ['no signature', () => `Bearer ${headless()}`, (t: string) => repeats(t, differs.noSignature)],
      [
        'an expired token',
        () => `Bearer ${sign(create, { nbf: now() - 200, exp: now() - 75 })}`,
        (t: string) => repeats(t, differs.expired),
      ],
      [
        'a token of tomorrow',
        () => `Bearer ${sign(create, { nbf: now() + 75, exp: now() + 200 })}`,
        (t: string) => repeats(t, differs.tooEarly),
      ],
      [
        'an expired token of tomorrow',
        () => `Bearer ${sign(create, { nbf: now() + 200, exp: now() - 200 })}`,
        (t: string) => repeats(t, differs.expiredAndTooEarly),
      ],
    ] as [string, () => string, (token: string) => string][])(
      'refuses %s as plain text',
      async (_what, header, expected) => {
        const authorization = header();
        const answer = await send({ authorization, body: '{"room":"x"}' });
        expect(answer).toMatchObject({ status: 401, type: plain });
        expect(answer.body).toBe(expected(authorization.split(' ')[1] ?? ''));
        expect(answer.headers.date).toBeDefined();
      },
    );

    it.each([
      ['expired for less than a minute', () => ({ nbf: now() - 200, exp: now() - 45 })],
      ['valid in less than a minute', () => ({ nbf: now() + 45, exp: now() + 200 })],
      ['without dates', () => ({ nbf: undefined, exp: undefined })],
    ])('takes a token %s', async (_what, claims) => {
      const answer = await send({ token: sign(create, claims()), body: '{"room":"nowhere"}' });
      expect(JSON.parse(answer.body)).toMatchObject({ code: 'not_found' });
    });

    const hs384 = (): string => {
      const [, claims] = sign(create).split('.');
      const signed = `${Buffer.from('{"alg":"HS384","typ":"JWT"}').toString('base64url')}.${claims}`;
      return `${signed}.${createHmac('sha384', server().apiSecret).update(signed).digest('base64url')}`;
    };
    it.each([
      ['with a date as text', () => sign(create, { exp: String(now() + 60) }), differs.takesTextDates],
      ['issued in the future', () => sign(create, { iat: now() + 75 }), differs.takesFutureTokens],
      ['signed with HS384', hs384, differs.takesHs384],
    ])(`of ${version} takes a token %s, or not`, async (_what, token, takes) => {
      const { status } = await send({ token: token(), body: '{"room":"nowhere"}' });
      expect(status).toBe(takes ? 404 : 401);
    });

    it('takes a token in the query', async () => {
      const answer = await send({ path: `${prefix}DeleteRoom?access_token=${sign(create)}` });
      expect(JSON.parse(answer.body)).toMatchObject({ code: 'not_found' });
    });

    it('refuses a bad token also for the page at /', async () => {
      expect(await send({ verb: 'GET', path: '/', token: 'x' })).toMatchObject({ status: 401, type: plain });
    });
  });

  describe('routes', () => {
    it.each([
      ['GET', { verb: 'GET' }, 'unsupported method "GET" (only POST is allowed)'],
      ['an unknown method', { path: `${prefix}Nope` }, `no handler for path "${prefix}Nope"`],
      ['a slash at the end', { path: `${prefix}DeleteRoom/` }, `no handler for path "${prefix}DeleteRoom/"`],
      ['no method', { path: prefix }, `no handler for path "${prefix}"`],
      ['no content type', { contentType: '' }, 'unexpected Content-Type: ""'],
      ['text', { contentType: 'text/plain' }, 'unexpected Content-Type: "text/plain"'],
    ] as [string, Call, string][])(
      'answers %s with bad_route, a 404 that is no not_found',
      async (_what, what, msg) => {
        const answer = await send({ token: sign(create), ...what });
        expect(answer).toMatchObject({ status: 404, type: json });
        const route = `${what.verb ?? 'POST'} ${what.path ?? `${prefix}DeleteRoom`}`;
        expect(JSON.parse(answer.body)).toEqual({
          code: 'bad_route',
          msg,
          meta: { twirp_invalid_route: route },
        });
      },
    );

    it.each([
      '/base/twirp/livekit.RoomService/DeleteRoom',
      '/twirp/livekit.Nope/DeleteRoom',
      '/twirp/',
      '/nope',
    ])('answers %s with a page', async (path) => {
      const answer = await send({ path, token: sign(create) });
      expect(answer).toMatchObject({ status: 404, type: plain, body: '404 page not found\n' });
    });

    it.each(['/', '/?x=/twirp/livekit.RoomService/DeleteRoom'])('says OK at %s', async (path) => {
      expect(await send({ path, token: sign(create) })).toMatchObject({
        status: 200,
        type: plain,
        body: 'OK',
      });
    });

    it('overlooks a double slash in front, and redirects from one inside', async () => {
      const front = await send({ path: `/${prefix}DeleteRoom`, token: sign(create) });
      expect(JSON.parse(front.body)).toMatchObject({ code: 'not_found' });
      const inside = await send({ path: '/twirp//livekit.RoomService/DeleteRoom', token: sign(create) });
      expect(inside.status).toBe(307);
      expect(inside.headers.location).toBe(`${prefix}DeleteRoom`);
    });

    it('takes a content type in any case, with parameters', async () => {
      const answer = await send({ token: sign(create), contentType: 'Application/JSON; charset=utf-8' });
      expect(JSON.parse(answer.body)).toMatchObject({ code: 'not_found' });
    });
  });

  describe('bodies', () => {
    it.each([
      '',
      '{',
      '[]',
      '1',
      '"x"',
      'null',
      '{"room":5}',
      '{"room":["a"]}',
      '{"room":"\\ud800"}',
      '{"room":"\u0000"}',
      Buffer.from('7b22726f6f6d223a22ff227d', 'hex'),
    ])('answers %j with malformed, also without a grant', async (body) => {
      for (const call of [{ body }, { body, token: sign(create) }]) {
        const answer = await send(call);
        expect(answer).toMatchObject({ status: 400, type: json });
        expect(JSON.parse(answer.body)).toEqual({
          code: 'malformed',
          msg: 'the json request could not be decoded',
        });
      }
    });

    it.each(['{}', '{"room":null}', '{"rom":"a"}', '{"room":""}'])('finds no room for %s', async (body) => {
      expect(JSON.parse((await send({ token: sign(create), body })).body)).toMatchObject({
        code: 'not_found',
      });
    });

    it.each([
      ['ListRooms', { roomList: true }, '{"names":"a"}'],
      ['CreateRoom', create, '{"name":"a","empty_timeout":-1}'],
      ['CreateRoom', create, '{"name":"a","empty_timeout":1.5}'],
    ])('refuses fields of the wrong type: %s %j %s', async (method, video, body) => {
      const answer = await send({ path: prefix + method, token: sign(video), body });
      expect(JSON.parse(answer.body)).toMatchObject({ code: 'malformed' });
    });
  });
}
