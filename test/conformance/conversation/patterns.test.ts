import { describe, expect, it } from 'vitest';
import { countMet, fits } from './patterns.ts';

const all = 'One two three four five. Six seven';
const four = { beginningOf: all, words: 4 };

describe('fits', () => {
  it.each(['One two three', 'One two three four', 'One two three four five.'])(
    'takes a beginning that is a word shorter or longer: %s',
    (heard) => {
      expect(fits(four, heard, 'exactly')).toBe(true);
      expect(fits(four, heard, 'loosely')).toBe(true);
    },
  );

  it.each(['One two', 'One two three four five. Six', 'One  two three four', 'one two three four', '', 4])(
    'refuses another beginning: %j',
    (heard) => {
      expect(fits(four, heard, 'exactly')).toBe(false);
    },
  );

  it('takes as many words more or less as a pattern says', () => {
    expect(fits({ ...four, plusMinus: 2 }, 'One two', 'loosely')).toBe(true);
    expect(fits({ ...four, plusMinus: 0 }, 'One two three', 'loosely')).toBe(false);
  });

  it('takes nothing and everything at the ends of a text', () => {
    expect(fits({ beginningOf: 'Hi there', words: 1 }, '', 'exactly')).toBe(true);
    expect(fits({ beginningOf: 'Hi there', words: 2 }, 'Hi there', 'exactly')).toBe(true);
  });

  it('compares what is nested', () => {
    const expected = { messages: [{ assistant: four }, { tool: 'a', result: { n: [1, null] } }] };
    const recorded = { messages: [{ assistant: 'One two three' }, { tool: 'a', result: { n: [1, null] } }] };
    expect(fits(expected, recorded, 'exactly')).toBe(true);
    expect(fits(expected, { messages: recorded.messages.slice(1) }, 'exactly')).toBe(false);
    expect(fits(expected, { messages: recorded.messages.toReversed() }, 'exactly')).toBe(false);
  });

  it('refuses other fields where it compares exactly, and takes them otherwise', () => {
    expect(fits({ a: 1 }, { a: 1, b: 2 }, 'exactly')).toBe(false);
    expect(fits({ a: 1 }, { a: 1, b: 2 }, 'loosely')).toBe(true);
    expect(fits({ a: 1, b: 2 }, { a: 1 }, 'loosely')).toBe(false);
    expect(fits({ a: 1 }, { b: 1 }, 'exactly')).toBe(false);
  });

  it.each<[pattern: unknown, yes: unknown, no: unknown]>([
    [
      { tool: '*', state: 'running' },
      { tool: 'a', state: 'running' },
      { tool: 'a', state: 'done' },
    ],
    [{ user: { contains: 'tea' } }, { user: 'I want tea.' }, { user: 'I want' }],
    [{ anyOf: ['a', { contains: 'x' }] }, 'xyz', 'b'],
    [
      ['stopped', '*'],
      ['stopped', 'Hello.'],
      ['stopped', 'Hello.', 'interrupted'],
    ],
    [
      { tool: 'a', result: false },
      { tool: 'a', result: false },
      { tool: 'a', result: null },
    ],
    ['2', '2', 2],
  ])('matches the pattern %j', (pattern, yes, no) => {
    expect(fits(pattern, yes, 'loosely')).toBe(true);
    expect(fits(pattern, no, 'loosely')).toBe(false);
  });

  it('knows no wildcards where it compares exactly', () => {
    expect(fits('*', 'a', 'exactly')).toBe(false);
    expect(fits({ contains: 'a' }, 'a', 'exactly')).toBe(false);
    expect(fits({ anyOf: ['a'] }, 'a', 'exactly')).toBe(false);
  });
});

describe('countMet', () => {
  const isMet = (one: number, other: number): boolean => one === other;

  it('counts what is met in order, with others between', () => {
    expect(countMet([1, 3], [0, 1, 2, 3], isMet)).toBe(2);
    expect(countMet([3, 1], [0, 1, 2, 3], isMet)).toBe(1);
    expect(countMet([1, 1], [1], isMet)).toBe(1);
  });
});
