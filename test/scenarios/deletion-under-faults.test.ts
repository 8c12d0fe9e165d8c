/** RoomDeleter and LiveKitRESTHelper against every fault that FakeLiveKitServer can be ordered. */

import { describe, expect, it } from 'vitest';
import { silentLogger } from '../../src/lib/logger.ts';
import type { DeletionTrigger } from '../../src/rooms/delete-when.ts';
import { LiveKitRESTHelper } from '../../src/rooms/rest/livekit-rest-helper.ts';
import { RoomDeleter } from '../../src/rooms/room-deleter.ts';
import { type FakeFault, FakeLiveKitServer, type FaultOrder } from '../../src/testing/fake-livekit-server.ts';

/** For a server that answers, on a busy machine. */
const patient = { attemptTimeoutMs: 20_000, deadlineMs: 40_000 };
/** For one that does not. */
const impatient = { attemptTimeoutMs: 500, deadlineMs: 2_500 };
const roomName = 'call';

async function setup(
  fault: FakeFault,
  { limits = patient, ...order }: FaultOrder & { readonly limits?: typeof patient } = {},
) {
  const server = await FakeLiveKitServer.start();
  const { httpUrl: apiUrl, apiKey, apiSecret } = server;
  const caller = server.join(roomName, 'ada');
  server.createRoom(`${roomName}-2`);
  server.fail(fault, { method: 'DeleteRoom', ...order });
  const { attemptTimeoutMs, deadlineMs } = limits;
  const rest = new LiveKitRESTHelper({ apiUrl, apiKey, apiSecret, attemptTimeoutMs });
  const deleter = new RoomDeleter({ roomName, rest, deadlineMs, verify: false, logger: silentLogger });
  return {
    server,
    deleter,
    caller,
    /** Deletes it, and checks what holds whatever happens. */
    deletes: async (trigger: DeletionTrigger = 'end') => {
      const outcome = await deleter.deleteRoom(trigger);
      expect(deletions(server)).toBeLessThanOrEqual(outcome.attempts);
      expect(server.room(`${roomName}-2`)).toBeDefined();
      return outcome;
    },
    [Symbol.asyncDispose]: () => server.stop(),
  };
}

function deletions({ requests }: FakeLiveKitServer): number {
  return requests.filter(({ call }) => call === 'DeleteRoom').length;
}

type Row = readonly [string, FakeFault];

/** Those after which a second attempt is worth it, when the answer is there. */
const answering: readonly Row[] = [
  ['a reset', { kind: 'reset' }],
  ['half a body', { kind: 'half-body' }],
  ['an endless body', { kind: 'endless-body' }],
  ['bytes that are no HTTP', { kind: 'garbage' }],
  ['a page with status 200', { kind: 'status', status: 200, body: '<!doctype html>' }],
  ['408', { kind: 'status', status: 408 }],
  ['425', { kind: 'status', status: 425 }],
  ['429', { kind: 'status', status: 429 }],
  ['500', { kind: 'status', status: 500 }],
  ['502', { kind: 'status', status: 502, body: '<html>bad gateway</html>' }],
  ['503', { kind: 'status', status: 503, body: '{"code":"unavailable","msg":"no response"}' }],
  ['504', { kind: 'status', status: 504 }],
];

/** Those after which it is worth it when the limit of an attempt is over. */
const lingering: readonly Row[] = [
  ['silence', { kind: 'silence' }],
  ['headers without a body', { kind: 'stall' }],
  ['an answer that is too slow', { kind: 'delay', ms: 3 * impatient.attemptTimeoutMs, acts: false }],
  ['one byte a second', { kind: 'drip', everyMs: 1_000, acts: false }],
];

/** Those that no second attempt makes better. */
const final: readonly Row[] = [
  ['400', { kind: 'status', status: 400, body: '{"code":"malformed","msg":"bad"}' }],
  ['403', { kind: 'status', status: 403, body: '{"code":"permission_denied","msg":"no"}' }],
  ['404 of a proxy', { kind: 'status', status: 404, body: '404 page not found' }],
  ['204', { kind: 'status', status: 204 }],
  ['405', { kind: 'status', status: 405 }],
];

/** Those that keep us from hearing what the server has done. */
const losingTheAnswer = new Set<FakeFault['kind']>(['silence', 'stall', 'reset', 'half-body', 'garbage']);

describe.concurrent('a room is deleted', () => {
  it.each(answering)('after %s, by the second attempt', async (_, fault) => {
    await using call = await setup(fault, { times: 1 });
    const { deletes, caller, server } = call;
    expect(await deletes()).toMatchObject({ status: 'deleted', attempts: 2 });
    expect(deletions(server)).toBe(2);
    expect(await caller.disconnected).toBe('ROOM_DELETED');
  });

  it.each(lingering)('after %s, by another attempt', async (_, fault) => {
    await using call = await setup(fault, { times: 1, limits: { ...patient, attemptTimeoutMs: 500 } });
    const { deletes, caller, server } = call;
    expect(await deletes()).toMatchObject({ status: 'deleted' });
    expect(deletions(server)).toBeGreaterThanOrEqual(2);
    expect(await caller.disconnected).toBe('ROOM_DELETED');
  });

  it.each([...answering, ...lingering].filter(([, { kind }]) => losingTheAnswer.has(kind)))(
    'by an attempt whose answer is lost to %s, and the next one finds it gone',
    async (_, fault) => {
      const limits = { ...patient, attemptTimeoutMs: 500 };
      await using call = await setup({ ...fault, acts: true }, { times: 1, limits });
      const { deletes, caller } = call;
      expect(await deletes()).toMatchObject({ status: 'deleted' });
      expect(await caller.disconnected).toBe('ROOM_DELETED');
    },
  );

  it.each<Row>([
    ['a delay', { kind: 'delay', ms: 100 }],
    ['bytes that come one by one', { kind: 'drip', everyMs: 20 }],
  ])('by one request in spite of %s', async (_, fault) => {
    await using call = await setup(fault);
    const { deletes } = call;
    expect(await deletes()).toMatchObject({ status: 'deleted', attempts: 1 });
  });

  it('after different faults in a row', async () => {
    await using call = await setup({ kind: 'reset' }, { times: 1 });
    const { server, deletes } = call;
    server.fail({ kind: 'status', status: 503 }, { times: 1, method: 'DeleteRoom' });
    server.fail({ kind: 'half-body' }, { times: 1, method: 'DeleteRoom' });
    expect(await deletes()).toMatchObject({ status: 'deleted', attempts: 4 });
  });

  it('not before the second that Retry-After asks for', async () => {
    const headers = { 'retry-after': '1' };
    await using call = await setup({ kind: 'status', status: 429, headers }, { times: 1 });
    const { server, deletes } = call;
    expect(await deletes()).toMatchObject({ status: 'deleted', attempts: 2 });
    const [first, second] = server.requests.filter((request) => request.call === 'DeleteRoom');
    expect((second?.atMs ?? 0) - (first?.atMs ?? 0)).toBeGreaterThanOrEqual(990);
  });

  it('within the deadline although Retry-After asks for an hour', async () => {
    const headers = { 'retry-after': '3600' };
    const limits = { ...patient, deadlineMs: impatient.deadlineMs };
    await using call = await setup({ kind: 'status', status: 503, headers }, { times: 1, limits });
    const { deletes } = call;
    expect(await deletes()).toMatchObject({ status: 'deleted', attempts: 2 });
  });
});

describe.concurrent('a room may remain', () => {
  it.each([...answering, ...lingering])(
    'when all that ever comes is %s: the deleter gives up in time',
    async (_, fault) => {
      await using call = await setup(fault, { limits: impatient });
      const { deletes, server } = call;
      expect(await deletes()).toMatchObject({ status: 'failed', error: { retryable: true } });
      expect(server.room(roomName)).toBeDefined();
    },
  );

  it.each(final)('after one request that is answered with %s', async (_, fault) => {
    await using call = await setup(fault);
    const { deletes, server } = call;
    expect(await deletes()).toMatchObject({ status: 'failed', attempts: 1, error: { retryable: false } });
    expect(deletions(server)).toBe(1);
    expect(server.room(roomName)).toBeDefined();
  });

  it.each([301, 302, 303, 307, 308] as const)(
    'after a redirect with %i, which is not followed',
    async (status) => {
      await using elsewhere = await FakeLiveKitServer.start();
      const location = `${elsewhere.httpUrl}/twirp/livekit.RoomService/DeleteRoom`;
      await using call = await setup({ kind: 'redirect', status, location });
      const { deletes } = call;
      expect(await deletes()).toMatchObject({
        status: 'failed',
        attempts: 1,
        error: { kind: 'bad_response' },
      });
      expect(elsewhere.requests).toEqual([]);
    },
  );

  it('after a redirect to itself, which is not followed either', async () => {
    await using call = await setup({ kind: 'redirect', status: 307, location: '/again' });
    const { deletes, server } = call;
    const before = server.requests.length;
    expect(await deletes()).toMatchObject({ status: 'failed', attempts: 1 });
    expect(server.requests).toHaveLength(before + 1);
  });
});

describe.concurrent('a hundred calls of deleteRoom()', () => {
  const triggers: readonly DeletionTrigger[] = ['end', 'cancel', 'exit', 'signal', 'manual'];

  async function hundredTimes(deleter: RoomDeleter) {
    const calls = Array.from({ length: 100 }, (_, index) =>
      deleter.deleteRoom(triggers[index % triggers.length] ?? 'end'),
    );
    return new Set(await Promise.all(calls));
  }

  it('are one request and one outcome', async () => {
    await using call = await setup({ kind: 'delay', ms: 50 });
    const { server, deleter } = call;
    const outcomes = await hundredTimes(deleter);
    expect(outcomes.size).toBe(1);
    expect([...outcomes]).toMatchObject([{ status: 'deleted', trigger: 'end', attempts: 1 }]);
    expect(deletions(server)).toBe(1);
    // also those that come when it is long over
    expect(await hundredTimes(deleter)).toEqual(outcomes);
    expect(deletions(server)).toBe(1);
  });

  it('share the retries', async () => {
    await using call = await setup({ kind: 'reset', acts: true }, { times: 1 });
    const { server, deleter } = call;
    const outcomes = await hundredTimes(deleter);
    expect([...outcomes]).toMatchObject([{ status: 'deleted', attempts: 2 }]);
    expect(deletions(server)).toBe(2);
  });

  it('share the failure', async () => {
    await using call = await setup({ kind: 'status', status: 403 });
    const { server, deleter } = call;
    const failures: unknown[] = [];
    deleter.on('roomDeleteFailed', (outcome) => failures.push(outcome));
    const outcomes = await hundredTimes(deleter);
    expect([...outcomes]).toMatchObject([{ status: 'failed', attempts: 1 }]);
    expect(failures).toEqual([...outcomes]);
    expect(deletions(server)).toBe(1);
  });

  it('end at once when one of them stops waiting', async () => {
    await using call = await setup({ kind: 'silence' });
    const { deleter, server } = call;
    const stop = new AbortController();
    const calls = [
      deleter.deleteRoom('end'),
      deleter.deleteRoom('signal', { signal: stop.signal }),
      deleter.deleteRoom('exit'),
    ];
    await new Promise((resolve) => server.once('request', resolve));
    stop.abort();
    // the limit of the attempt is far away
    const outcomes = new Set(await Promise.all(calls));
    expect([...outcomes][0]?.elapsedMs).toBeLessThan(patient.attemptTimeoutMs);
    expect([...outcomes]).toMatchObject([{ status: 'failed', attempts: 1 }]);
  });
});
