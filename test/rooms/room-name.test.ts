import { describe, expect, it } from 'vitest';
import { InvalidOptionError } from '../../src/lib/errors.ts';
import { checkRoomName } from '../../src/rooms/room-name.ts';

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
