import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { InvalidOptionError } from '../../src/lib/errors.ts';
import { closeOnProcessExit, type DeletesRoom } from '../../src/rooms/close-on-process-exit.ts';
import type { RoomDeletionOutcome } from '../../src/rooms/delete-room.ts';
import { promised } from '../support/promised.ts';
import { spawnScript } from '../support/run-typescript.ts';
import type { ExitProgram } from './exit-program.ts';
import {
  type Answer,
  answers,
  answersAfter,
  confirms,
  neverAnswers,
  serve,
} from './rest/misbehaving-server.ts';

const script = fileURLToPath(new URL('./exit-program.ts', import.meta.url));
const children = new Set<ChildProcess>();
afterEach(() => {
  for (const child of children) child.kill('SIGKILL');
  children.clear();
});

interface RunOptions extends Pick<ExitProgram, 'callbacks'> {
  readonly answer?: Answer[];
  readonly budgetMs?: number;
  readonly rooms?: number;
}

async function run(
  then: ExitProgram['then'],
  { answer = [confirms], budgetMs = 8_000, rooms = 1, ...options }: RunOptions = {},
) {
  const servers = await Promise.all(Array.from({ length: rooms }, () => serve(...answer)));
  const program: ExitProgram = { apiUrls: servers.map(({ url }) => url), budgetMs, then, ...options };
  const child = spawnScript(script, [JSON.stringify(program)], { stdio: ['ignore', 'pipe', 'pipe'] });
  children.add(child);
  let errors = '';
  child.stderr?.on('data', (chunk) => {
    errors += chunk;
  });
  const exit = once(child, 'close');
  if (child.stdout !== null) await once(child.stdout, 'data');
  let sinceMs = performance.now();
  return {
    signal: (name: NodeJS.Signals): boolean => {
      sinceMs = performance.now();
      return child.kill(name);
    },
    requests: () => servers.map((server) => server.requests.length),
    /** `afterMs` is counted from the latest signal. */
    async exits() {
      const [code, signal] = await exit;
      return { code, signal, errors, afterMs: performance.now() - sinceMs };
    },
  };
}

const untilAsked = async (requests: () => number[]): Promise<void> => {
  while (requests().includes(0)) await new Promise((resolve) => setTimeout(resolve, 5));
};

describe('closeOnProcessExit', () => {
  it.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)(
    'deletes the room on %s and exits with 0',
    async (name) => {
      const { signal, requests, exits } = await run('wait', { answer: [answersAfter(50, confirms)] });
      signal(name);
      expect(await exits()).toMatchObject({ code: 0, signal: null });
      expect(requests()).toEqual([1]);
    },
  );

  it('deletes the room when the program has nothing left to do', async () => {
    const { requests, exits } = await run('return');
    expect(await exits()).toMatchObject({ code: 0, signal: null });
    expect(requests()).toEqual([1]);
  });

  it.each(['throw', 'reject'] as const)('deletes the room and exits with 1 on %s', async (then) => {
    const { requests, exits } = await run(then);
    const { code, errors } = await exits();
    expect(code).toBe(1);
    expect(requests()).toEqual([1]);
    expect(errors).toContain('a bug in user code');
    expect(errors).toContain('exit-program.ts');
  });

  it.each([
    ['SIGTERM', 'wait'],
    [undefined, 'return'],
    [undefined, 'throw'],
  ] as const)('exits with 3 when the room may remain: %s, %s', async (name, then) => {
    const { signal, exits } = await run(then, { answer: [answers(401)] });
    if (name !== undefined) signal(name);
    expect(await exits()).toMatchObject({ code: 3, errors: expect.stringContaining('may remain') });
  });

  describe.each(['throw', 'reject'] as const)(
    'with a logger, listeners and a deleteWhen that %s',
    (callbacks) => {
      it.each([
        ['throw', undefined, confirms, 1],
        ['wait', 'SIGTERM', confirms, 0],
        ['throw', undefined, answers(401), 3],
        ['wait', 'SIGTERM', answers(401), 3],
      ] as const)(
        'deletes the room and has the right exit code: %s, %s',
        async (then, name, answer, code) => {
          const { signal, requests, exits } = await run(then, { callbacks, answer: [answer] });
          if (name !== undefined) signal(name);
          expect(await exits()).toMatchObject({ code, signal: null });
          expect(requests()).toEqual([1]);
        },
      );
    },
  );

  it('keeps the exit code that was set before a signal', async () => {
    const { signal, exits } = await run('set-exit-code');
    signal('SIGTERM');
    expect(await exits()).toMatchObject({ code: 7 });
  });

  it('exits with 3 within the budget when nobody answers', async () => {
    const { signal, exits } = await run('wait', { answer: [neverAnswers], budgetMs: 300 });
    signal('SIGTERM');
    const { code, afterMs } = await exits();
    expect(code).toBe(3);
    expect(afterMs).toBeGreaterThan(290);
    expect(afterMs).toBeLessThan(promised(1_500));
  });

  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const)('exits within half a second after a second signal: %s, %i', async (name, code) => {
    const { signal, requests, exits } = await run('wait', { answer: [neverAnswers] });
    signal('SIGTERM');
    await untilAsked(requests);
    signal(name);
    const { afterMs, ...exit } = await exits();
    expect(exit).toMatchObject({ code, signal: null });
    expect(afterMs).toBeLessThan(promised(1_500));
  });

  it('does not wait half a second when the room is gone earlier', async () => {
    vi.resetModules();
    const { closeOnProcessExit } = await import('../../src/rooms/close-on-process-exit.ts');
    vi.useFakeTimers();
    const exit = vi.spyOn(process, 'exit').mockReturnValue(undefined as never);
    const exitCode = process.exitCode;
    onTestFinished(() => {
      vi.useRealTimers();
      exit.mockRestore();
      process.exitCode = exitCode;
    });
    const gone = { status: 'deleted' } as RoomDeletionOutcome;
    const deleteRoom = (): Promise<RoomDeletionOutcome> =>
      new Promise((resolve) => setTimeout(() => resolve(gone), 100));
    using _watch = closeOnProcessExit({ deleteRoom });
    process.emit('SIGINT', 'SIGINT');
    process.emit('SIGINT', 'SIGINT');
    await vi.advanceTimersByTimeAsync(99);
    expect(exit).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(5);
    expect(exit).toHaveBeenCalledExactlyOnceWith(130);
  });

  it('waits for all rooms of the process', async () => {
    const { signal, requests, exits } = await run('wait', {
      rooms: 3,
      answer: [answersAfter(100, confirms)],
    });
    signal('SIGTERM');
    expect(await exits()).toMatchObject({ code: 0 });
    expect(requests()).toEqual([1, 1, 1]);
  });

  it('lets signals through again when it is told to stop', async () => {
    const { signal, requests, exits } = await run('unwatch');
    signal('SIGTERM');
    expect(await exits()).toMatchObject({ code: null, signal: 'SIGTERM' });
    expect(requests()).toEqual([0]);
  });

  it('leaves no handlers behind', () => {
    const deleter = { deleteRoom: () => new Promise(() => {}) } as DeletesRoom;
    const count = (): number[] =>
      ['SIGINT', 'SIGTERM', 'SIGHUP', 'beforeExit', 'uncaughtException', 'unhandledRejection'].map((name) =>
        process.listenerCount(name),
      );
    const before = count();
    const first = closeOnProcessExit(deleter);
    {
      using _second = closeOnProcessExit(deleter);
      expect(count()).toEqual(before.map((listeners) => listeners + 1));
      first();
      expect(count()).toEqual(before.map((listeners) => listeners + 1));
    }
    expect(count()).toEqual(before);
    first();
    expect(count()).toEqual(before);
  });

  it.each([
    ['deleter', {} as DeletesRoom, 1_000],
    ['budgetMs', { deleteRoom: () => new Promise(() => {}) } as DeletesRoom, -1],
    ['budgetMs', { deleteRoom: () => new Promise(() => {}) } as DeletesRoom, Number.NaN],
  ])('refuses %s', (option, deleter, budgetMs) => {
    const before = process.listenerCount('SIGTERM');
    expect(() => closeOnProcessExit(deleter, { budgetMs })).toThrow(InvalidOptionError);
    expect(() => closeOnProcessExit(deleter, { budgetMs })).toThrow(`Option "${option}" must be `);
    expect(process.listenerCount('SIGTERM')).toBe(before);
  });
});
