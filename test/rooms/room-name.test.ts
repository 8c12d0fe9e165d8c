import { describe, expect, it } from 'vitest';
import { InvalidOptionError } from '../../src/lib/errors.ts';
import { checkRoomName, generateRoomName, isGeneratedRoomName } from '../../src/rooms/room-name.ts';

describe('checkRoomName', () => {
  it.each([
    'room',
    ' ',
    'é',
    'e\u0301',
    '👩‍👧',
    '../a"b\n\0',
    '\u200Fright',
    'x'.repeat(256),
    '€'.repeat(85),
  ])('lets %j through', (name) => {
    expect(() => checkRoomName(name)).not.toThrow();
  });

  it.each(['', 'x'.repeat(257), '€'.repeat(86), '\uD800', 'a\uDC00b', undefined, null, 7, {}])(
    'refuses %j',
    (name) => {
      expect(() => checkRoomName(name)).toThrow(InvalidOptionError);
      expect(() => checkRoomName(name)).toThrow('Option "roomName" must be a non-empty, well-formed string');
    },
  );
});

const digits = '0123456789abcdef'.repeat(2);

describe('generateRoomName', () => {
  it('has 128 random bits, and differs each time', () => {
    expect(generateRoomName()).toMatch(/^endframe-[0-9a-f]{32}$/);
    expect(generateRoomName()).not.toBe(generateRoomName());
  });

  it('knows its own names again, with and without a prefix', () => {
    expect(isGeneratedRoomName(generateRoomName())).toBe(true);
    expect(generateRoomName('sales-')).toMatch(/^sales-endframe-/);
    expect(isGeneratedRoomName(generateRoomName('sales-'))).toBe(true);
  });

  it.each([
    'endframe-',
    `endframe-${digits.slice(1)}`,
    `endframe-${digits}0`,
    `sales-${digits}`,
    `endframe-${digits}\n`,
    `endframe-${digits.toUpperCase()}`,
  ])('takes %j for the name of others', (name) => expect(isGeneratedRoomName(name)).toBe(false));
});
