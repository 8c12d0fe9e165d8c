import { of, Subject, throwError } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { runOnce } from '../../src/cleanup/run-once.ts';
import { marbles } from '../../src/testing/marbles.ts';

describe('runOnce', () => {
  it('hands the first trigger to the work and emits its outcome', () =>
    marbles(({ hot, cold, expectObservable }) => {
      const outcome$ = runOnce(hot('--e'), (trigger) => cold('---o|', { o: `${trigger}: deleted` }));
      expectObservable(outcome$).toBe('-----(o|)', { o: 'e: deleted' });
    }));

  it('ignores a second trigger, during the work and after it', () => {
    let starts = 0;
    marbles(({ hot, cold, expectObservable }) => {
      const outcome$ = runOnce(hot('ec----c'), () => {
        starts += 1;
        return cold('---o|');
      });
      expectObservable(outcome$).toBe('---(o|)');
    });
    expect(starts).toBe(1);
  });

  it('finishes the work when the first subscriber leaves early', () =>
    marbles(({ hot, cold, expectObservable }) => {
      const outcome$ = runOnce(hot('e'), () => cold('----o|'));
      expectObservable(outcome$, '^-!').toBe('---');
      expectObservable(outcome$, '---------^').toBe('---------(o|)');
    }));

  it('keeps the first value of work that has several', () =>
    marbles(({ hot, cold, expectObservable }) => {
      expectObservable(runOnce(hot('e'), () => cold('-ab|'))).toBe('-(a|)');
    }));

  it('does not start again after work without an outcome', () => {
    let starts = 0;
    marbles(({ hot, cold, expectObservable }) => {
      const outcome$ = runOnce(hot('e----c'), () => {
        starts += 1;
        return cold('--|');
      });
      expectObservable(outcome$).toBe('--|');
    });
    expect(starts).toBe(1);
  });

  it('replays an error and does not start again', () => {
    const trigger$ = new Subject<string>();
    let starts = 0;
    const outcome$ = runOnce(trigger$, () => {
      starts += 1;
      return throwError(() => new Error('boom'));
    });
    const seen: unknown[] = [];
    const watch = (): void => void outcome$.subscribe({ error: (error: Error) => seen.push(error.message) });
    watch();
    trigger$.next('e');
    trigger$.next('c');
    watch();
    expect([seen, starts]).toEqual([['boom', 'boom'], 1]);
  });

  it('starts within the call that triggers it', () => {
    const trigger$ = new Subject<string>();
    const seen: string[] = [];
    runOnce(trigger$, (trigger) => of(trigger)).subscribe((outcome) => seen.push(outcome));
    trigger$.next('now');
    expect(seen).toEqual(['now']);
  });
});
