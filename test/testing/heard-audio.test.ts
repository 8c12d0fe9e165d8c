import { describe, expect, it } from 'vitest';
import { HeardAudio } from '../../src/testing/heard-audio.ts';

const sampleRate = 8_000;
const silence = 0;

/** A stream of tones and silences, in pieces of 10 ms. */
function listen(...parts: readonly (readonly [frequencyHz: number, durationMs: number])[]): HeardAudio {
  const heard = new HeardAudio();
  let at = 1_000;
  for (const [frequencyHz, durationMs] of parts) {
    for (let begin = 0; begin < durationMs; begin += 10) {
      const samples = Int16Array.from({ length: sampleRate / 100 }, (_, index) => {
        const seconds = begin / 1_000 + index / sampleRate;
        return 16_384 * Math.sin(2 * Math.PI * frequencyHz * seconds);
      });
      heard.add(samples, sampleRate, at);
      at += 10;
    }
  }
  return heard;
}

describe('HeardAudio', () => {
  it('measures how long, how high and how loud a tone is', () => {
    const { heardMs, frequencyHz, rms, gapsMs } = listen([440, 500]).report();
    expect(heardMs).toBe(500);
    expect(Math.abs(frequencyHz - 440)).toBeLessThan(5);
    expect(rms).toBeCloseTo(0.5 / Math.SQRT2, 2);
    expect(gapsMs).toEqual([]);
  });

  it('counts silence inside as a gap, and outside not at all', () => {
    const report = listen([silence, 100], [440, 200], [silence, 50], [880, 100], [silence, 300]).report();
    expect(report).toMatchObject({ heardMs: 300, gapsMs: [50], firstAt: 1_100, lastAt: 1_440 });
    expect(report.spans.map(({ startMs, durationMs }) => [startMs, durationMs])).toEqual([
      [100, 200],
      [350, 100],
    ]);
  });

  it('reports nothing of a silent stream', () => {
    expect(listen([silence, 100]).report()).toEqual({
      heardMs: 0,
      firstAt: undefined,
      lastAt: undefined,
      gapsMs: [],
      spans: [],
      frequencyHz: 0,
      rms: 0,
    });
  });
});
