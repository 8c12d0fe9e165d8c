import { describe, expect, it } from 'vitest';
import { InvalidOptionError } from '../../src/lib/errors.ts';
import { encodeMessage } from '../../src/transports/messages.ts';

describe('encodeMessage', () => {
  it('takes text and bytes as they are, and everything else as JSON', () => {
    const text = (message: unknown): string => new TextDecoder().decode(encodeMessage(message));
    expect(text('hello')).toBe('hello');
    expect(encodeMessage(Uint8Array.of(1, 2))).toEqual(Uint8Array.of(1, 2));
    expect(text({ a: 1 })).toBe('{"a":1}');
    expect(text(null)).toBe('null');
  });

  it.each([
    ['text', 'x'.repeat(63_001), 63_001],
    ['text that is longer in UTF-8', 'ü'.repeat(40_000), 80_000],
    ['bytes', new Uint8Array(100_000), 100_000],
    ['JSON', { text: 'x'.repeat(63_000) }, 63_011],
  ])('refuses more than LiveKit carries, and says how much it is: %s', (_, message, size) => {
    expect(() => encodeMessage(message)).toThrow(InvalidOptionError);
    expect(() => encodeMessage(message)).toThrow(`63000 bytes, got ${size}`);
  });

  it('takes as much as LiveKit carries', () => {
    expect(encodeMessage('x'.repeat(63_000))).toHaveLength(63_000);
  });

  it.each([[undefined], [() => {}], [Symbol('no')]])('refuses what is no message: %s', (message) => {
    expect(() => encodeMessage(message)).toThrow(InvalidOptionError);
  });
});
