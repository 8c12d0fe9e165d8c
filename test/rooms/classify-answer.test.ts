import { describe, expect, it } from 'vitest';
import { failureKind, jsonObject, twirpCode } from '../../src/rooms/classify-answer.ts';

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
