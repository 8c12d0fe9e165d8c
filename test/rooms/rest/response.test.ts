import { describe, expect, it } from 'vitest';
import { jsonObject, parseRetryAfter, twirpCode } from '../../../src/rooms/rest/response.ts';

describe('jsonObject', () => {
  it.each(['{}', '{"a":[1]}', ' {"a":1}\n'])('reads %j', (text) => {
    expect(jsonObject({ text, complete: true })).toEqual(JSON.parse(text));
  });

  it.each(['', 'OK', '<html></html>', '[]', 'null', '1', '"{}"', '{"a":'])(
    'takes %j for no object',
    (text) => {
      expect(jsonObject({ text, complete: true })).toBeUndefined();
    },
  );

  it('believes no body that broke off', () => {
    expect(jsonObject({ text: '{}', complete: false })).toBeUndefined();
  });
});

describe('twirpCode', () => {
  it.each([
    [{ code: 'not_found' }, 'not_found'],
    [{ code: 404 }, undefined],
    [{ code: 'eyJhbGciOiJIUzI1NiJ9' }, undefined],
    [{}, undefined],
    [undefined, undefined],
  ])('reads %j as %s', (body, code) => {
    expect(twirpCode(body)).toBe(code);
  });
});

describe('parseRetryAfter', () => {
  const nowMs = Date.UTC(2026, 10, 24, 12, 0, 0);

  it.each([
    ['2', 2_000],
    ['0', 0],
    [' 3 ', 3_000],
    ['3600', 3_600_000],
    ['9'.repeat(400), Number.MAX_SAFE_INTEGER],
    ['Tue, 24 Nov 2026 12:00:05 GMT', 5_000],
    ['Tuesday, 24-Nov-26 12:00:05 GMT', 5_000],
  ])('reads %j as %d ms', (header, ms) => {
    expect(parseRetryAfter(header, nowMs)).toBe(ms);
  });

  it.each([
    null,
    '',
    '-1',
    '1.5',
    '1e3',
    'soon',
    '5 apples',
    'Tue, 24 Nov 2026 11:00:00 GMT',
    'Tue, nonsense GMT',
    '2026-11-24T13:00:00Z',
  ])('ignores %j', (header) => {
    expect(parseRetryAfter(header, nowMs)).toBeUndefined();
  });
});
