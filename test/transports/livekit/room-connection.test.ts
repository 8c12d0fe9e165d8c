import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  LiveKitRESTError,
  type LiveKitRESTErrorKind,
  MissingDependencyError,
} from '../../../src/lib/errors.ts';
import type { RoomRest } from '../../../src/rooms/rest/room-rest.ts';
import { explainJoinFailure } from '../../../src/transports/livekit/room-connection.ts';

const url = 'ws://livekit.example.com';
const said = new Error('The room could not be joined: something about a signal');

function restThatSays(kind: LiveKitRESTErrorKind, body = ''): RoomRest {
  const error = new LiveKitRESTError('room', { kind, retryable: false, body });
  return { deleteRoomByName: async () => true, listRooms: () => Promise.reject(error) };
}

describe('explainJoinFailure', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it.each<[LiveKitRESTErrorKind, body: string, text: RegExp, retries: number]>([
    [
      'network',
      'no answer (ENOTFOUND livekit.example.com)',
      /cannot be reached at ws:.*ENOTFOUND.*LIVEKIT_URL/,
      1,
    ],
    ['auth', '', /refuses the API key.*LIVEKIT_API_KEY and LIVEKIT_API_SECRET/, 0],
    ['clock', '', /clocks of this machine and of the server/, 0],
  ])('says what to do where the REST API says %s', async (kind, body, text, retries) => {
    const failure = await explainJoinFailure(said, { url, roomName: 'room', rest: restThatSays(kind, body) });
    expect(failure).toMatchObject({ isCertain: true, retries });
    expect(failure.error).toMatchObject({ name: 'PipelineError', message: expect.stringMatching(text) });
    expect(failure.error.message).toMatch(/^The room could not be joined: /);
  });

  it.each<[what: string, rest: RoomRest | undefined]>([
    ['answers', { deleteRoomByName: async () => true, listRooms: async () => [] }],
    ['is busy', restThatSays('unavailable')],
    ['does not answer', { deleteRoomByName: async () => true, listRooms: () => new Promise(() => {}) }],
    ['cannot list', { deleteRoomByName: async () => true }],
    ['is not there', undefined],
  ])('passes on what the SDK says where the REST API %s, and is not certain', async (_what, rest) => {
    const failure = explainJoinFailure(said, { url, rest });
    await vi.advanceTimersByTimeAsync(3_000);
    expect(await failure).toEqual({ error: said, isCertain: false, retries: 2 });
  });

  it('is certain of a refusal', async () => {
    const refused = new Error('The room could not be joined: engine: signal failure: client error: 404');
    const rest = { deleteRoomByName: async () => true as const, listRooms: async () => [] };
    expect(await explainJoinFailure(refused, { url, rest })).toEqual({
      error: refused,
      isCertain: true,
      retries: 0,
    });
  });

  it('is certain, and asks nobody, where the SDK is missing', async () => {
    const missing = new MissingDependencyError('@livekit/rtc-node', 'Install it.');
    const listRooms = vi.fn(async () => []);
    const rest = { deleteRoomByName: async () => true as const, listRooms };
    expect(await explainJoinFailure(missing, { url, rest })).toEqual({
      error: missing,
      isCertain: true,
      retries: 0,
    });
    expect(listRooms).not.toHaveBeenCalled();
  });
});
