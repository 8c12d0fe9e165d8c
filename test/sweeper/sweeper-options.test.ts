import { describe, expect, it, vi } from 'vitest';
import { resolveSweeperOptions, type SweeperRest } from '../../src/sweeper/sweeper-options.ts';
import { useFakeTime } from '../support/fake-time.ts';
import { World } from './sweeper-setup.ts';

const noon = Date.parse('2026-11-24T12:00:00Z');

/** LiveKit's time, as a sweeper knows it at noon. */
function setup(serverTimeMs?: () => number | undefined) {
  vi.setSystemTime(noon);
  let created: readonly string[] = [];
  const listRooms: SweeperRest['listRooms'] = async () =>
    created.map((time, index) => ({
      name: `agents-${index}`,
      sid: `RM_${index}`,
      creationTimeMs: Date.parse(time),
      metadata: '',
    }));
  const client: SweeperRest = Object.assign(new World(), {
    listRooms,
    ...(serverTimeMs && { serverTimeMs }),
  });
  const { rest } = resolveSweeperOptions({ rest: client, prefix: 'agents-' });
  return {
    lists: async (...times: readonly string[]) => {
      created = times;
      await rest.listRooms([]);
    },
    serverTime: () => new Date(rest.serverTimeMs() ?? Number.NaN).toISOString(),
    isKnown: () => rest.serverTimeMs() !== undefined,
  };
}

describe('the time of the server, for rooms that are too old', () => {
  useFakeTime();

  it('is unknown at first', async () => {
    const { lists, isKnown } = setup();
    await lists();
    expect(isKnown()).toBe(false);
  });

  it('is at least the creation of the newest room, and goes on from there', async () => {
    const { lists, serverTime } = setup();
    await lists('2026-11-24T09:00:00Z');
    vi.advanceTimersByTime(60_000);
    await lists('2026-11-24T08:59:00Z');
    expect(serverTime()).toBe('2026-11-24T09:01:00.000Z');
  });

  it('is that of the REST client as far as the calendar agrees', () => {
    const { serverTime } = setup(() => Date.parse('2026-11-24T11:59:58Z'));
    expect(serverTime()).toBe('2026-11-24T11:59:58.000Z');
    vi.setSystemTime(noon - 3_600_000);
    expect(serverTime()).toBe('2026-11-24T11:00:00.000Z');
    vi.setSystemTime(noon + 98 * 3_600_000);
    expect(serverTime()).toBe('2026-11-24T11:59:58.000Z');
  });

  it('does not follow a proxy, or a room that was created in the future', async () => {
    expect(setup(() => Date.parse('2099-11-24T00:00:00Z')).serverTime()).toBe('2026-11-24T12:00:00.000Z');
    const { lists, serverTime } = setup();
    await lists('2026-11-25T09:00:00Z');
    expect(serverTime()).toBe('2026-11-24T12:00:00.000Z');
  });

  it('is that of the REST client once it is known, whatever rooms are listed', async () => {
    let clientMs: number | undefined;
    const { lists, serverTime } = setup(() => clientMs);
    await lists('2026-11-24T11:59:59Z');
    expect(serverTime()).toBe('2026-11-24T11:59:59.000Z');
    clientMs = Date.parse('2026-11-24T11:59:58Z');
    expect(serverTime()).toBe('2026-11-24T11:59:58.000Z');
  });
});

describe('the limit of lists', () => {
  useFakeTime();

  it.each([
    ['the client itself sets, where it has one', 60_000, 'pending'],
    ['the sweeper sets to 30 s, where the client has none', undefined, 'rejected'],
  ])('is what %s', async (_title, listTimeoutMs, expected) => {
    const listRooms = () => new Promise<never>(() => {});
    const client = Object.assign(new World(), { listRooms, listTimeoutMs });
    const { rest } = resolveSweeperOptions({ rest: client, prefix: 'agents-' });
    let state = 'pending';
    rest.listRooms([]).catch(() => {
      state = 'rejected';
    });
    await vi.advanceTimersByTimeAsync(30_000);
    expect(state).toBe(expected);
  });
});
