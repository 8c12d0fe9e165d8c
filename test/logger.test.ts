import { afterEach, describe, expect, it, vi } from 'vitest';
import { stderrLogger } from '../src/logger.ts';

describe('stderrLogger', () => {
  afterEach(() => void vi.restoreAllMocks());

  function written(fields: object): string {
    const write = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
    stderrLogger.warn(fields, 'text');
    return String(write.mock.lastCall?.[0]);
  }

  it('writes one line of JSON', () => {
    expect(written({ error: new TypeError('boom'), ms: 3 })).toBe(
      'WARN endframe: text {"error":"TypeError: boom","ms":3}\n',
    );
  });

  it('keeps what is beside a circle or a BigInt', () => {
    const circle: Record<string, unknown> = { roomName: 'lobby', bytes: 10n };
    circle.self = circle;
    const line = written(circle);
    expect(line).toMatch(/roomName: 'lobby'.*bytes: 10n.*Circular/);
    expect(line.match(/\n/g)).toHaveLength(1);
  });
});
