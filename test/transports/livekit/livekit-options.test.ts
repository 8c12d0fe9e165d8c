import { afterEach, describe, expect, it, vi } from 'vitest';
import { InvalidOptionError } from '../../../src/lib/errors.ts';
import { signToken } from '../../../src/rooms/rest/hs256.ts';
import { generateRoomName } from '../../../src/rooms/room-name.ts';
import {
  type LiveKitTransportOptions,
  resolveLiveKitOptions,
} from '../../../src/transports/livekit/livekit-options.ts';
import { LiveKitTransport } from '../../../src/transports/livekit/livekit-transport.ts';

const keys = { apiKey: 'key', apiSecret: 'a-secret-that-must-not-be-seen' };
const url = 'wss://example.livekit.cloud';
const token = signToken({ sub: 'bot', video: { room: 'lobby', roomJoin: true } }, keys.apiSecret);

describe('LiveKitTransport, constructed', () => {
  afterEach(() => vi.unstubAllEnvs());

  it('makes up a room name and an identity that nobody else has', () => {
    const [one, other] = [new LiveKitTransport({ url, ...keys }), new LiveKitTransport({ url, ...keys })];
    expect(one.roomName).toMatch(/^endframe-[0-9a-f]{32}$/);
    expect(one.roomName).not.toBe(other.roomName);
    expect(one.identity).toMatch(/^bot-[0-9a-f]{8}$/);
  });

  it('takes what is missing from the environment', () => {
    vi.stubEnv('LIVEKIT_URL', url);
    vi.stubEnv('LIVEKIT_API_KEY', keys.apiKey);
    vi.stubEnv('LIVEKIT_API_SECRET', keys.apiSecret);
    expect(new LiveKitTransport({ roomName: 'lobby' }).roomName).toBe('lobby');
  });

  it('takes room and identity from a token', () => {
    const transport = new LiveKitTransport({ url, token, ...keys });
    expect([transport.roomName, transport.identity]).toEqual(['lobby', 'bot']);
  });

  it('can do without key and secret when it has a token and no room to delete', () => {
    const transport = new LiveKitTransport({ url, token, deleteRoomOnEnd: false });
    const told = vi.fn();
    transport.outcome$.subscribe({ next: told, complete: told });
    expect(told).toHaveBeenCalledTimes(1);
  });

  it("deletes by a rest of one's own", () => {
    const rest = { deleteRoomByName: async (): Promise<true> => true };
    expect(() => new LiveKitTransport({ url, token, deleteRoomOnEnd: { rest } })).not.toThrow();
  });

  it.each([
    ['its own', undefined, 0],
    ['one that was generated before', generateRoomName('acme-'), 0],
    ['one of somebody else', 'lobby', 1],
  ])('asks which room is meant only where others may have the name: %s', async (_whose, roomName, times) => {
    const listRooms = vi.fn(async () => []);
    const rest = { deleteRoomByName: async (): Promise<true> => true, listRooms };
    const { deleter } = resolveLiveKitOptions({ url, ...keys, roomName, deleteRoomOnEnd: { rest } });
    await deleter?.arm();
    expect(listRooms).toHaveBeenCalledTimes(times);
  });

  const refused: [string, LiveKitTransportOptions][] = [
    ['no URL', { ...keys }],
    ['an ftp URL', { ...keys, url: 'ftp://example.com' }],
    ['a URL with credentials', { ...keys, url: 'wss://user:pass@example.com' }],
    ['a URL with a query', { ...keys, url: `${url}?x=1` }],
    ['no key', { url, apiSecret: 'x' }],
    ['no secret', { url, apiKey: 'x' }],
    ['an empty secret', { url, apiKey: 'x', apiSecret: '' }],
    ['an empty room name', { url, ...keys, roomName: '' }],
    ['a room name above 256 bytes', { url, ...keys, roomName: 'x'.repeat(257) }],
    ['an empty identity', { url, ...keys, identity: '' }],
    ['a token that is none', { url, ...keys, token: 'nonsense' }],
    ['a token for another room', { url, ...keys, token, roomName: 'other' }],
    ['a token of somebody else', { url, ...keys, token, identity: 'other' }],
    ['a token, a room to delete, and no keys', { url, token }],
    ['an unknown policy', { url, ...keys, onRemoteDisconnect: 'retry' as never }],
    ['a deadline that can never work', { url, ...keys, deleteRoomOnEnd: { deadlineMs: -1 } }],
    ['a timeout that can never work', { url, ...keys, emptyTimeoutMs: Number.NaN }],
    ['parameters that can never work', { url, ...keys, params: { audioOutSampleRate: -1 } }],
    ['yes as deleteRoomOnEnd', { url, ...keys, deleteRoomOnEnd: 'yes' as never }],
    ['null as deleteRoomOnEnd', { url, ...keys, deleteRoomOnEnd: null as never }],
    ['an option that does not exist', { url, ...keys, deleteRoom: true } as never],
    ['a deletion option that does not exist', { url, ...keys, deleteRoomOnEnd: { deadline: 1 } as never }],
    ['another room to delete', { url, ...keys, deleteRoomOnEnd: { roomName: 'other' } as never }],
    ['a logger that is none', { url, ...keys, logger: console.log as never }],
    ['no options but null', null as never],
    ['text as options', url as never],
  ];

  it.each([
    [{ roomname: 'lobby' }, 'roomname', 'roomName'],
    [{ api_secret: 'a-secret' }, 'api_secret', 'apiSecret'],
    [{ deleteRoomOnEnd: { deleteWen: 'never' } }, 'deleteWen', 'deleteWhen'],
  ])('names the nearest option that there is: %o', (options, option, nearest) => {
    const message = expect.stringContaining(`"${nearest}"`);
    expect(() => new LiveKitTransport({ url, ...keys, ...options } as never)).toThrow(
      expect.objectContaining({ name: 'InvalidOptionError', option, message }),
    );
  });

  it.each(refused)('refuses %s', (_what, options) => {
    vi.stubEnv('LIVEKIT_URL', undefined);
    vi.stubEnv('LIVEKIT_API_KEY', undefined);
    vi.stubEnv('LIVEKIT_API_SECRET', undefined);
    let thrown: unknown;
    try {
      new LiveKitTransport(options);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(InvalidOptionError);
    expect(String(thrown)).not.toContain(keys.apiSecret);
    expect(String(thrown)).not.toContain('eyJ');
    expect(String(thrown)).not.toContain('pass@');
  });
});
