import { describe, expect, it } from 'vitest';
import { LiveKitRESTError } from '../../../src/lib/errors.ts';
import { failureKind, redact, toLiveKitRESTError, truncate } from '../../../src/rooms/rest/rest-error.ts';

const token = 'eyJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJrIn0.c2ln';

describe('toLiveKitRESTError', () => {
  it('leaves our own as they are', () => {
    const error = new LiveKitRESTError('r', { kind: 'auth', retryable: false });
    expect(toLiveKitRESTError('r', error)).toBe(error);
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
    expect(toLiveKitRESTError('r', thrown)).toMatchObject({ roomName: 'r', kind, retryable });
  });

  it('names address and cause of a request of livekit-server-sdk that got no answer', () => {
    const cause = { code: 'ENOTFOUND', hostname: 'livekit.example.com' };
    const { message } = toLiveKitRESTError('r', Object.assign(new TypeError('fetch failed'), { cause }));
    expect(message).toMatch(/fetch failed \(ENOTFOUND livekit.example.com\)$/);
  });

  it('hides the tokens that livekit-server-sdk repeats', () => {
    const { message } = toLiveKitRESTError('r', { status: 401, message: `invalid token: ${token}` });
    expect(message).toBe('Failed to delete room [r] (status: 401): invalid token: [redacted]');
  });
});

describe('failureKind', () => {
  it.each([
    [200, undefined, 'bad_response'],
    [204, undefined, 'bad_response'],
    [301, undefined, 'bad_response'],
    [307, undefined, 'bad_response'],
    [0, undefined, 'bad_response'],
    [400, 'malformed', 'rejected'],
    [400, 'invalid_argument', 'rejected'],
    [401, 'unauthenticated', 'auth'],
    [401, undefined, 'auth'],
    [403, undefined, 'auth'],
    [404, 'not_found', 'not_found'],
    [404, 'bad_route', 'bad_response'],
    [404, undefined, 'bad_response'],
    [405, undefined, 'rejected'],
    [408, undefined, 'timeout'],
    [413, undefined, 'rejected'],
    [425, undefined, 'unavailable'],
    [429, 'resource_exhausted', 'rate_limited'],
    [500, 'unknown', 'unavailable'],
    [500, 'not_found', 'unavailable'],
    [503, 'unavailable', 'unavailable'],
    [599, undefined, 'unavailable'],
    [999, undefined, 'bad_response'],
  ] as const)('takes %i with code %s for %s', (status, code, kind) => {
    expect(failureKind({ status, code })).toBe(kind);
  });

  it.each([
    [401, 30_001, 'clock'],
    [401, -30_001, 'clock'],
    [401, 30_000, 'auth'],
    [401, 0, 'auth'],
    [401, undefined, 'auth'],
    [403, 600_000, 'auth'],
    [503, 600_000, 'unavailable'],
  ] as const)('takes %i of a server whose clock is %s ms ahead for %s', (status, aheadMs, kind) => {
    expect(failureKind({ status, code: undefined, aheadMs })).toBe(kind);
  });
});

const longToken = `eyJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJrZXkifQ.${'s-_9'.repeat(10)}`;

describe('redact', () => {
  it.each([
    [`invalid token: ${longToken}, error: expired (exp)`, 'invalid token: [redacted], error: expired (exp)'],
    [`"${longToken.slice(0, 25)}"`, '"[redacted]"'],
    [`a ${longToken} b ${longToken}`, 'a [redacted] b [redacted]'],
    [`x${longToken}`, 'x[redacted]'],
    ['nothing to hide', 'nothing to hide'],
  ])('hides tokens, whole or cut: %#', (text, redacted) => {
    expect(redact(text)).toBe(redacted);
  });

  it.each(['plain', 'with "quotes" & \\', 'ünï/+=', '\uD800'])(
    'hides the secret %j as text, JSON and URL',
    (secret) => {
      const inUrl = encodeURIComponent(secret.replace('\uD800', '\uFFFD'));
      const text = `${secret} ${JSON.stringify({ secret })} ?s=${inUrl}`;
      expect(redact(text, secret)).toBe('[redacted] {"secret":"[redacted]"} ?s=[redacted]');
    },
  );
});

describe('truncate', () => {
  it('keeps 500 characters', () => {
    expect(truncate('x'.repeat(500))).toBe('x'.repeat(500));
    expect(truncate('x'.repeat(501))).toBe('x'.repeat(500));
  });

  it('does not cut a character in half', () => {
    expect(truncate(`${'x'.repeat(499)}😀`)).toBe('x'.repeat(499));
  });
});
