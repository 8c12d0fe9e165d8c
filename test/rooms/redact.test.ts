import { describe, expect, it } from 'vitest';
import { cut, redact } from '../../src/rooms/redact.ts';

const token = `eyJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJrZXkifQ.${'s-_9'.repeat(10)}`;

describe('redact', () => {
  it.each([
    [`invalid token: ${token}, error: expired (exp)`, 'invalid token: [redacted], error: expired (exp)'],
    [`"${token.slice(0, 25)}"`, '"[redacted]"'],
    [`a ${token} b ${token}`, 'a [redacted] b [redacted]'],
    [`x${token}`, 'x[redacted]'],
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

describe('cut', () => {
  it('keeps 500 characters', () => {
    expect(cut('x'.repeat(500))).toBe('x'.repeat(500));
    expect(cut('x'.repeat(501))).toBe('x'.repeat(500));
  });

  it('does not cut a character in half', () => {
    expect(cut(`${'x'.repeat(499)}😀`)).toBe('x'.repeat(499));
  });
});
