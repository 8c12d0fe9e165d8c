import { describe, expect, it } from 'vitest';
import { Fourier } from '../../src/audio/fourier.ts';

/** By the definition, in O(n²). */
function transformOf(re: readonly number[], im: readonly number[]): { re: number[]; im: number[] } {
  const out = { re: [] as number[], im: [] as number[] };
  for (const k of re.keys()) {
    let [sumRe, sumIm] = [0, 0];
    for (const n of re.keys()) {
      const angle = (-2 * Math.PI * k * n) / re.length;
      sumRe += (re[n] ?? 0) * Math.cos(angle) - (im[n] ?? 0) * Math.sin(angle);
      sumIm += (re[n] ?? 0) * Math.sin(angle) + (im[n] ?? 0) * Math.cos(angle);
    }
    out.re.push(sumRe);
    out.im.push(sumIm);
  }
  return out;
}

describe('Fourier', () => {
  it.each([1, 4, 5, 16, 20, 25, 80, 400])(
    'transforms %i values as the definition says, again and again',
    (size) => {
      const fourier = new Fourier(size);
      for (const seed of [1, 2, 3]) {
        const re = Array.from({ length: size }, (_, index) => Math.sin(seed * index ** 2) + seed);
        const im = Array.from({ length: size }, (_, index) => Math.cos(seed * index * 1.7));
        fourier.re.set(re);
        fourier.im.set(im);
        fourier.transform();
        const expected = transformOf(re, im);
        for (const index of re.keys()) {
          expect(fourier.re[index]).toBeCloseTo(expected.re[index] ?? Number.NaN, 9);
          expect(fourier.im[index]).toBeCloseTo(expected.im[index] ?? Number.NaN, 9);
        }
      }
    },
  );

  it.each([0, 6, 401, 2.5, -4, Number.NaN])('refuses a size of %d', (size) => {
    expect(() => new Fourier(size)).toThrow('Option "size" must be a product of fours and fives');
  });
});
