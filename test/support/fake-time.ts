/** Virtual time: it passes when nothing is left to be done, however slow the machine is. */

import { afterEach, beforeEach, vi } from 'vitest';

// kept from before anybody installs fake timers
const realImmediate = setImmediate;

/** Gives every test of a `describe` a clock of its own, which stands still. */
export function useFakeTime(): void {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());
}

/** The same with a clock that goes to the next timer by itself, whenever nothing else is left to be done. */
export function useVirtualTime(): void {
  // until after the last hook of the test, which may have to wait as well
  beforeEach(({ onTestFinished }) => {
    vi.useFakeTimers();
    let isRunning = true;
    onTestFinished(() => {
      isRunning = false;
      vi.useRealTimers();
    });
    void (async () => {
      for (await settles(); isRunning; await settles())
        if (vi.getTimerCount() > 0) vi.advanceTimersToNextTimer();
    })();
  });
}

/**
 * Lets frames go as far as they come without time passing, then lets it pass, and lets them go again.
 *
 * As `vi.advanceTimersByTimeAsync`, which takes a real millisecond for each timer.
 */
export async function passes(ms: number): Promise<void> {
  for (const step of [0, ms, 0]) {
    let isOver = false;
    await settles();
    setTimeout(() => {
      isOver = true;
    }, step);
    while (!isOver) {
      vi.advanceTimersToNextTimer();
      await settles();
    }
  }
}

/** Lets time pass in virtual time that passes by itself, or in real time; unlike the promise of node:timers. */
export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** As `vi.waitFor`, in the time that passes: virtual or real. */
export async function eventually<T>(
  check: () => T | Promise<T>,
  { timeoutMs = 90_000, intervalMs = 10 }: { timeoutMs?: number; intervalMs?: number } = {},
): Promise<T> {
  const startedMs = performance.now();
  for (;;) {
    try {
      return await check();
    } catch (error) {
      if (performance.now() - startedMs > timeoutMs) throw error;
      await sleep(intervalMs);
    }
  }
}

/** Resolves when no microtask is left. */
function settles(): Promise<void> {
  return new Promise((resolve) => void realImmediate(resolve));
}
