import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { InvalidOptionError } from '../../src/lib/errors.ts';
import { silentLogger } from '../../src/lib/logger.ts';
import { ExitHooks } from '../../src/pipeline/exit-hooks.ts';
import type { PipelineResult } from '../../src/processors/frame-processor-setup.ts';
import { never } from './faults.ts';

const result: PipelineResult = { reason: 'ended', forced: false, durationMs: 1 };

describe('ExitHooks', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  const setup = () => {
    const calls: string[] = [];
    const errors: object[] = [];
    const hooks = new ExitHooks({ ...silentLogger, error: (fields) => void errors.push(fields) });
    return { hooks, calls, errors };
  };

  it('runs them one after the other, the last one first', async () => {
    const { hooks, calls } = setup();
    for (const name of ['a', 'b', 'c']) {
      hooks.add(name, async () => {
        calls.push(`${name} begins`);
        await undefined;
        calls.push(`${name} ends`);
      });
    }
    await hooks.run(result);
    expect(calls).toEqual(['c begins', 'c ends', 'b begins', 'b ends', 'a begins', 'a ends']);
  });

  it('tells them how the run ended', async () => {
    const { hooks } = setup();
    const hook = vi.fn();
    hooks.add('hook', hook);
    await hooks.run(result);
    expect(hook).toHaveBeenCalledExactlyOnceWith({ result, signal: expect.any(AbortSignal) });
  });

  it('runs none a second time', async () => {
    const { hooks } = setup();
    const hook = vi.fn();
    hooks.add('hook', hook);
    await Promise.all([hooks.run(result), hooks.run(result)]);
    await hooks.run(result);
    expect(hook).toHaveBeenCalledOnce();
  });

  it('goes on behind one that throws, and says which', async () => {
    const { hooks, calls, errors } = setup();
    hooks.add('first', () => void calls.push('first'));
    hooks.add('throws', () => {
      throw new Error('thrown on purpose');
    });
    hooks.add('rejects', () => Promise.reject(new Error('rejected on purpose')));
    await hooks.run(result);
    expect(calls).toEqual(['first']);
    expect(errors).toMatchObject([{ hook: 'rejects' }, { hook: 'throws' }]);
  });

  it('aborts the signal at the limit, and gives up soon after', async () => {
    const { hooks, calls, errors } = setup();
    hooks.add('first', () => void calls.push('first'));
    hooks.add(
      'hangs',
      ({ signal }) => {
        signal.addEventListener('abort', () => calls.push('aborted'));
        return never;
      },
      { timeoutMs: 300 },
    );
    const running = hooks.run(result);
    await vi.advanceTimersByTimeAsync(299);
    expect(calls).toEqual([]);
    await vi.advanceTimersByTimeAsync(1);
    expect(calls).toEqual(['aborted']);
    await vi.advanceTimersByTimeAsync(100);
    expect(calls).toEqual(['aborted', 'first']);
    expect(errors).toMatchObject([{ hook: 'hangs' }]);
    await running;
    expect(vi.getTimerCount()).toBe(0);
  });

  it('gives each 10 seconds by default', async () => {
    const { hooks } = setup();
    const aborted = vi.fn();
    hooks.add('hangs', ({ signal }) => {
      signal.addEventListener('abort', aborted);
      return never;
    });
    void hooks.run(result);
    await vi.advanceTimersByTimeAsync(9_999);
    expect(aborted).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(1);
    expect(aborted).toHaveBeenCalledOnce();
  });

  it('lets one that stops at the signal report what it knows', async () => {
    const { hooks, errors } = setup();
    hooks.add(
      'stops in time',
      ({ signal }) =>
        new Promise((resolve) => {
          signal.addEventListener('abort', () => resolve({ exitCode: 3 }));
        }),
      { timeoutMs: 300 },
    );
    const running = hooks.run(result);
    await vi.advanceTimersByTimeAsync(300);
    await running;
    expect(hooks.exitCode).toBe(3);
    expect(errors).toEqual([]);
  });

  it('gives all of them together the longest of their limits, however many hang', async () => {
    const { hooks, calls } = setup();
    const began: number[] = [];
    const startedMs = performance.now();
    hooks.add('first', () => void calls.push('first'), { timeoutMs: 100 });
    for (const timeoutMs of [1_000, 2_000, 200, 2_000]) {
      hooks.add(
        'hangs',
        () => {
          began.push(performance.now() - startedMs);
          return never;
        },
        { timeoutMs },
      );
    }
    hooks.add('last', () => void calls.push('last'), { timeoutMs: 100 });
    const running = hooks.run(result).then(() => performance.now() - startedMs);
    await vi.advanceTimersByTimeAsync(3_000);
    expect(await running).toBeLessThanOrEqual(2_100);
    // each waits for half of what is left, or until the one before it is given up
    expect(began).toEqual([0, 1_000, 1_300, 1_650]);
    expect(calls).toEqual(['last', 'first']);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('lets one begin beside another that takes more than half of the time', async () => {
    const { hooks, calls } = setup();
    const takes = (name: string, ms: number) => async () => {
      calls.push(`${name} begins`);
      await new Promise((resolve) => setTimeout(resolve, ms));
      calls.push(`${name} ends`);
    };
    hooks.add('second', takes('second', 500));
    hooks.add('first', takes('first', 6_000));
    const running = hooks.run(result);
    await vi.advanceTimersByTimeAsync(6_000);
    await running;
    expect(calls).toEqual(['first begins', 'second begins', 'second ends', 'first ends']);
  });

  it('begins all of them at once in a forced shutdown, and aborts them when it is over', async () => {
    const { hooks } = setup();
    const calls: string[] = [];
    for (const name of ['third', 'second', 'first']) {
      hooks.add(name, ({ signal }) => {
        calls.push(`${name} begins`);
        signal.addEventListener('abort', () => calls.push(`${name} is aborted`));
        return never;
      });
    }
    const running = hooks.run(result);
    await vi.advanceTimersByTimeAsync(50);
    expect(calls).toEqual(['first begins']);
    hooks.forceShutdown(500);
    await vi.advanceTimersByTimeAsync(0);
    expect(calls).toEqual(['first begins', 'second begins', 'third begins']);
    await vi.advanceTimersByTimeAsync(500);
    expect(calls.slice(3)).toEqual(['first is aborted', 'second is aborted', 'third is aborted']);
    await vi.advanceTimersByTimeAsync(100);
    await running;
    expect(vi.getTimerCount()).toBe(0);
  });

  it('runs them all in a shutdown without any time left, with an aborted signal', async () => {
    const { hooks } = setup();
    const aborted: boolean[] = [];
    for (let count = 0; count < 10; count += 1) {
      hooks.add('hangs', ({ signal }) => {
        aborted.push(signal.aborted);
        return never;
      });
    }
    hooks.forceShutdown(0);
    const running = hooks.run(result);
    await vi.advanceTimersByTimeAsync(100);
    await running;
    expect(aborted).toEqual(new Array(10).fill(true));
    expect(vi.getTimerCount()).toBe(0);
  });

  it('aborts nothing of a hook that has ended', async () => {
    const { hooks } = setup();
    const aborted = vi.fn();
    hooks.add('hangs', () => never, { timeoutMs: 300 });
    hooks.add('ends', ({ signal }) => signal.addEventListener('abort', aborted), { timeoutMs: 300 });
    const running = hooks.run(result);
    await vi.advanceTimersByTimeAsync(400);
    await running;
    expect(aborted).not.toHaveBeenCalled();
    expect(vi.getTimerCount()).toBe(0);
  });

  it('keeps the highest exit code that one reports', async () => {
    const { hooks } = setup();
    for (const exitCode of [1, 3, 2]) hooks.add(`${exitCode}`, () => Promise.resolve({ exitCode }));
    hooks.add('none', () => {});
    expect(hooks.exitCode).toBe(0);
    await hooks.run(result);
    expect(hooks.exitCode).toBe(3);
  });

  it.each([Number.NaN, 0.5, -1, 256, '3' as unknown as number])(
    'counts %s as 1, and says so',
    async (exitCode) => {
      const { hooks, errors } = setup();
      hooks.add('odd', () => Promise.resolve({ exitCode }));
      hooks.add('fine', () => Promise.resolve({ exitCode: 0 }));
      await hooks.run(result);
      expect(hooks.exitCode).toBe(1);
      expect(errors).toEqual([{ hook: 'odd', exitCode }]);
    },
  );

  it.each<[option: string, hook: unknown, options: unknown]>([
    ['hook', undefined, {}],
    ['hook', Promise.resolve(), {}],
    ['timeout', () => {}, { timeout: 5 }],
    ['options', () => {}, 5_000],
  ])('refuses a wrong %s', (option, hook, options) => {
    const { hooks } = setup();
    expect(() => hooks.add('hook', hook as never, options as never)).toThrow(`"${option}"`);
  });

  it('refuses a limit that no timer can wait', () => {
    const { hooks } = setup();
    expect(() => hooks.add('hook', () => {}, { timeoutMs: 2 ** 31 })).toThrow(InvalidOptionError);
  });

  it('runs one that is added while they run, and one that is added later', async () => {
    const { hooks, calls } = setup();
    hooks.add('early', () => {
      hooks.add('meanwhile', () => void calls.push('meanwhile'));
    });
    await hooks.run(result);
    hooks.add('late', () => void calls.push('late'));
    expect(calls).toEqual(['meanwhile', 'late']);
  });

  it('hands out a signal that is forgotten with the run, whoever listens to it', async () => {
    const any = vi.spyOn(AbortSignal, 'any');
    const { hooks } = setup();
    const hook = vi.fn(({ signal }: { signal: AbortSignal }) => signal.addEventListener('abort', () => {}));
    hooks.add('hook', hook);
    await hooks.run(result);
    expect(hook).toHaveBeenCalledOnce();
    // Node keeps what any() has made for ever once it has a listener
    expect(any).not.toHaveBeenCalled();
  });
});
