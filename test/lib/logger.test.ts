import { afterEach, describe, expect, it, vi } from 'vitest';
import { MissingDependencyError } from '../../src/lib/errors.ts';
import { type Logger, safeLogger, stderrLogger } from '../../src/lib/logger.ts';

describe('stderrLogger', () => {
  afterEach(() => void vi.restoreAllMocks());

  function written(fields: object): string {
    const write = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
    stderrLogger.warn(fields, 'text');
    return String(write.mock.lastCall?.[0]);
  }

  it('writes one line of JSON', () => {
    expect(written({ processor: 'Upper#0', ms: 3 })).toBe(
      'WARN endframe: text {"processor":"Upper#0","ms":3}\n',
    );
  });

  it('writes the stack of an error, and of its causes, behind the line', () => {
    const root = new RangeError('root');
    const error = new TypeError('boom', { cause: new Error('middle', { cause: root }) });
    const [line, ...stacks] = written({ error, ms: 3 }).split('\n');
    expect(line).toBe('WARN endframe: text {"error":"TypeError: boom","ms":3}');
    expect(stacks.filter((stack) => !/^ {6}at /.test(stack))).toEqual([
      '  TypeError: boom',
      '  [cause]: Error: middle',
      '  [cause]: RangeError: root',
      '',
    ]);
    expect(stacks.filter((stack) => stack.includes('logger.test.ts')).length).toBeGreaterThanOrEqual(3);
  });

  it('says an error of endframe that explains itself in one line', () => {
    const error = new MissingDependencyError('@livekit/rtc-node', 'Run: npm install @livekit/rtc-node');
    expect(written({ error }).match(/\n/g)).toHaveLength(1);
  });

  it('writes nothing of an error but its stack: other properties may hold secrets', () => {
    const error = Object.assign(new Error('boom'), {
      config: { headers: { Authorization: 'secret' } },
      toJSON: () => ({ Authorization: 'secret' }),
    });
    expect(written({ error })).not.toContain('secret');
  });

  it('ends with causes that go round', () => {
    const error = new Error('round');
    error.cause = error;
    expect(written({ error })).toContain('[cause]: Error: round');
  });

  it('keeps what is beside a circle or a BigInt', () => {
    const circle: Record<string, unknown> = { roomName: 'lobby', bytes: 10n };
    circle.self = circle;
    const line = written(circle);
    expect(line).toMatch(/roomName: 'lobby'.*bytes: 10n.*Circular/);
    expect(line.match(/\n/g)).toHaveLength(1);
  });
});

describe('unfailing', () => {
  const levels = ['debug', 'info', 'warn', 'error'] as const;

  it.each<[how: string, log: () => void]>([
    [
      'throws',
      () => {
        throw new Error('disk full');
      },
    ],
    ['rejects', async () => Promise.reject(new Error('disk full'))],
  ])('loses what a logger %s', async (_how, log) => {
    const uncaught: unknown[] = [];
    const onUncaught = (error: unknown): void => void uncaught.push(error);
    process.on('unhandledRejection', onUncaught);
    const logger: Logger = safeLogger({ debug: log, info: log, warn: log, error: log });
    for (const level of levels) expect(() => logger[level]({}, 'text')).not.toThrow();
    await new Promise(setImmediate);
    process.off('unhandledRejection', onUncaught);
    expect(uncaught).toEqual([]);
  });
});
