import { describe, expect, it, vi } from 'vitest';
import { LinearResampler } from '../../src/audio/resampler.ts';
import { InvalidOptionError } from '../../src/lib/errors.ts';
import type { RtcNode } from '../../src/transports/livekit/rtc-node.ts';
import { NativeResampler } from '../../src/transports/livekit/rtc-node.ts';

function inPieces(resampler: LinearResampler, audio: Int16Array, size: number): Int16Array {
  const out: number[] = [];
  for (let at = 0; at < audio.length; at += size) {
    out.push(...resampler.push(audio.subarray(at, at + size)));
  }
  return Int16Array.from([...out, ...resampler.flush()]);
}

const sine = (rateHz: number, ms: number): Int16Array =>
  Int16Array.from({ length: (rateHz * ms) / 1_000 }, (_, index) =>
    Math.round(10_000 * Math.sin((2 * Math.PI * 200 * index) / rateHz)),
  );

describe('LinearResampler', () => {
  it.each([
    [8_000, 16_000],
    [16_000, 24_000],
    [24_000, 16_000],
    [44_100, 48_000],
    [48_000, 8_000],
  ])('makes of %i Hz the same tone at %i Hz, whatever the pieces', (fromHz, toHz) => {
    const expected = sine(toHz, 100);
    for (const size of [1, 37, 441, 10_000]) {
      const out = inPieces(new LinearResampler(fromHz, toHz, 1), sine(fromHz, 100), size);
      expect(Math.abs(out.length - expected.length)).toBeLessThanOrEqual(1);
      // the last samples are held, where a following piece would lead on
      const worst = [...expected.subarray(0, -8)].map((sample, index) =>
        Math.abs(sample - (out[index] ?? 0)),
      );
      expect(Math.max(...worst)).toBeLessThan(150);
    }
  });

  it('keeps channels apart', () => {
    const stereo = Int16Array.from({ length: 400 }, (_, index) => (index % 2 === 0 ? 100 : -100));
    const out = inPieces(new LinearResampler(8_000, 24_000, 2), stereo, 14);
    expect(out.length).toBe(1_200);
    expect([...out].every((sample, index) => sample === (index % 2 === 0 ? 100 : -100))).toBe(true);
  });
});

describe('resamplers', () => {
  const impossible = [
    [Number.NaN, 16_000, 1],
    [0, 16_000, 1],
    [-8_000, 16_000, 1],
    [16_000, Number.NaN, 1],
    [16_000, 24_000, 0],
    [16_000, 24_000, Number.NaN],
  ] as const;

  it.each(impossible)('refuse %d Hz to %d Hz in %d channels', (fromHz, toHz, channels) => {
    expect(() => new LinearResampler(fromHz, toHz, channels)).toThrow(InvalidOptionError);
  });

  it.each(impossible)('keep %d Hz to %d Hz in %d channels from native code', (fromHz, toHz, channels) => {
    const AudioResampler = vi.fn();
    const rtc = { AudioResampler } as unknown as RtcNode;
    expect(() => new NativeResampler(rtc, fromHz, toHz, channels)).toThrow(InvalidOptionError);
    expect(AudioResampler).not.toHaveBeenCalled();
  });
});
