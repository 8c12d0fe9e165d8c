import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { LiveKitRESTError, type LiveKitRESTErrorKind } from '../../src/lib/errors.ts';
import { silentLogger } from '../../src/lib/logger.ts';
import { type Clock, deleteRoom, type RoomDeletionOutcome } from '../../src/rooms/delete-room.ts';
import type { ListedParticipant, RoomRest } from '../../src/rooms/rest/room-rest.ts';
import { isRetryable } from '../../src/rooms/retry-policy.ts';
import { RoomDeleter } from '../../src/rooms/room-deleter.ts';
import type { RoomDeleterOptions } from '../../src/rooms/room-deleter-options.ts';
import { listedParticipant } from '../support/listed-participant.ts';

/** What one attempt meets: a failure, success, or silence until it is stopped. */
type Step = LiveKitRESTError | 'ok' | 'hang';

function failure(
  kind: LiveKitRESTErrorKind,
  status?: number,
  extra: { retryAfterMs?: number; code?: string } = {},
): LiveKitRESTError {
  return new LiveKitRESTError('room', { kind, retryable: isRetryable(kind, status), status, ...extra });
}

const notFound = failure('not_found', 404);
const unavailable = failure('unavailable', 503);

function setup(steps: Step[], options: Partial<RoomDeleterOptions> = {}) {
  const startedAt = Date.now();
  const attemptsAt: number[] = [];
  const signals: (AbortSignal | undefined)[] = [];
  const rest: RoomRest = {
    deleteRoomByName: (_name, { signal } = {}) => {
      const step = steps[Math.min(attemptsAt.length, steps.length - 1)];
      attemptsAt.push(Date.now() - startedAt);
      signals.push(signal);
      if (step instanceof LiveKitRESTError) return Promise.reject(step);
      return step === 'ok' ? Promise.resolve(true) : new Promise(() => {});
    },
    ...options.rest,
  };
  const deleter = new RoomDeleter({
    roomName: 'room',
    logger: silentLogger,
    ...options,
    rest,
  });
  const outcomes: RoomDeletionOutcome[] = [];
  deleter.outcome$.subscribe((outcome) => outcomes.push(outcome));
  return { deleter, attemptsAt, signals, outcomes };
}

describe('a deletion', () => {
  beforeEach(() => {
    vi.useFakeTimers();
    vi.spyOn(Math, 'random').mockReturnValue(0.5);
  });
  afterEach(() => {
    vi.useRealTimers();
    vi.restoreAllMocks();
  });

  it('is one attempt when nothing goes wrong', async () => {
    const { deleter } = setup(['ok']);
    expect(await deleter.deleteRoom('end')).toEqual({
      status: 'deleted',
      roomName: 'room',
      trigger: 'end',
      attempts: 1,
      elapsedMs: 0,
    });
    expect(vi.getTimerCount()).toBe(0);
  });

  it('has sent its request before deleteRoom returns', () => {
    const { deleter, attemptsAt } = setup(['ok']);
    void deleter.deleteRoom('cancel');
    expect(attemptsAt).toEqual([0]);
  });

  it('tries again with growing waits', async () => {
    const { deleter, attemptsAt, outcomes } = setup([unavailable, failure('network'), unavailable, 'ok']);
    void deleter.deleteRoom('end');
    await vi.advanceTimersByTimeAsync(400);
    expect(attemptsAt).toEqual([0, 50, 150, 350]);
    expect(outcomes).toMatchObject([{ status: 'deleted', attempts: 4, elapsedMs: 350 }]);
  });

  it.each([
    ['auth', 401],
    ['clock', 401],
    ['auth', 403],
    ['rejected', 400],
    ['bad_response', 404],
    ['bad_response', 302],
  ] as const)('tries %s (%i) once', async (kind, status) => {
    const error = failure(kind, status);
    const { deleter } = setup([error]);
    expect(await deleter.deleteRoom('end')).toEqual({
      status: 'failed',
      roomName: 'room',
      trigger: 'end',
      attempts: 1,
      elapsedMs: 0,
      error,
    });
  });

  it('finds a room that was gone already', async () => {
    const { deleter } = setup([notFound]);
    expect(await deleter.deleteRoom('end')).toMatchObject({ status: 'already-gone', attempts: 1 });
  });

  it.each([
    ['deleted', failure('network')],
    ['deleted', failure('timeout')],
    ['deleted', failure('bad_response', 200)],
    ['deleted', failure('unavailable', 504)],
    ['already-gone', failure('rate_limited', 429)],
    ['already-gone', failure('unavailable', 500)],
  ] as const)('is %s when the room is gone after %o', async (status, error) => {
    const { deleter, outcomes } = setup([error, notFound]);
    void deleter.deleteRoom('end');
    await vi.advanceTimersByTimeAsync(60);
    expect(outcomes).toMatchObject([{ status, attempts: 2 }]);
    expect(outcomes[0]?.error).toBeUndefined();
  });

  it('waits as long as the server asks', async () => {
    const { deleter, attemptsAt } = setup([failure('rate_limited', 429, { retryAfterMs: 2_000 }), 'ok']);
    void deleter.deleteRoom('end');
    await vi.advanceTimersByTimeAsync(3_000);
    expect(attemptsAt).toEqual([0, 2_050]);
  });

  it('tries once more just before the deadline when the server asks for an hour', async () => {
    const { deleter, attemptsAt, outcomes } = setup([
      failure('rate_limited', 429, { retryAfterMs: 3_600_000 }),
    ]);
    void deleter.deleteRoom('end');
    await vi.advanceTimersByTimeAsync(7_000);
    expect(attemptsAt).toEqual([0, 6_500]);
    expect(outcomes).toMatchObject([{ status: 'failed', attempts: 2, error: { kind: 'rate_limited' } }]);
  });

  it('gives up within the deadline', async () => {
    const { deleter, attemptsAt, outcomes } = setup([unavailable]);
    void deleter.deleteRoom('end');
    await vi.advanceTimersByTimeAsync(7_000);
    expect(outcomes).toMatchObject([{ status: 'failed', error: unavailable, attempts: attemptsAt.length }]);
    expect(attemptsAt.length).toBeGreaterThan(10);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(outcomes).toMatchObject([{ attempts: attemptsAt.length }]);
  });

  it('is cut off at the deadline when an attempt hangs', async () => {
    const { deleter, signals, outcomes } = setup(['hang'], { deadlineMs: 1_000 });
    void deleter.deleteRoom('end');
    await vi.advanceTimersByTimeAsync(999);
    expect(outcomes).toEqual([]);
    expect(signals[0]?.aborted).toBe(false);
    await vi.advanceTimersByTimeAsync(1);
    expect(outcomes).toMatchObject([
      { status: 'failed', attempts: 1, elapsedMs: 1_000, error: { kind: 'timeout', retryable: true } },
    ]);
    expect(outcomes[0]?.error?.message).toContain('not done within 1000 ms');
    expect(signals[0]?.aborted).toBe(true);
  });

  it('reports what the last answered attempt met', async () => {
    const { deleter, outcomes } = setup([unavailable, 'hang']);
    void deleter.deleteRoom('end');
    await vi.advanceTimersByTimeAsync(7_000);
    expect(outcomes).toMatchObject([{ status: 'failed', attempts: 2, error: unavailable }]);
  });

  it('survives a rest that throws at once, and one that rejects with nonsense', async () => {
    const thrown = new RoomDeleter({
      roomName: 'r',
      logger: silentLogger,
      deadlineMs: 100,
      rest: {
        deleteRoomByName: () => {
          throw new TypeError('a bug');
        },
      },
    });
    expect(await thrown.deleteRoom('end')).toMatchObject({ status: 'failed', error: { kind: 'network' } });
  });

  it('runs in the time of its clock', async () => {
    vi.useRealTimers();
    let nowMs = 0;
    const attemptsAt: number[] = [];
    const rest: RoomRest = {
      deleteRoomByName: async () => {
        if (attemptsAt.push(nowMs) < 3) throw unavailable;
        return true;
      },
    };
    const clock: Clock = {
      now: () => nowMs,
      random: () => 0.5,
      sleep: async (ms) => {
        if (ms === 7_000) return new Promise(() => {});
        nowMs += ms;
      },
    };
    const { signal: needless } = new AbortController();
    const room = { owned: true };
    const result = deleteRoom({ rest, roomName: 'room', room, limitMs: 7_000, needless, clock });
    expect(await result).toEqual({ status: 'deleted', attempts: 3, elapsedMs: 150 });
    expect(attemptsAt).toEqual([0, 50, 150]);
  });

  describe('that is stopped by its caller', () => {
    it('has failed at once, and hangs up', async () => {
      const { deleter, signals, outcomes } = setup(['hang']);
      const controller = new AbortController();
      void deleter.deleteRoom('end');
      const second = deleter.deleteRoom('exit', { signal: controller.signal });
      await vi.advanceTimersByTimeAsync(100);
      controller.abort();
      await vi.advanceTimersByTimeAsync(0);
      expect(outcomes).toMatchObject([{ status: 'failed', trigger: 'end', attempts: 1, elapsedMs: 100 }]);
      expect(await second).toBe(outcomes[0]);
      expect(signals[0]?.aborted).toBe(true);
      expect(vi.getTimerCount()).toBe(0);
    });

    it('has failed at once between two attempts', async () => {
      const { deleter, attemptsAt, outcomes } = setup([unavailable]);
      const controller = new AbortController();
      void deleter.deleteRoom('end', { signal: controller.signal });
      await vi.advanceTimersByTimeAsync(10);
      controller.abort();
      await vi.advanceTimersByTimeAsync(1_000);
      expect(outcomes).toMatchObject([{ status: 'failed', attempts: 1, error: unavailable }]);
      expect(attemptsAt).toEqual([0]);
    });

    it('sends nothing when that was before', async () => {
      const { deleter, attemptsAt } = setup(['ok']);
      expect(await deleter.deleteRoom('end', { signal: AbortSignal.abort() })).toMatchObject({
        status: 'failed',
        attempts: 0,
        error: { kind: 'timeout' },
      });
      expect(attemptsAt).toEqual([]);
    });

    it('forgets the signal once it is done', async () => {
      const { deleter } = setup(['ok']);
      const { signal } = new AbortController();
      const remove = vi.spyOn(signal, 'removeEventListener');
      await deleter.deleteRoom('end', { signal });
      expect(remove).toHaveBeenCalledOnce();
    });
  });

  describe('of a room that the server says is gone', () => {
    it('sends nothing', async () => {
      const { deleter, attemptsAt, outcomes } = setup(['ok']);
      deleter.markDeleted('end');
      await vi.advanceTimersByTimeAsync(0);
      expect(outcomes).toMatchObject([{ status: 'already-gone', trigger: 'end', attempts: 0 }]);
      expect(await deleter.deleteRoom('exit')).toBe(outcomes[0]);
      expect(attemptsAt).toEqual([]);
    });

    it('keeps the outcome that was there before', async () => {
      const { deleter, outcomes } = setup(['ok']);
      await deleter.deleteRoom('cancel');
      deleter.markDeleted('end');
      expect(outcomes).toMatchObject([{ status: 'deleted', trigger: 'cancel' }]);
    });

    it('lets the attempt under way finish', async () => {
      const { deleter, signals, outcomes } = setup(['ok']);
      const result = deleter.deleteRoom('cancel');
      deleter.markDeleted('cancel');
      expect(signals[0]?.aborted).toBe(false);
      expect(outcomes).toEqual([]);
      expect(await result).toMatchObject({ status: 'deleted', trigger: 'cancel', attempts: 1 });
    });

    it('makes no further attempt', async () => {
      const { deleter, attemptsAt, outcomes } = setup([failure('network'), 'ok']);
      void deleter.deleteRoom('cancel');
      deleter.markDeleted('cancel');
      await vi.advanceTimersByTimeAsync(0);
      expect(outcomes).toMatchObject([{ status: 'deleted', attempts: 1 }]);
      expect(attemptsAt).toEqual([0]);
    });

    it('does not mind that the attempt under way is refused', async () => {
      const { deleter } = setup([failure('auth', 401)]);
      const result = deleter.deleteRoom('cancel');
      deleter.markDeleted('cancel');
      expect(await result).toMatchObject({ status: 'already-gone', attempts: 1 });
    });

    it('does not wait for the next attempt', async () => {
      const { deleter, outcomes } = setup([unavailable, 'ok']);
      void deleter.deleteRoom('cancel');
      await vi.advanceTimersByTimeAsync(10);
      deleter.markDeleted('cancel');
      await vi.advanceTimersByTimeAsync(0);
      expect(outcomes).toMatchObject([{ status: 'already-gone', attempts: 1, elapsedMs: 10 }]);
    });

    it('does not wait for a decision', async () => {
      const { deleter, outcomes } = setup(['ok'], { deleteWhen: () => new Promise(() => {}) });
      void deleter.deleteRoom('end');
      await vi.advanceTimersByTimeAsync(10);
      deleter.markDeleted('end');
      await vi.advanceTimersByTimeAsync(0);
      expect(outcomes).toMatchObject([{ status: 'already-gone', attempts: 0 }]);
    });
  });

  describe('of a room that is to be kept', () => {
    it('sends nothing', async () => {
      const { deleter, attemptsAt, outcomes } = setup(['ok']);
      deleter.keepRoom('DUPLICATE_IDENTITY');
      await vi.advanceTimersByTimeAsync(0);
      expect(outcomes).toMatchObject([{ status: 'kept', trigger: 'exit', attempts: 0 }]);
      expect(await deleter.deleteRoom('end')).toBe(outcomes[0]);
      expect(attemptsAt).toEqual([]);
    });

    it('keeps the outcome that was there before', async () => {
      const { deleter, outcomes } = setup(['ok']);
      await deleter.deleteRoom('cancel');
      deleter.keepRoom('DUPLICATE_IDENTITY');
      expect(outcomes).toMatchObject([{ status: 'deleted', trigger: 'cancel' }]);
    });

    it('tells what became of the attempt under way, and makes no other', async () => {
      const ok = setup(['ok']);
      const result = ok.deleter.deleteRoom('cancel');
      ok.deleter.keepRoom('DUPLICATE_IDENTITY');
      expect(await result).toMatchObject({ status: 'deleted', attempts: 1 });

      const fails = setup([unavailable, 'ok']);
      void fails.deleter.deleteRoom('cancel');
      await vi.advanceTimersByTimeAsync(10);
      fails.deleter.keepRoom('DUPLICATE_IDENTITY');
      await vi.advanceTimersByTimeAsync(1_000);
      expect(fails.outcomes).toMatchObject([
        { status: 'kept', trigger: 'cancel', attempts: 1, elapsedMs: 10 },
      ]);
      expect(fails.attemptsAt).toEqual([0]);
    });

    it('does not wait for a decision', async () => {
      const { deleter, outcomes } = setup(['ok'], { deleteWhen: () => new Promise(() => {}) });
      void deleter.deleteRoom('end');
      await vi.advanceTimersByTimeAsync(10);
      deleter.keepRoom('DUPLICATE_IDENTITY');
      await vi.advanceTimersByTimeAsync(0);
      expect(outcomes).toMatchObject([{ status: 'kept', trigger: 'end', attempts: 0 }]);
    });
  });

  describe('of a room that its bot has never joined', () => {
    const room = { name: 'room', sid: 'RM_1', creationTimeMs: 1, metadata: '' };
    const unreachable = failure('network');

    function neverJoined(nameIsNew: boolean, listRooms: RoomRest['listRooms']) {
      const rest = (listRooms && { listRooms }) as RoomRest;
      const bot = setup(['ok'], { rest, verify: false });
      bot.deleter.neverJoined({ nameIsNew });
      void bot.deleter.deleteRoom('exit');
      return bot;
    }

    it.each<[what: string, nameIsNew: boolean, listRooms: RoomRest['listRooms']]>([
      ['there is none', false, async () => []],
      ['there is none, under a new name', true, async () => []],
      ['nobody can tell, under a new name', true, undefined],
      ['LiveKit is away, under a new name', true, () => Promise.reject(unreachable)],
      ['the key is refused, under a new name', true, () => Promise.reject(failure('auth', 401))],
    ])('attempts nothing where %s', async (_what, nameIsNew, listRooms) => {
      const { outcomes, attemptsAt } = neverJoined(nameIsNew, listRooms);
      await vi.advanceTimersByTimeAsync(3_000);
      expect(outcomes).toMatchObject([
        { status: 'already-gone', trigger: 'exit', attempts: 0, elapsedMs: 0 },
      ]);
      expect(attemptsAt).toEqual([]);
    });

    it.each<[what: string, nameIsNew: boolean, listRooms: RoomRest['listRooms'], atMs: number]>([
      ['somebody has it', true, async () => [room], 0],
      ['somebody has it, under a shared name', false, async () => [room], 0],
      ['nobody can tell, under a shared name', false, undefined, 0],
      ['LiveKit is away, under a shared name', false, () => Promise.reject(unreachable), 0],
      ['the key is refused, under a shared name', false, () => Promise.reject(failure('auth', 401)), 0],
      ['LiveKit is busy', true, () => Promise.reject(unavailable), 0],
      ['LiveKit does not answer in 3 s', true, () => new Promise(() => {}), 3_000],
    ])('is deleted all the same where %s', async (_what, nameIsNew, listRooms, atMs) => {
      const { outcomes, attemptsAt } = neverJoined(nameIsNew, listRooms);
      await vi.advanceTimersByTimeAsync(3_000);
      expect(outcomes).toMatchObject([{ status: 'deleted', attempts: 1 }]);
      expect(attemptsAt).toEqual([atMs]);
    });

    it('is kept where it is to be kept', async () => {
      const { deleter, outcomes } = setup(['ok'], { deleteWhen: 'never' });
      deleter.neverJoined({ nameIsNew: true });
      await deleter.deleteRoom('exit');
      expect(outcomes).toMatchObject([{ status: 'kept' }]);
    });
  });

  describe('that depends', () => {
    const ada = listedParticipant('ada');
    const bot = listedParticipant('bot', { isAgent: true });
    const counting = (...answer: (readonly ListedParticipant[] | LiveKitRESTError)[]) => {
      const asked: string[] = [];
      const listParticipants: RoomRest['listParticipants'] = async (name) => {
        const next = answer[Math.min(asked.push(name), answer.length) - 1] ?? [];
        if (next instanceof LiveKitRESTError) throw next;
        return next;
      };
      return { asked, listParticipants };
    };

    async function decided(
      deleteWhen: NonNullable<RoomDeleterOptions['deleteWhen']>,
      listParticipants?: RoomRest['listParticipants'],
    ) {
      const rest = { ...(listParticipants && { listParticipants }) } as RoomRest;
      const { deleter, outcomes, attemptsAt } = setup(['ok'], { deleteWhen, rest, ownIdentity: 'bot' });
      void deleter.deleteRoom('end');
      await vi.advanceTimersByTimeAsync(7_000);
      return { ...outcomes[0], attemptsAt };
    }

    it.each([
      ['never', [], 'kept'],
      ['always', [ada], 'deleted'],
      ['no-humans-left', [ada, bot], 'kept'],
      ['no-humans-left', [bot], 'deleted'],
      ['no-agents-left', [ada, bot], 'deleted'],
      ['no-agents-left', [{ ...bot, identity: 'other bot' }], 'kept'],
    ] as const)('on %s: %#', async (deleteWhen, inside, status) => {
      const { asked, listParticipants } = counting(inside);
      expect(await decided(deleteWhen, listParticipants)).toMatchObject({ status });
      expect(asked).toEqual(deleteWhen.startsWith('no-') ? ['room'] : []);
    });

    it.each([
      ['PA_own', 'deleted'],
      ['PA_successor', 'kept'],
    ])('counts a successor under the same identity as another agent: %s', async (sid, status) => {
      const { listParticipants } = counting([{ ...bot, sid }]);
      const options = { deleteWhen: 'no-agents-left', ownIdentity: 'bot' } as const;
      const { deleter } = setup(['ok'], { ...options, rest: { listParticipants } as RoomRest });
      deleter.participantIs('PA_own');
      expect(await deleter.deleteRoom('end')).toMatchObject({ status });
    });

    it('sends nothing for a room that is kept', async () => {
      expect(await decided('never')).toMatchObject({ status: 'kept', attempts: 0, attemptsAt: [] });
      expect(await decided(async () => false)).toMatchObject({ status: 'kept', attemptsAt: [] });
    });

    it('asks again when the list fails for a moment', async () => {
      const { listParticipants } = counting(unavailable, unavailable, [ada]);
      expect(await decided('no-humans-left', listParticipants)).toMatchObject({ status: 'kept' });
    });

    it.each([
      ['the list fails for good', failure('auth', 401)],
      ['the list never gets better', unavailable],
      ['the room is not there', notFound],
    ])('deletes when %s', async (_, error) => {
      const { listParticipants } = counting(error);
      expect(await decided('no-humans-left', listParticipants)).toMatchObject({ status: 'deleted' });
    });

    it('deletes when a function throws, rejects, or asks a rest that cannot count', async () => {
      const throws = (): boolean => {
        throw new Error('a bug');
      };
      expect(await decided(throws)).toMatchObject({ status: 'deleted' });
      expect(await decided(async () => throws())).toMatchObject({ status: 'deleted' });
      expect(
        await decided(async ({ listParticipants }) => (await listParticipants()).length === 0),
      ).toMatchObject({ status: 'deleted' });
    });

    it('deletes after two seconds of indecision, and says so', async () => {
      const warn = vi.fn();
      const signals: AbortSignal[] = [];
      const { deleter, attemptsAt } = setup(['ok'], {
        logger: { ...silentLogger, warn },
        deleteWhen: ({ signal }) => {
          signals.push(signal);
          return new Promise(() => {});
        },
      });
      void deleter.deleteRoom('end');
      await vi.advanceTimersByTimeAsync(2_000);
      expect(attemptsAt).toEqual([2_000]);
      expect(signals[0]?.aborted).toBe(true);
      expect(warn).toHaveBeenCalledOnce();
    });

    it('leaves half of a short deadline for the deletion', async () => {
      const { deleter, attemptsAt } = setup(['ok'], {
        deadlineMs: 1_000,
        deleteWhen: () => new Promise(() => {}),
      });
      void deleter.deleteRoom('end');
      await vi.advanceTimersByTimeAsync(1_000);
      expect(attemptsAt).toEqual([500]);
    });
  });
});
