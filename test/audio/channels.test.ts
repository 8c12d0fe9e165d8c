import { describe, expect, it } from 'vitest';
import { toChannels } from '../../src/audio/channels.ts';

describe('toChannels', () => {
  it.each([
    ['rounds the mean of all channels', [1, 2, -1, -2, 3, 4], 2, 1, [2, -1, 4]],
    ['repeats a single channel', [1, 2], 1, 2, [1, 1, 2, 2]],
    ['repeats two channels', [1, 2], 2, 4, [1, 2, 1, 2]],
    ['drops an incomplete sample', [1, 3, 5], 2, 1, [2]],
  ])('%s', (_, audio, from, to, expected) => {
    expect([...toChannels(Int16Array.from(audio), from, to)]).toEqual(expected);
  });

  it('returns the same array where the number of channels is the same', () => {
    const audio = Int16Array.from([1, 2]);
    expect(toChannels(audio, 2, 2)).toBe(audio);
  });
});
