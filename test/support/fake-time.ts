import { afterEach, beforeEach, vi } from 'vitest';

/** Gives every test of a `describe` a clock of its own, which stands still. */
export function useFakeTime(): void {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());
}

/** The same with a clock that jumps to the next timer by itself, as soon as nothing else is left to be done. */
export function useVirtualTime(): void {
  useFakeTime();
  beforeEach(() => void vi.setTimerTickMode('nextTimerAsync'));
}

/** Lets frames go as far as they come without time passing, then lets it pass, and lets them go again. */
export async function passes(ms: number): Promise<void> {
  for (const step of [0, ms, 0]) await vi.advanceTimersByTimeAsync(step);
}

/** Lets time pass, for code that waits in time that passes by itself. Not the promise of node:timers, which always waits for real. */
export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
