import { inspect } from 'node:util';
import { afterEach, describe, expect, expectTypeOf, it, vi } from 'vitest';
import { InvalidOptionError, LiveKitRESTError } from '../../../src/lib/errors.ts';
import { silentLogger } from '../../../src/lib/logger.ts';
import {
  credentialsOf,
  LiveKitRESTHelper,
  type LiveKitRESTHelperOptions,
} from '../../../src/rooms/rest/livekit-rest-helper.ts';
import type { RoomRest } from '../../../src/rooms/rest/room-rest.ts';
import { RoomDeleter } from '../../../src/rooms/room-deleter.ts';
import { type Answer, answers, confirms, serve } from './misbehaving-server.ts';

const apiKey = 'test-key';
const apiSecret = 'test-secret-that-nobody-may-see';

async function setup(...answer: Answer[]) {
  const server = await serve(...answer);
  const helper = new LiveKitRESTHelper({ apiKey, apiSecret, apiUrl: server.url });
  const claims = (index: number): Record<string, unknown> => {
    const token = server.requests[index]?.headers.authorization?.split(' ')[1] ?? '';
    return JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());
  };
  return { ...server, helper, claims };
}

describe('LiveKitRESTHelper', () => {
  afterEach(() => void vi.unstubAllGlobals());

  it('hands its key pair to the guardian and to nobody else', () => {
    const helper = new LiveKitRESTHelper({ apiKey, apiSecret, apiUrl: 'wss://host/base/' });
    expect(credentialsOf(helper)).toEqual({
      apiKey,
      apiSecret,
      baseUrl: 'https://host/base',
      attemptTimeoutMs: 3_000,
    });
    expect(credentialsOf({ deleteRoomByName: async () => true })).toBeUndefined();
    expect(Reflect.ownKeys(helper)).toEqual([]);
    expect(inspect(helper, { showHidden: true, depth: 9 })).not.toContain(apiSecret);
  });

  it('sends the request that Pipecat sends', async () => {
    const { helper, requests, claims } = await setup(confirms);
    const before = Math.floor(Date.now() / 1_000);
    expect(await helper.deleteRoomByName('my-room')).toBe(true);
    expect(requests).toHaveLength(1);
    const [request] = requests;
    expect(request).toMatchObject({
      method: 'POST',
      url: '/twirp/livekit.RoomService/DeleteRoom',
      body: '{"room":"my-room"}',
    });
    expect(request?.headers['content-type']).toBe('application/json');
    expect(request?.headers.authorization).toMatch(/^Bearer eyJ[\w-]+\.[\w-]+\.[\w-]+$/);
    const { nbf, exp, ...rest } = claims(0);
    expect(rest).toEqual({ iss: apiKey, sub: apiKey, video: { roomCreate: true } });
    expect(Number(exp) - Number(nbf)).toBe(60);
    expect(Number(nbf) - before).toBeLessThan(60);
    expect(Number(nbf)).toBeGreaterThanOrEqual(before);
  });

  it.each(['../ß"\\\n\0', '👩‍👧', 'e\u0301', ' ', '%2e', 'x'.repeat(256)])(
    'sends the name %j as it is',
    async (roomName) => {
      const { helper, requests } = await setup(confirms);
      await helper.deleteRoomByName(roomName);
      expect(JSON.parse(requests[0]?.body ?? '')).toEqual({ room: roomName });
    },
  );

  it('keeps the base path of the URL and maps ws to http', async () => {
    const { url, requests } = await serve(confirms);
    const apiUrl = `${url.replace('http', 'ws')}/live/kit//`;
    await new LiveKitRESTHelper({ apiKey, apiSecret, apiUrl }).deleteRoomByName('r');
    expect(requests[0]?.url).toBe('/live/kit/twirp/livekit.RoomService/DeleteRoom');
  });

  it('signs a token per attempt', async () => {
    const { helper, claims } = await setup(confirms);
    vi.useFakeTimers({ toFake: ['Date'], now: 1_790_000_000_000 });
    await helper.deleteRoomByName('a');
    vi.setSystemTime(1_790_000_090_000);
    await helper.deleteRoomByName('b');
    vi.useRealTimers();
    expect([claims(0).nbf, claims(1).nbf]).toEqual([1_790_000_000, 1_790_000_090]);
  });

  it('makes tokens for others', async () => {
    const { helper } = await setup(confirms);
    for (const [token, roomCreate] of [
      [await helper.createAccessToken(), true],
      [await helper.createAccessToken(false), false],
    ] as const) {
      const claims = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());
      expect(claims.video).toEqual({ roomCreate });
    }
  });

  it('takes another fetch, and otherwise the global one of the moment', async () => {
    const mine = vi.fn(async () => new Response('{}'));
    const theirs = vi.fn(async () => new Response('{}'));
    await new LiveKitRESTHelper({ apiKey, apiSecret, fetch: mine }).deleteRoomByName('r');
    const helper = new LiveKitRESTHelper({ apiKey, apiSecret, apiUrl: 'https://livekit.example.com' });
    vi.stubGlobal('fetch', theirs);
    await helper.deleteRoomByName('r');
    expect([mine.mock.calls.length, theirs.mock.calls.length]).toEqual([1, 1]);
    expect(mine).toHaveBeenCalledWith(
      'https://your-livekit-host.com/twirp/livekit.RoomService/DeleteRoom',
      expect.objectContaining({ redirect: 'manual' }),
    );
  });

  it.each([undefined, 'https://your-livekit-host.com', 'wss://your-livekit-host.com/'])(
    'sends nothing to the placeholder, and says that apiUrl was not set: %s',
    async (apiUrl) => {
      const fetch = vi.fn(async () => new Response('{}'));
      vi.stubGlobal('fetch', fetch);
      const helper = new LiveKitRESTHelper({ apiKey, apiSecret, apiUrl });
      for (const call of [helper.deleteRoomByName('r'), helper.warmUp(), helper.createRoom('r')]) {
        const error: unknown = await call.catch((thrown: unknown) => thrown);
        expect(error).toBeInstanceOf(LiveKitRESTError);
        expect(error).toMatchObject({ status: undefined, retryable: false });
        expect(String(error)).toContain('apiUrl was not set');
      }
      expect(fetch).not.toHaveBeenCalled();
    },
  );

  it('is not tried again without apiUrl', async () => {
    const rest = new LiveKitRESTHelper({ apiKey, apiSecret });
    const outcome = await new RoomDeleter({ roomName: 'r', rest, logger: silentLogger }).deleteRoom('end');
    expect(outcome).toMatchObject({ status: 'failed', attempts: 1 });
    expect(outcome.error?.message).toContain('apiUrl was not set');
  });

  describe('fromEnv', () => {
    const env = { LIVEKIT_URL: 'wss://host/base/', LIVEKIT_API_KEY: apiKey, LIVEKIT_API_SECRET: apiSecret };

    it('takes URL, key and secret from the environment', () => {
      for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value);
      const credentials = { apiKey, apiSecret, baseUrl: 'https://host/base', attemptTimeoutMs: 3_000 };
      expect(credentialsOf(LiveKitRESTHelper.fromEnv())).toEqual(credentials);
      vi.unstubAllEnvs();
      expect(credentialsOf(LiveKitRESTHelper.fromEnv(env))).toEqual(credentials);
    });

    it.each(
      Object.keys(env).flatMap((name) => [
        [name, undefined],
        [name, ''],
      ]),
    )('names %s where it is %j', (name = '', value) => {
      const create = () => LiveKitRESTHelper.fromEnv({ ...env, [name]: value });
      expect(create).toThrow(InvalidOptionError);
      expect(create).toThrow(`"${name}"`);
      expect(create).not.toThrow(apiSecret);
    });

    it('names LIVEKIT_URL where it is no address', () => {
      const create = () => LiveKitRESTHelper.fromEnv({ ...env, LIVEKIT_URL: 'livekit' });
      expect(create).toThrow('Option "LIVEKIT_URL" must be an absolute URL');
    });
  });

  it('is a whole RoomRest', () => {
    expectTypeOf<LiveKitRESTHelper>().toExtend<Required<RoomRest>>();
  });

  it.each(['', 'x'.repeat(257), '\uD800', undefined, null, 5])(
    'refuses the room name %j before anything is sent',
    async (name) => {
      const { helper, requests } = await setup(confirms);
      const roomName = name as string;
      for (const call of [
        helper.deleteRoomByName(roomName),
        helper.createRoom(roomName),
        helper.listParticipants(roomName),
        helper.listRooms([roomName]),
      ]) {
        await expect(call).rejects.toBeInstanceOf(InvalidOptionError);
      }
      expect(requests).toHaveLength(0);
    },
  );

  it.each([
    ['apiKey', ''],
    ['apiKey', undefined],
    ['apiKey', null],
    ['apiSecret', ''],
    ['apiSecret', undefined],
    ['apiSecret', 5],
    ['apiUrl', ''],
    ['apiUrl', null],
    ['apiUrl', 'ftp://host.example'],
    ['apiUrl', 'http://user:test-secret-that-nobody-may-see@host.example'],
    ['attemptTimeoutMs', -1],
    ['attemptTimeoutMs', 0],
    ['attemptTimeoutMs', Number.NaN],
    ['attemptTimeoutMs', Number.POSITIVE_INFINITY],
    ['attemptTimeoutMs', 2 ** 31],
    ['attemptTimeoutMs', '3000'],
    ['listTimeoutMs', 0],
    ['listTimeoutMs', 2 ** 31],
    ['fetch', 'fetch'],
  ])('refuses the option %s: %j', (option, value) => {
    const options = { apiKey, apiSecret, [option]: value } as LiveKitRESTHelperOptions;
    const create = (): LiveKitRESTHelper => new LiveKitRESTHelper(options);
    expect(create).toThrow(InvalidOptionError);
    expect(create).toThrow(`Option "${option}" must be `);
    expect(create).not.toThrow(apiSecret);
  });

  it('knows the time of the server by its newest answer, also by one that failed', async () => {
    const at = (time: string) => ({ Date: new Date(time).toUTCString() });
    const { helper } = await setup(
      answers(200, '{}', at('2020-01-01T00:00:00Z')),
      answers(503, '{}', at('2030-01-01T00:00:00Z')),
    );
    expect(helper.serverTimeMs()).toBeUndefined();
    for (const year of ['2020', '2030']) {
      await helper.deleteRoomByName('room').catch(() => {});
      expect(new Date(helper.serverTimeMs() ?? Number.NaN).toISOString()).toMatch(`${year}-01-01T00:00:`);
    }
  });

  it('takes nothing from the environment', () => {
    vi.stubEnv('LIVEKIT_API_KEY', 'from-environment');
    vi.stubEnv('LIVEKIT_API_SECRET', 'from-environment');
    expect(() => new LiveKitRESTHelper({} as LiveKitRESTHelperOptions)).toThrow('Option "apiKey"');
    vi.unstubAllEnvs();
  });

  it('shows its secret to nobody', async () => {
    const { helper } = await setup(answers(401, `${apiSecret} eyJhbGciOiJIUzI1NiJ9.e30.c2ln`));
    const error: unknown = await helper.deleteRoomByName('r').catch((thrown) => thrown);
    expect(error).toBeInstanceOf(LiveKitRESTError);
    const shown = [helper, error].flatMap((thing) => [
      inspect(thing, { depth: Infinity, showHidden: true, getters: true }),
      JSON.stringify(thing),
      String(thing),
      JSON.stringify(Object.entries(Object.getOwnPropertyDescriptors(thing))),
    ]);
    expect(shown.join('\n')).not.toContain(apiSecret);
    expect(shown.join('\n')).not.toContain('eyJ');
    expect((error as Error).cause).toBeUndefined();
  });

  describe('warmUp', () => {
    it('lists one room that nobody has', async () => {
      const { helper, requests, claims } = await setup(answers(200, '{"rooms":[]}'));
      await helper.warmUp();
      expect(requests).toMatchObject([
        { url: '/twirp/livekit.RoomService/ListRooms', body: '{"names":["endframe-warm-up"]}' },
      ]);
      expect(claims(0).video).toEqual({ roomList: true });
    });

    it('reports wrong credentials', async () => {
      const { helper } = await setup(answers(401, '{"code":"unauthenticated","msg":"no permissions"}'));
      const message =
        'Failed to list rooms [endframe-warm-up] (status: 401): {"code":"unauthenticated","msg":"no permissions"}';
      await expect(helper.warmUp()).rejects.toMatchObject({ kind: 'auth', retryable: false, message });
    });
  });

  describe('the other calls', () => {
    it('list rooms', async () => {
      const room = { sid: 'RM_1', name: 'a', creation_time: '1795541676', creation_time_ms: '1795541676239' };
      const rooms = [
        { ...room, metadata: 'm', turn_password: 'p', num_participants: 2 },
        { ...room, creation_time_ms: '0' },
      ];
      const { helper, requests, claims } = await setup(answers(200, JSON.stringify({ rooms })));
      expect(await helper.listRooms(['a', 'b'])).toEqual([
        { sid: 'RM_1', name: 'a', creationTimeMs: 1_795_541_676_239, metadata: 'm' },
        { sid: 'RM_1', name: 'a', creationTimeMs: 1_795_541_676_000, metadata: '' },
      ]);
      expect(requests[0]?.body).toBe('{"names":["a","b"]}');
      expect(claims(0).video).toEqual({ roomList: true });
    });

    it('create a room', async () => {
      const { helper, requests, claims } = await setup(answers(200, '{"sid":"RM_2","name":"a"}'));
      expect(await helper.createRoom('a')).toEqual({
        sid: 'RM_2',
        name: 'a',
        creationTimeMs: 0,
        metadata: '',
      });
      expect(requests).toMatchObject([
        { url: '/twirp/livekit.RoomService/CreateRoom', body: '{"name":"a"}' },
      ]);
      expect(claims(0).video).toEqual({ roomCreate: true });
    });

    it('list participants', async () => {
      const participants = [
        {
          sid: 'PA_1',
          identity: 'bot',
          state: 'ACTIVE',
          kind: 'STANDARD',
          permission: { agent: true, recorder: false },
          attributes: { 'endframe.lease': '4' },
        },
        { sid: 'PA_2', identity: '+49', state: 'JOINING', kind: 'SIP', permission: null },
      ];
      const { helper, requests, claims } = await setup(answers(200, JSON.stringify({ participants })));
      expect(await helper.listParticipants('a')).toEqual([
        {
          sid: 'PA_1',
          identity: 'bot',
          state: 'ACTIVE',
          kind: 'STANDARD',
          isAgent: true,
          isRecorder: false,
          attributes: { 'endframe.lease': '4' },
        },
        {
          sid: 'PA_2',
          identity: '+49',
          state: 'JOINING',
          kind: 'SIP',
          isAgent: false,
          isRecorder: false,
          attributes: {},
        },
      ]);
      expect(requests).toMatchObject([
        { url: '/twirp/livekit.RoomService/ListParticipants', body: '{"room":"a"}' },
      ]);
      expect(claims(0).video).toEqual({ roomAdmin: true, room: 'a' });
    });

    it.each([
      ['20 s for a list of all rooms', {}, 20_000, []],
      ['3 s for a list of some', {}, 3_000, ['lobby']],
      ['as long as it is told', { listTimeoutMs: 40_000 }, 40_000, []],
    ] as const)('wait %s', async (_, options, limitMs, names) => {
      vi.useFakeTimers();
      const fetch = () => new Promise<never>(() => {});
      const helper = new LiveKitRESTHelper({ apiKey, apiSecret, apiUrl: 'http://host', fetch, ...options });
      const failed = helper.listRooms(names).catch((error: LiveKitRESTError) => [error.kind, Date.now()]);
      const startedAt = Date.now();
      await vi.advanceTimersByTimeAsync(60_000);
      expect(await failed).toEqual(['timeout', startedAt + limitMs]);
      vi.useRealTimers();
    });

    it('read listings that are longer than an error may be', async () => {
      const rooms = Array.from({ length: 3_000 }, (_, index) => ({ name: `room-${index}`, sid: 'RM_x' }));
      const { helper } = await setup(answers(200, JSON.stringify({ rooms })));
      expect(await helper.listRooms([])).toHaveLength(3_000);
    });

    it('show nothing of a listing that they cannot read', async () => {
      const { helper } = await setup(answers(200, '{"rooms":[{"turn_password":"hush"}'));
      await expect(helper.listRooms([])).rejects.toThrow(/^(?!.*hush).*cannot be read/);
    });
  });
});
