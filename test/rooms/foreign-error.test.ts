import { describe, expect, it } from 'vitest';
import { LiveKitRESTError } from '../../src/lib/errors.ts';
import { asRestError } from '../../src/rooms/foreign-error.ts';

const token = 'eyJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJrIn0.c2ln';

describe('asRestError', () => {
  it('leaves our own as they are', () => {
    const error = new LiveKitRESTError('r', { kind: 'auth', retryable: false });
    expect(asRestError('r', error)).toBe(error);
  });

  it.each([
    [{ status: 404, code: 'not_found', message: 'gone' }, 'not_found', false],
    [{ status: 503, code: 'unavailable', message: 'busy' }, 'unavailable', true],
    [{ status: 401, message: 'token is expired (exp)' }, 'auth', false],
    [{ code: 'ECONNRESET' }, 'network', true],
    [new Error('some failure'), 'network', true],
    ['text', 'network', true],
    [undefined, 'network', true],
    [null, 'network', true],
  ] as const)('reads %o as %s', (thrown, kind, retryable) => {
    expect(asRestError('r', thrown)).toMatchObject({ roomName: 'r', kind, retryable });
  });

  it('names address and cause of a request of livekit-server-sdk that got no answer', () => {
    const cause = { code: 'ENOTFOUND', hostname: 'livekit.example.com' };
    const { message } = asRestError('r', Object.assign(new TypeError('fetch failed'), { cause }));
    expect(message).toMatch(/fetch failed \(ENOTFOUND livekit.example.com\)$/);
  });

  it('hides the tokens that livekit-server-sdk repeats', () => {
    const { message } = asRestError('r', { status: 401, message: `invalid token: ${token}` });
    expect(message).toBe('Failed to delete room [r] (status: 401): invalid token: [redacted]');
  });
});
