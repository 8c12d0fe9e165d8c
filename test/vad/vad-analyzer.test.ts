import { describe, expect, it } from 'vitest';
import { loudnessDb, volumeOf } from '../../src/audio/loudness.ts';
import { InvalidOptionError } from '../../src/lib/errors.ts';
import { EnergyVADAnalyzer } from '../../src/vad/vad-analyzer.ts';
import { hum, noise, pieces, type Sound, silence } from './sounds.ts';

/** What it says of each 20 ms. */
function analyzed(...sounds: readonly (readonly [Sound, number])[]): number[] {
  const analyzer = new EnergyVADAnalyzer();
  return pieces(sounds).map((piece) => analyzer.analyze(piece));
}

function max(values: readonly number[]): number {
  return Math.max(...values);
}

describe('EnergyVADAnalyzer', () => {
  it('is sure of what stands out, from its first piece on', () => {
    const said = analyzed([silence, 500], [hum(), 500], [silence, 1_000]);
    expect(max(said.slice(0, 25))).toBe(0);
    expect(Math.min(...said.slice(25, 50))).toBe(1);
    expect(said.at(-1)).toBe(0);
  });

  it('bridges the stops between syllables', () => {
    const said = analyzed([hum(), 300], [silence, 60], [hum(), 300]);
    expect(Math.min(...said)).toBe(1);
  });

  it('takes no notice of faint noise', () => {
    expect(max(analyzed([noise(80), 3_000]))).toBeLessThan(0.1);
  });

  it('gets used to a steady noise, and hears what is above it', () => {
    const said = analyzed([noise(1_000), 12_000], [hum(15_000), 500]);
    expect(max(said.slice(-75, -25))).toBeLessThan(0.3);
    expect(said.at(-1)).toBe(1);
  });

  it('hears somebody who speaks for long, because they pause', () => {
    const syllables = Array.from({ length: 60 }, () => [
      [hum(), 300],
      [silence, 100],
    ]).flat() as [Sound, number][];
    expect(analyzed(...syllables).at(-8)).toBe(1);
  });

  it('has no memory after a reset', () => {
    const analyzer = new EnergyVADAnalyzer();
    const loud = pieces([[hum(), 20]])[0] as Int16Array;
    for (let again = 0; again < 1_000; again += 1) analyzer.analyze(loud);
    expect(analyzer.analyze(loud)).toBeLessThan(0.5);
    analyzer.reset();
    expect(analyzer.analyze(loud)).toBe(1);
  });

  it('wants 20 ms at a time', () => {
    expect(new EnergyVADAnalyzer()).toMatchObject({ sampleRate: 16_000, chunkSamples: 320 });
    expect(new EnergyVADAnalyzer({ sampleRate: 48_000 }).chunkSamples).toBe(960);
  });

  it.each([0, -8_000, 11_025, Number.NaN])('refuses a sample rate of %s', (sampleRate) => {
    expect(() => new EnergyVADAnalyzer({ sampleRate })).toThrow(InvalidOptionError);
  });
});

describe('loudness', () => {
  it.each([
    [new Int16Array(100), -100, 0.1],
    [new Int16Array(100).fill(-32_768), 0, 1],
    [new Int16Array(100).fill(104), -50, 0.6],
  ])('tells decibels, and the same as a volume', (samples, db, volume) => {
    expect(loudnessDb(samples)).toBeCloseTo(db, 0);
    expect(volumeOf(samples)).toBeCloseTo(volume, 2);
  });
});
