import { describe, expect, it } from 'vitest';
import { failureKind, jsonObject, twirpCode } from '../../src/rooms/classify-answer.ts';

describe('failureKind', () => {
  it.each([
    [200, undefined, 'OK', 'bad_response'],
    [204, undefined, '', 'bad_response'],
    [301, undefined, '', 'bad_response'],
    [307, undefined, '', 'bad_response'],
    [0, undefined, '', 'bad_response'],
    [400, 'malformed', '', 'rejected'],
    [400, 'invalid_argument', '', 'rejected'],
    [401, 'unauthenticated', 'permissions denied', 'auth'],
    [401, undefined, 'invalid token: [redacted], error: token is expired (exp)', 'clock'],
    [401, undefined, 'token not valid yet (nbf)', 'clock'],
    [401, undefined, 'export your expectations', 'auth'],
    [403, undefined, 'Forbidden', 'auth'],
    [404, 'not_found', '', 'not_found'],
    [404, 'bad_route', '', 'bad_response'],
    [404, undefined, '404 page not found', 'bad_response'],
    [405, undefined, '', 'rejected'],
    [408, undefined, '', 'timeout'],
    [413, undefined, '', 'rejected'],
    [425, undefined, '', 'unavailable'],
    [429, 'resource_exhausted', '', 'rate_limited'],
    [500, 'unknown', '', 'unavailable'],
    [500, 'not_found', '', 'unavailable'],
    [503, 'unavailable', '', 'unavailable'],
    [599, undefined, '', 'unavailable'],
    [999, undefined, '', 'bad_response'],
  ] as const)('takes %i, code %s, %j for %s', (status, code, text, kind) => {
    expect(failureKind({ status, code, text })).toBe(kind);
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
