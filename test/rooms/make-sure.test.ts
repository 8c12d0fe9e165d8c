import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { LiveKitRESTError, type LiveKitRESTErrorKind } from '../../src/lib/errors.ts';
import { leaseAttribute } from '../../src/rooms/lease.ts';
import { makeSure, type SureDeletion } from '../../src/rooms/make-sure.ts';
import { isRetryable } from '../../src/rooms/retry-policy.ts';
import type { ListedParticipant, ListedRoom, RoomRest } from '../../src/rooms/room-rest.ts';
import { listedParticipant } from '../support/listed-participant.ts';

function failure(kind: LiveKitRESTErrorKind, status?: number): LiveKitRESTError {
  return new LiveKitRESTError('room', { kind, retryable: isRetryable(kind, status), status });
}

const away = failure('network');
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

const ada = listedParticipant('ada');
const bot = listedParticipant('bot', { kind: 'AGENT', isAgent: true });

interface Changes extends Partial<Omit<SureDeletion, 'rest'>> {
  readonly rest?: Partial<RoomRest>;
  /** What each deletion is answered. */
  readonly delete?: readonly (true | LiveKitRESTError)[];
}

describe('makeSure', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  function setup(options: Changes = {}) {
    const { delete: answers = [true], rest, ...changed } = options;
    const deletedAt: number[] = [];
    const startedAt = Date.now();
    const answer = inOrder<true>(...answers);
    const result = makeSure({
      rest: {
        deleteRoomByName: () => {
          deletedAt.push(Date.now() - startedAt);
          return answer();
        },
        ...rest,
      },
      roomName: 'room',
      room: { owned: true },
      deleteWhen: 'always',
      ownIdentity: 'bot',
      giveUpMs: 600_000,
      wait: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
      now: Date.now,
      random: () => 0.5,
      isCalledOff: () => false,
      ...changed,
    });
    return { result, deletedAt };
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
    let isCalledOff = false;
    const { result, deletedAt } = setup({ delete: [away], isCalledOff: () => isCalledOff });
    await vi.advanceTimersByTimeAsync(0);
    isCalledOff = true;
    await vi.advanceTimersByTimeAsync(60_000);
    expect(await result).toBe('called-off');
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
