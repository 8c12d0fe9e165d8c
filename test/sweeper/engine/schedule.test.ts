import { describe, expect, it } from 'vitest';
import {
  backoffMs,
  dueMs,
  isStalled,
  passIntervalMs,
  pauseMs,
  retryMs,
} from '../../../src/sweeper/engine/schedule.ts';
import type { Observation } from '../../../src/sweeper/observation.ts';

const alive = { probedMs: 1_000, silentSinceMs: undefined } as Observation;
const silent = { probedMs: 1_000, silentSinceMs: 500 } as Observation;

describe('the spacing of looks', () => {
  it.each([
    [{ durationMs: 10, listMs: 5 }, 4_990],
    [{ durationMs: 4_900, listMs: 5 }, 500],
    [{ durationMs: 60_000, listMs: 5 }, 500],
    [{ durationMs: 3_000, listMs: 3_000 }, 12_000],
  ])('rests after a pass of %j for %i ms', (cost, expected) => {
    expect(pauseMs([cost], 5_000)).toBe(expected);
    expect(passIntervalMs([cost], 5_000)).toBe(cost.durationMs + expected);
  });

  it('does not believe one pass that took long: the process may have been frozen', () => {
    const costs = [
      { durationMs: 600_000, listMs: 600_000 },
      { durationMs: 10, listMs: 5 },
    ];
    expect(passIntervalMs(costs, 5_000)).toBe(5_000);
  });

  it.each([
    [5_000, [], false],
    [5_001, [], true],
    [12_000, [6_000], false],
    [12_001, [6_000, 60_000], true],
  ] as const)(
    'with polls of 5 s, takes a list of %i ms after lists of %j for held up: %s',
    (listMs, usual, held) => {
      const costs = usual.map((one) => ({ durationMs: one, listMs: one }));
      expect(isStalled(listMs, costs, 5_000)).toBe(held);
      expect(isStalled(1_000, [], 100)).toBe(false);
    },
  );

  it.each([
    [1, 5_000],
    [1_000, 5_000],
    [1_001, 10_000],
    [10_000, 15_000],
  ])('looks at a live bot among %i rooms after %i ms', (owned, expected) => {
    expect(dueMs(alive, { owned, intervalMs: 5_000, longestSpacingMs: 15_000 }) - 1_000).toBe(expected);
  });

  it('looks at a silent room in every pass', () => {
    expect(dueMs(silent, { owned: 10_000, intervalMs: 5_000, longestSpacingMs: 15_000 })).toBe(6_000);
  });

  it.each([
    [1_000, 6_000],
    [5_000, 11_000],
    [60_000, 16_000],
  ])('plans looks that come %i ms late further apart', (latenessMs, expected) => {
    const plan = { owned: 1, intervalMs: 5_000, longestSpacingMs: 15_000, latenessMs };
    expect(dueMs(silent, plan)).toBe(expected);
  });

  it('plans a room whose look failed for the next pass, counted from the failure', () => {
    const failed = { ...alive, failedMs: 3_000 };
    expect(dueMs(failed, { owned: 10_000, intervalMs: 5_000, longestSpacingMs: 15_000 })).toBe(8_000);
  });

  it('lists again soon after a list that failed, and then later and later', () => {
    const retries = (pollMs: number) =>
      [1, 2, 3, 7, 99].map((failures) => retryMs(failures, { pollMs, longestMs: 60_000 }));
    expect(retries(5_000)).toEqual([1_000, 2_000, 4_000, 60_000, 60_000]);
    expect(retries(500)).toEqual([100, 200, 400, 6_400, 60_000]);
  });

  it('leaves a room that resists alone for longer and longer', () => {
    expect([1, 2, 3, 9].map(backoffMs)).toEqual([10_000, 20_000, 40_000, 300_000]);
  });
});
