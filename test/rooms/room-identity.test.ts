import { describe, expect, it } from 'vitest';
import { whichRoom } from '../../src/rooms/room-identity.ts';

const listed = { name: 'r', sid: 'RM_1', creationTimeMs: 5_250, metadata: '' };

describe('whichRoom', () => {
  it.each([
    [{ owned: true }, 'ours'],
    [{ owned: true, sid: 'RM_2' }, 'ours'],
    [{ owned: false }, 'unknown'],
    [{ owned: false, sid: 'RM_1' }, 'ours'],
    [{ owned: false, sid: 'RM_2' }, 'another'],
    [{ owned: false, creationTimeMs: 5_250 }, 'ours'],
    [{ owned: false, creationTimeMs: 5_000 }, 'ours'],
    [{ owned: false, creationTimeMs: 6_000 }, 'another'],
    [{ owned: false, sid: 'RM_1', creationTimeMs: 6_000 }, 'another'],
    [{ owned: false, sid: 'RM_2', creationTimeMs: 5_250 }, 'another'],
  ] as const)('with %o it is %s', (identity, expected) => {
    expect(whichRoom(identity, listed)).toBe(expected);
  });
});
