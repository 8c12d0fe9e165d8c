import { describe, expect, it } from 'vitest';
import { TextFrame } from '../../src/frames/text.ts';
import { SeenFrames } from '../../src/observers/seen-frames.ts';

describe('SeenFrames', () => {
  it('finds a frame new once', () => {
    const seen = new SeenFrames();
    const [one, other] = [new TextFrame('a'), new TextFrame('a')];
    expect([seen.isNew(one), seen.isNew(other), seen.isNew(one), seen.isNew(other)]).toEqual([
      true,
      true,
      false,
      false,
    ]);
  });

  it('remembers the latest hundred, and forgets the oldest', () => {
    const seen = new SeenFrames();
    const frames = Array.from({ length: 1_000 }, () => new TextFrame('a'));
    for (const frame of frames) seen.isNew(frame);
    expect(frames.slice(-100).some((frame) => seen.isNew(frame))).toBe(false);
    expect(seen.isNew(frames[0] as TextFrame)).toBe(true);
  });
});
