import { describe, expect, it } from 'vitest';
import {
  InputDTMFFrame,
  isKeypadEntry,
  type KeypadEntry,
  OutputDTMFFrame,
  OutputDTMFUrgentFrame,
} from '../../src/frames/dtmf.ts';
import { InvalidOptionError } from '../../src/lib/errors.ts';

describe.each([OutputDTMFFrame, OutputDTMFUrgentFrame])('%o', (frameClass) => {
  it('is made of a text and becomes one again', () => {
    const frame = frameClass.fromString('0123456789*#');
    expect(frame.buttons).toHaveLength(12);
    expect(`${frame}`).toBe('0123456789*#');
  });

  it.each(['', 'A', '1 2', '１', '12x'])('refuses the keys %j', (keys) => {
    expect(() => frameClass.fromString(keys)).toThrow(InvalidOptionError);
  });

  it.each([[['12']], [[]], ['12'], [undefined]])('refuses %j, which is no list of keys', (keys) => {
    expect(() => new frameClass(keys as KeypadEntry[])).toThrow(InvalidOptionError);
  });
});

describe('InputDTMFFrame', () => {
  it('knows who pressed the key, where the transport does', () => {
    expect(new InputDTMFFrame('5', 'ada')).toMatchObject({ button: '5', userId: 'ada' });
    expect(new InputDTMFFrame('5').userId).toBe(undefined);
  });

  it.each(['A', '', '55', 5])('refuses %j, which is no key', (key) => {
    expect(() => new InputDTMFFrame(key as KeypadEntry)).toThrow(InvalidOptionError);
  });
});

describe('isKeypadEntry', () => {
  it.each(['0', '9', '*', '#'])('knows %j', (key) => expect(isKeypadEntry(key)).toBe(true));
  it.each(['', '10', 'A', 1, null])('does not know %j', (key) => expect(isKeypadEntry(key)).toBe(false));
});
