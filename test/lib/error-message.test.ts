import { expect, it } from 'vitest';
import { ErrorFrame } from '../../src/frames/error-frame.ts';
import { errorMessage } from '../../src/lib/errors.ts';

class Mean extends Error {
  override get message(): string {
    throw new Error('no message');
  }
}

it.each([
  ['an error', new Error('boom'), 'boom'],
  ['a string', 'boom', 'boom'],
  ['nothing', undefined, 'undefined'],
  ['a symbol', Symbol('boom'), 'Symbol(boom)'],
  ['an object without a prototype', Object.create(null), 'an object without a text'],
  ['an error without a message', new Mean(), 'an object without a text'],
])('%s has a text', (_what, thrown, text) => {
  expect(errorMessage(thrown)).toBe(text);
  expect(new ErrorFrame({ error: thrown }).error).toBe(text);
});
