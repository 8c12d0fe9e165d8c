import { describe, expect, it } from 'vitest';
import { InvalidOptionError } from '../../src/lib/errors.ts';
import { SpeechDetector, type VADParams } from '../../src/vad/speech-detector.ts';

const durationMs = 20;
const voice = { confidence: 1, volume: 0.9 };
const quiet = { confidence: 0, volume: 0.2 };

function setup(params?: VADParams) {
  const detector = new SpeechDetector(params);
  let atMs = 0;
  const changes: (readonly [change: string, atMs: number])[] = [];
  const hears = (what: { confidence: number; volume: number }, forMs: number): void => {
    for (const untilMs = atMs + forMs; atMs < untilMs; ) {
      atMs += durationMs;
      const change = detector.update({ ...what, durationMs });
      if (change !== undefined) changes.push([change, atMs]);
    }
  };
  return { detector, hears, changes };
}

describe('SpeechDetector', () => {
  it('starts after 200 ms of a voice and stops after 800 ms of silence', () => {
    const { hears, changes } = setup();
    hears(quiet, 400);
    hears(voice, 1_000);
    hears(quiet, 2_000);
    expect(changes).toEqual([
      ['started', 600],
      ['stopped', 2_200],
    ]);
  });

  it('does not start for a short noise', () => {
    const { hears, changes } = setup();
    for (let again = 0; again < 5; again += 1) {
      hears(voice, 180);
      hears(quiet, 20);
    }
    expect(changes).toEqual([]);
  });

  it('does not stop in a pause', () => {
    const { hears, changes } = setup();
    hears(voice, 200);
    for (let again = 0; again < 5; again += 1) {
      hears(quiet, 780);
      hears(voice, 20);
    }
    expect(changes).toEqual([['started', 200]]);
  });

  it.each([
    ['an unsure voice', { confidence: 0.69, volume: 0.9 }],
    ['a voice from afar', { confidence: 1, volume: 0.59 }],
  ])('does not start for %s', (_, what) => {
    const { hears, changes } = setup();
    hears(what, 2_000);
    expect(changes).toEqual([]);
  });

  it('keeps the volume for a moment', () => {
    const { hears, changes } = setup();
    hears(voice, 100);
    hears({ confidence: 1, volume: 0.4 }, 40);
    hears(voice, 60);
    expect(changes).toEqual([['started', 200]]);
  });

  it('takes times as they are given, to the nearest piece', () => {
    const { hears, changes } = setup({ startMs: 0, stopMs: 45 });
    hears(quiet, 100);
    hears(voice, 100);
    hears(quiet, 100);
    expect(changes).toEqual([
      ['started', 120],
      ['stopped', 240],
    ]);
  });

  it('begins anew after a reset', () => {
    const { detector, hears, changes } = setup();
    hears(voice, 200);
    detector.reset();
    expect(detector.speaking).toBe(false);
    hears(voice, 180);
    expect(changes).toEqual([['started', 200]]);
  });

  it.each([
    { confidence: 1.1 },
    { confidence: Number.NaN },
    { minVolume: -0.1 },
    { startMs: -1 },
    { stopMs: Number.POSITIVE_INFINITY },
  ])('refuses %o', (params) => {
    expect(() => new SpeechDetector(params)).toThrow(InvalidOptionError);
  });
});
