/** The discrete Fourier transform. */

import { InvalidOptionError } from '../lib/errors.ts';

/** Cosine and sine of a fifth and of two fifths of a turn. */
const [c1, s1, c2, s2] = [1, 2].flatMap((fifths) => {
  const angle = (2 * Math.PI * fifths) / 5;
  return [Math.cos(angle), Math.sin(angle)];
}) as [number, number, number, number];

/**
 * Transforms complex vectors of one size, a product of fours and fives, in place: O(n log n), without garbage.
 *
 * Stockham's form of the Cooley–Tukey algorithm: each stage reads from one pair of arrays and writes to the other.
 */
export class Fourier {
  /** The real parts: of the input, and after {@link transform} of the output. */
  re: Float64Array;
  /** The imaginary parts. */
  im: Float64Array;
  readonly #size: number;
  readonly #radices: readonly number[];
  /** The powers of the root of unity, conjugated. */
  readonly #cos: Float64Array;
  readonly #sin: Float64Array;
  #outRe: Float64Array;
  #outIm: Float64Array;

  /** @throws {InvalidOptionError} `size` has other factors than 4 and 5. */
  constructor(size: number) {
    this.#size = size;
    this.#radices = factorsOf(size);
    this.#cos = Float64Array.from({ length: size }, (_, index) => Math.cos((2 * Math.PI * index) / size));
    this.#sin = Float64Array.from({ length: size }, (_, index) => -Math.sin((2 * Math.PI * index) / size));
    this.re = new Float64Array(size);
    this.im = new Float64Array(size);
    this.#outRe = new Float64Array(size);
    this.#outIm = new Float64Array(size);
  }

  /** Replaces {@link re} and {@link im} by their transform; the arrays may be others than before. */
  transform(): void {
    let stride = 1;
    for (const radix of this.#radices) {
      for (let at = 0; at < this.#size / radix; at += 1) {
        const offset = at % stride;
        const turn = at - offset;
        const to = offset + turn * radix;
        if (radix === 4) this.#butterflyOf4(at, to, stride, turn);
        else this.#butterflyOf5(at, to, stride, turn);
      }
      [this.re, this.#outRe] = [this.#outRe, this.re];
      [this.im, this.#outIm] = [this.#outIm, this.im];
      stride *= radix;
    }
  }

  #butterflyOf4(at: number, to: number, stride: number, turn: number): void {
    const { re, im } = this;
    const step = this.#size / 4;
    const ar = (re[at] as number) + (re[at + 2 * step] as number);
    const ai = (im[at] as number) + (im[at + 2 * step] as number);
    const br = (re[at] as number) - (re[at + 2 * step] as number);
    const bi = (im[at] as number) - (im[at + 2 * step] as number);
    const cr = (re[at + step] as number) + (re[at + 3 * step] as number);
    const ci = (im[at + step] as number) + (im[at + 3 * step] as number);
    const dr = (re[at + step] as number) - (re[at + 3 * step] as number);
    const di = (im[at + step] as number) - (im[at + 3 * step] as number);
    this.#put(to, ar + cr, ai + ci, 0);
    this.#put(to + stride, br + di, bi - dr, turn);
    this.#put(to + 2 * stride, ar - cr, ai - ci, 2 * turn);
    this.#put(to + 3 * stride, br - di, bi + dr, 3 * turn);
  }

  #butterflyOf5(at: number, to: number, stride: number, turn: number): void {
    const { re, im } = this;
    const step = this.#size / 5;
    const r0 = re[at] as number;
    const i0 = im[at] as number;
    // sums and differences of the first and the fourth, of the second and the third
    const ar = (re[at + step] as number) + (re[at + 4 * step] as number);
    const ai = (im[at + step] as number) + (im[at + 4 * step] as number);
    const br = (re[at + step] as number) - (re[at + 4 * step] as number);
    const bi = (im[at + step] as number) - (im[at + 4 * step] as number);
    const cr = (re[at + 2 * step] as number) + (re[at + 3 * step] as number);
    const ci = (im[at + 2 * step] as number) + (im[at + 3 * step] as number);
    const dr = (re[at + 2 * step] as number) - (re[at + 3 * step] as number);
    const di = (im[at + 2 * step] as number) - (im[at + 3 * step] as number);
    const er = r0 + c1 * ar + c2 * cr;
    const ei = i0 + c1 * ai + c2 * ci;
    const fr = s1 * br + s2 * dr;
    const fi = s1 * bi + s2 * di;
    const gr = r0 + c2 * ar + c1 * cr;
    const gi = i0 + c2 * ai + c1 * ci;
    const hr = s2 * br - s1 * dr;
    const hi = s2 * bi - s1 * di;
    this.#put(to, r0 + ar + cr, i0 + ai + ci, 0);
    this.#put(to + stride, er + fi, ei - fr, turn);
    this.#put(to + 2 * stride, gr + hi, gi - hr, 2 * turn);
    this.#put(to + 3 * stride, gr - hi, gi + hr, 3 * turn);
    this.#put(to + 4 * stride, er - fi, ei + fr, 4 * turn);
  }

  /** Writes a value, turned by so many steps of the circle. */
  #put(to: number, re: number, im: number, turn: number): void {
    const cos = this.#cos[turn] as number;
    const sin = this.#sin[turn] as number;
    this.#outRe[to] = re * cos - im * sin;
    this.#outIm[to] = re * sin + im * cos;
  }
}

function factorsOf(size: number): number[] {
  const factors: number[] = [];
  let rest = size;
  for (const factor of [5, 4]) {
    for (; rest % factor === 0 && rest > 0; rest /= factor) factors.push(factor);
  }
  if (rest !== 1) throw new InvalidOptionError('size', 'a product of fours and fives', size);
  return factors;
}
