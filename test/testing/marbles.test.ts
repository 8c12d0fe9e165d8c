import { delay, of } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { marbles } from '../../src/testing/marbles.ts';

describe('marbles', () => {
  it('runs in virtual time and returns what the body returns', () => {
    const begun = performance.now();
    const result = marbles(({ expectObservable }) => {
      expectObservable(of('a').pipe(delay(60_000))).toBe('60s (a|)');
      return 'result';
    });
    expect(result).toBe('result');
    expect(performance.now() - begun).toBeLessThan(60_000);
  });

  it('throws when the diagram does not fit', () => {
    expect(() => marbles(({ expectObservable }) => expectObservable(of('a')).toBe('-a'))).toThrow();
  });
});
