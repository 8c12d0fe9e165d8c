import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { LiveKitRESTError, type LiveKitRESTErrorKind } from '../../../src/lib/errors.ts';
import { deleteRoom } from '../../../src/rooms/delete-room.ts';
import { GuardedRoom, guardedDeletion, HeartbeatMonitor } from '../../../src/rooms/guardian/guarded-room.ts';
import type { FromGuardian, RoomToGuard } from '../../../src/rooms/guardian/protocol.ts';
import { leaseAttribute } from '../../../src/rooms/lease.ts';
import type { ListedParticipant, ListedRoom, RoomRest } from '../../../src/rooms/rest/room-rest.ts';
import { isRetryable } from '../../../src/rooms/retry-policy.ts';
import { listedParticipant } from '../../support/listed-participant.ts';

const away = new LiveKitRESTError('room', { kind: 'network', retryable: true });
const ada = listedParticipant('ada');

const guarded: RoomToGuard = {
  roomName: 'room',
  room: { owned: true },
  credentials: { apiKey: 'k', apiSecret: 's', baseUrl: 'http://127.0.0.1:9', attemptTimeoutMs: 1_000 },
  deleteWhen: 'always',
  ownIdentity: 'bot',
  verify: false,
  heartbeatMs: 4_000,
};

describe('GuardedRoom', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  function setup(options: Partial<RoomToGuard> = {}) {
    const livekit = { isAway: false, inside: [] as ListedParticipant[], deletions: 0 };
    const told: FromGuardian[] = [];
    const rest = {
      deleteRoomByName: async (): Promise<true> => {
        if (livekit.isAway) throw away;
        livekit.deletions += 1;
        return true;
      },
      listParticipants: async () => livekit.inside,
    };
    const watch = new GuardedRoom(
      1,
      { ...guarded, ...options },
      { rest, send: (message) => told.push(message), limitMs: 600_000 },
    );
    const passes = (ms = 0) => vi.advanceTimersByTimeAsync(ms);
    return { watch, livekit, told, passes };
  }

  it('deletes the room of a bot that is silent for as long as it may be', async () => {
    const { watch, livekit, told, passes } = setup();
    watch.botIsSilent(3_999);
    await passes();
    expect(livekit.deletions).toBe(0);
    watch.botIsSilent(4_000);
    await passes();
    expect(livekit.deletions).toBe(1);
    expect(told).toEqual([
      { type: 'settled', id: 1, status: 'deleted', cause: 'stuck' },
      { type: 'finished', id: 1 },
    ]);
  });

  it('counts no silence where silence means nothing, but an end', async () => {
    const { watch, livekit, passes } = setup({ heartbeatMs: null });
    watch.botIsSilent(1e9);
    await passes();
    expect(livekit.deletions).toBe(0);
    watch.takeOver('bot-gone');
    await passes();
    expect(livekit.deletions).toBe(1);
  });

  it('spares a bot that moves again before LiveKit is back, and watches it on', async () => {
    const { watch, livekit, told, passes } = setup();
    livekit.isAway = true;
    watch.botIsSilent(5_000);
    await passes(2_000);
    watch.botIsAlive();
    livekit.isAway = false;
    await passes(60_000);
    expect([livekit.deletions, told]).toEqual([0, []]);
    watch.botIsSilent(5_000);
    await passes();
    expect(livekit.deletions).toBe(1);
  });

  it('does not spare a bot that moved again and then died', async () => {
    const { watch, livekit, told, passes } = setup();
    livekit.isAway = true;
    watch.botIsSilent(5_000);
    await passes(2_000);
    watch.botIsAlive();
    watch.takeOver('bot-gone');
    livekit.isAway = false;
    await passes(60_000);
    expect(livekit.deletions).toBe(1);
    expect(told).toEqual([{ type: 'finished', id: 1 }]);
  });

  it('goes on with what was handed over, also when the bot is silent for a while', async () => {
    const { watch, livekit, told, passes } = setup();
    livekit.isAway = true;
    watch.takeOver('taken-over');
    await passes(1_000);
    watch.botIsSilent(5_000);
    await passes(1_000);
    watch.botIsAlive();
    livekit.isAway = false;
    await passes(10_000);
    expect(livekit.deletions).toBe(1);
    expect(told[0]).toEqual({ type: 'settled', id: 1, status: 'deleted', cause: 'taken-over' });
  });

  it('leaves a room alone that the bot has decided to keep before it ended', async () => {
    const { watch, livekit, told, passes } = setup();
    livekit.isAway = true;
    watch.botIsSilent(5_000);
    await passes(1_000);
    watch.botIsAlive();
    watch.release();
    watch.takeOver('bot-gone');
    livekit.isAway = false;
    await passes(60_000);
    expect(livekit.deletions).toBe(0);
    expect(told).toEqual([{ type: 'finished', id: 1 }]);
  });

  it('does not finish a long pause when the bot dies in it', async () => {
    const { watch, livekit, passes } = setup({ deleteWhen: 'no-humans-left', ownIdentity: undefined });
    livekit.inside = [ada];
    watch.botIsSilent(5_000);
    await passes(1_000);
    watch.botIsAlive();
    await passes(1_000);
    livekit.inside = [];
    watch.takeOver('bot-gone');
    await passes();
    expect(livekit.deletions).toBe(1);
  });

  it('does not take the dead bot itself for somebody inside, also when it was stuck before', async () => {
    const { watch, livekit, passes } = setup({ deleteWhen: 'no-humans-left', ownIdentity: undefined });
    livekit.inside = [ada];
    watch.botIsSilent(5_000);
    await passes(10_000);
    // killed: LiveKit lists it for 20 s more
    watch.takeOver('bot-gone');
    watch.botIsSilent(20_000);
    await passes(20_000);
    expect(livekit.deletions).toBe(0);
    livekit.inside = [];
    await passes(10_000);
    expect(livekit.deletions).toBe(1);
  });

  it('is not hurried by more silence when the bot is dead', async () => {
    const { watch, livekit, passes } = setup({ deleteWhen: 'no-humans-left', ownIdentity: undefined });
    livekit.inside = [ada];
    watch.takeOver('bot-gone');
    await passes(4_000);
    watch.botIsSilent(4_000);
    await passes(16_000);
    livekit.inside = [];
    await passes(10_000);
    expect(livekit.deletions).toBe(1);
  });

  it('asks once for each silence', async () => {
    const { watch, livekit, told, passes } = setup({ deleteWhen: 'no-humans-left' });
    livekit.inside = [ada];
    for (let silentMs = 4_000; silentMs < 10_000; silentMs += 250) {
      watch.botIsSilent(silentMs);
      await passes(250);
    }
    expect(told).toEqual([{ type: 'settled', id: 1, status: 'kept', cause: 'stuck' }]);
    watch.botIsAlive();
    watch.botIsSilent(4_000);
    await passes();
    expect(told).toHaveLength(2);
  });

  it('watches on over a bot that was stuck and whose room was kept', async () => {
    const { watch, livekit, passes } = setup({ deleteWhen: 'no-humans-left' });
    livekit.inside = [ada];
    watch.botIsSilent(4_000);
    await passes();
    livekit.inside = [];
    watch.takeOver('bot-gone');
    await passes();
    expect(livekit.deletions).toBe(1);
  });

  it.each(['verify', 'release'] as const)(
    'follows "%s" that came while it took the bot for dead',
    async (order) => {
      const { watch, livekit, told, passes } = setup();
      livekit.isAway = true;
      watch.botIsSilent(4_000);
      await passes();
      watch.botIsAlive();
      watch[order]();
      livekit.isAway = false;
      await passes(60_000);
      expect(livekit.deletions).toBe(0);
      expect(told).toEqual([{ type: 'finished', id: 1 }]);
    },
  );
});

function failure(kind: LiveKitRESTErrorKind, status?: number): LiveKitRESTError {
  return new LiveKitRESTError('room', { kind, retryable: isRetryable(kind, status), status });
}

const refused = failure('auth', 403);
const room: ListedRoom = { name: 'room', sid: 'RM_1', creationTimeMs: 1_000, metadata: '' };

/** Answers in this order, with the last one for ever. */
function inOrder<T>(...answers: readonly (T | LiveKitRESTError)[]) {
  let next = 0;
  return vi.fn(async (): Promise<T> => {
    const answer = answers[Math.min(next++, answers.length - 1)];
    if (answer instanceof LiveKitRESTError) throw answer;
    return answer as T;
  });
}

const bot = listedParticipant('bot', { kind: 'AGENT', isAgent: true });

interface Changes extends Partial<Pick<RoomToGuard, 'room' | 'deleteWhen' | 'ownIdentity' | 'ownSid'>> {
  readonly rest?: Partial<RoomRest>;
  /** What each deletion is answered. */
  readonly delete?: readonly (true | LiveKitRESTError)[];
}

describe('guardedDeletion', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  function setup(options: Changes = {}) {
    const { delete: answers = [true], rest, ...changed } = options;
    const deletedAt: number[] = [];
    const startedAt = Date.now();
    const answer = inOrder<true>(...answers);
    const calledOff = new AbortController();
    const deletion = guardedDeletion(
      { roomName: 'room', room: { owned: true }, deleteWhen: 'always', ownIdentity: 'bot', ...changed },
      {
        rest: {
          deleteRoomByName: () => {
            deletedAt.push(Date.now() - startedAt);
            return answer();
          },
          ...rest,
        },
        limitMs: 600_000,
        calledOff: calledOff.signal,
      },
    );
    const result = deleteRoom(deletion).then(({ status }) => status);
    return { result, deletedAt, calledOff };
  }

  it.each([
    ['deleted', [true]],
    ['already-gone', [failure('not_found', 404)]],
    ['deleted', [away, failure('not_found', 404)]],
    ['deleted', [away, away, true]],
    ['deleted', [failure('bad_response', 404), failure('bad_response', 302), true]],
    ['failed', [refused]],
  ] as const)('is %s after %o', async (status, answers) => {
    const { result, deletedAt } = setup({ delete: answers });
    await vi.advanceTimersByTimeAsync(1_000);
    expect(await result).toBe(status);
    expect(deletedAt).toHaveLength(answers.length);
  });

  it('tries for ten minutes, ever less often', async () => {
    const { result, deletedAt } = setup({ delete: [away] });
    await vi.advanceTimersByTimeAsync(610_000);
    expect(await result).toBe('failed');
    expect(deletedAt.at(-1)).toBeGreaterThan(590_000);
    expect(deletedAt.length).toBeLessThan(300);
  });

  it.each([
    ['another sid', { sid: 'RM_2' }],
    ['a later time', { creationTimeMs: 60_000 }],
  ])('leaves a room of a shared name alone that has %s, from the first attempt on', async (_, other) => {
    const { result, deletedAt } = setup({
      room: { owned: false, sid: 'RM_1', creationTimeMs: 1_000 },
      rest: { listRooms: async () => [{ ...room, ...other }] },
    });
    expect(await result).toBe('already-gone');
    expect(deletedAt).toEqual([]);
  });

  it('deletes a room of a shared name that is still the same', async () => {
    const { result, deletedAt } = setup({
      room: { owned: false, sid: 'RM_1', creationTimeMs: 1_000 },
      rest: { listRooms: async () => [room] },
    });
    expect(await result).toBe('deleted');
    expect(deletedAt).toHaveLength(1);
  });

  it('does nothing more once it is called off', async () => {
    const { result, deletedAt, calledOff } = setup({ delete: [away] });
    await vi.advanceTimersByTimeAsync(0);
    calledOff.abort('kept');
    await vi.advanceTimersByTimeAsync(60_000);
    expect(await result).toBe('kept');
    expect(deletedAt).toHaveLength(1);
  });

  it('does not delete unasked because LiveKit was away: it asks again who is inside', async () => {
    const listParticipants = inOrder<ListedParticipant[]>(away, away, [ada]);
    const { result, deletedAt } = setup({ deleteWhen: 'no-humans-left', rest: { listParticipants } });
    await vi.advanceTimersByTimeAsync(60_000);
    expect(await result).toBe('kept');
    expect(listParticipants).toHaveBeenCalledTimes(3);
    expect(deletedAt).toEqual([]);
  });

  it('decides anew before each attempt', async () => {
    const listParticipants = inOrder<ListedParticipant[]>([], [ada]);
    const { result, deletedAt } = setup({
      delete: [away],
      deleteWhen: 'no-humans-left',
      rest: { listParticipants },
    });
    await vi.advanceTimersByTimeAsync(60_000);
    expect(await result).toBe('kept');
    expect(deletedAt).toHaveLength(1);
  });

  it('deletes when who is inside is not said', async () => {
    const listParticipants = inOrder<ListedParticipant[]>(refused);
    const { result } = setup({ deleteWhen: 'no-humans-left', rest: { listParticipants } });
    expect(await result).toBe('deleted');
  });

  it('deletes undecided when half of the time is over', async () => {
    const listParticipants = inOrder<ListedParticipant[]>(away);
    const { result, deletedAt } = setup({ deleteWhen: 'no-humans-left', rest: { listParticipants } });
    await vi.advanceTimersByTimeAsync(310_000);
    expect(await result).toBe('deleted');
    expect(deletedAt[0]).toBeGreaterThanOrEqual(300_000);
  });

  it('asks again, when it does not know the bot, once nobody who was killed can be listed any more', async () => {
    const listParticipants = inOrder<ListedParticipant[]>([bot], []);
    const { result, deletedAt } = setup({
      deleteWhen: 'no-agents-left',
      ownIdentity: undefined,
      rest: { listParticipants },
    });
    await vi.advanceTimersByTimeAsync(60_000);
    expect(await result).toBe('deleted');
    expect(deletedAt).toEqual([25_000]);
  });

  it('keeps the room when another agent is still inside then', async () => {
    const listParticipants = inOrder<ListedParticipant[]>([bot]);
    const { result } = setup({
      deleteWhen: 'no-agents-left',
      ownIdentity: undefined,
      rest: { listParticipants },
    });
    await vi.advanceTimersByTimeAsync(60_000);
    expect(await result).toBe('kept');
  });

  describe('while LiveKit was away', () => {
    const bot = (lease: string, joinedAfterMs: number): ListedParticipant =>
      listedParticipant('bot', {
        attributes: { [leaseAttribute]: lease },
        joinedAtMs: Date.now() + joinedAfterMs,
      });
    /** Bumps its lease every second. */
    const beating = (joinedAfterMs: number) => {
      const { joinedAtMs } = bot('', joinedAfterMs);
      return async () => [{ ...bot(`run.${Math.floor(Date.now() / 1_000)}`, 0), joinedAtMs }];
    };

    it('keeps the room of a bot that was started again', async () => {
      const { result, deletedAt } = setup({ delete: [away], rest: { listParticipants: beating(60) } });
      await vi.advanceTimersByTimeAsync(60_000);
      expect(await result).toBe('kept');
      expect(deletedAt).toHaveLength(1);
    });

    it.each([
      ['of the bot that died', async () => [bot('run.7', -60_000)]],
      ['with another bot, which was there before', beating(-60_000)],
      [
        'with a bot that does not tell when it came',
        async () => [{ ...(await beating(0)())[0], joinedAtMs: undefined }],
      ],
    ])('deletes the room %s, as soon as it can', async (_, list) => {
      const listParticipants = list as NonNullable<RoomRest['listParticipants']>;
      const { result, deletedAt } = setup({ delete: [away, true], rest: { listParticipants } });
      await vi.advanceTimersByTimeAsync(1_000);
      expect(await result).toBe('deleted');
      expect(deletedAt).toHaveLength(2);
    });

    it('deletes the room of a bot that was started again and has died, too', async () => {
      const { result } = setup({
        delete: [away, true],
        rest: { listParticipants: async () => [bot('run.1', 60)] },
      });
      await vi.advanceTimersByTimeAsync(31_000);
      expect(await result).toBe('deleted');
    });

    it('deletes undecided when half of the time is over', async () => {
      const { result, deletedAt } = setup({
        delete: [away, true],
        rest: { listParticipants: inOrder<ListedParticipant[]>(away) },
      });
      await vi.advanceTimersByTimeAsync(310_000);
      expect(await result).toBe('deleted');
      expect(deletedAt[1]).toBeGreaterThanOrEqual(300_000);
    });
  });
});

/** Looks every 500 ms from one time to another, and tells what the last look said. */
function look(watch: HeartbeatMonitor, fromMs: number, untilMs: number): number {
  let silentMs = 0;
  for (let nowMs = fromMs; nowMs <= untilMs; nowMs += 500) silentMs = watch.silentMs(nowMs, 1_500);
  return silentMs;
}

describe('HeartbeatMonitor', () => {
  it('counts from the beginning', () => {
    expect(look(new HeartbeatMonitor(0), 500, 4_000)).toBe(4_000);
  });

  it('counts from the last beat', () => {
    const watch = new HeartbeatMonitor(0);
    look(watch, 500, 3_000);
    watch.beat(3_200);
    expect(look(watch, 3_500, 5_000)).toBe(1_800);
  });

  it('counts anew after it was frozen itself', () => {
    const watch = new HeartbeatMonitor(0);
    look(watch, 500, 2_000);
    expect(look(watch, 62_000, 62_000)).toBe(0);
    expect(look(watch, 62_500, 66_000)).toBe(4_000);
  });

  it('does not take a late look for a freeze', () => {
    const watch = new HeartbeatMonitor(0);
    expect(look(watch, 1_500, 1_500)).toBe(1_500);
    expect(look(watch, 1_501 + 1_500, 4_000)).toBe(500);
  });
});
