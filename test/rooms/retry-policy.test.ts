import { describe, expect, it } from 'vitest';
import { LiveKitRESTError } from '../../src/lib/errors.ts';
import { answerWasLost, isRetryable, nodeMayBeLost, retryDelayMs } from '../../src/rooms/retry-policy.ts';

describe('isRetryable', () => {
  it.each([
    ['network', undefined, true],
    ['timeout', undefined, true],
    ['timeout', 408, true],
    ['rate_limited', 429, true],
    ['unavailable', 425, true],
    ['unavailable', 500, true],
    ['bad_response', 200, true],
    ['bad_response', 204, false],
    ['bad_response', 302, false],
    ['bad_response', 404, false],
    ['rejected', 400, false],
    ['auth', 401, false],
    ['clock', 401, false],
    ['auth', 403, false],
    ['not_found', 404, false],
  ] as const)('%s with status %s: %s', (kind, status, expected) => {
    expect(isRetryable(kind, status)).toBe(expected);
  });

  it('repeats a 404 that broke off before it said why', () => {
    expect(isRetryable('bad_response', 404, false)).toBe(true);
  });
});

describe('answerWasLost', () => {
  it.each([
    ['network', undefined, undefined, true],
    ['timeout', undefined, undefined, true],
    ['bad_response', 200, undefined, true],
    ['unavailable', 502, undefined, true],
    ['unavailable', 504, undefined, true],
    ['unavailable', 503, 'unavailable', true],
    ['unavailable', 503, undefined, false],
    ['unavailable', 500, 'unknown', false],
    ['rate_limited', 429, undefined, false],
    ['bad_response', 404, undefined, false],
  ] as const)('%s with status %s and code %s: %s', (kind, status, code, expected) => {
    expect(answerWasLost({ kind, status, code })).toBe(expected);
  });
});

describe('retryDelayMs', () => {
  const failed = (
    { retryable = true, retryAfterMs }: { retryable?: boolean; retryAfterMs?: number },
    { attempts = 1, remainingMs = 7_000, random = 0.5 } = {},
  ): number | undefined =>
    retryDelayMs({ error: { retryable, retryAfterMs }, attempts, remainingMs, random });

  it.each([
    [1, 50],
    [2, 100],
    [3, 200],
    [4, 400],
    [5, 500],
    [50, 500],
    [5_000, 500],
  ])('draws from a range that doubles up to a second: attempt %i, %i ms', (attempts, delayMs) => {
    expect(failed({}, { attempts })).toBe(delayMs);
  });

  it('uses the whole range, but never spins', () => {
    expect(failed({}, { attempts: 9, random: 0.999 })).toBe(999);
    expect(failed({}, { attempts: 9, random: 0 })).toBe(10);
  });

  it('ends with what cannot get better', () => {
    expect(failed({ retryable: false })).toBeUndefined();
  });

  it('waits as long as the server asks, and a bit', () => {
    expect(failed({ retryAfterMs: 2_000 })).toBe(2_050);
  });

  it.each([3_600_000, Number.MAX_SAFE_INTEGER])('cuts %i ms so that a last try fits in', (retryAfterMs) => {
    expect(failed({ retryAfterMs })).toBe(6_500);
    expect(failed({ retryAfterMs }, { remainingMs: 500 })).toBeUndefined();
  });

  it('ends where no attempt fits in any more', () => {
    expect(failed({}, { remainingMs: 505 })).toBeUndefined();
    expect(failed({}, { remainingMs: -1 })).toBeUndefined();
  });
});

describe('nodeMayBeLost', () => {
  it.each([
    ['timeout', undefined, undefined, '', true],
    ['unavailable', 503, 'unavailable', 'no response from servers', true],
    ['unavailable', 500, 'unknown', 'twirp error unknown: could not find object', true],
    ['unavailable', 500, 'unknown', 'out of luck', false],
    ['unavailable', 503, undefined, '<html>', false],
    ['network', undefined, undefined, 'ECONNREFUSED', false],
    ['not_found', 404, 'not_found', '', false],
    ['auth', 401, 'unauthenticated', '', false],
  ] as const)('of %s %s %s %j: %s', (kind, status, code, body, expected) => {
    const error = new LiveKitRESTError('r', { kind, retryable: true, status, code, body });
    expect(nodeMayBeLost(error)).toBe(expected);
  });
});
