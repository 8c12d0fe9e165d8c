import { afterEach, beforeEach, vi } from 'vitest';

// the frames' own turns of the event loop are real ones, also while the clock is not
const realTurn = setImmediate;
const turns = 5;

/** Gives every test of a `describe` a clock of its own, which stands still. */
export function useFakeTime(): void {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());
}

/** Lets frames go as far as they come without time passing, then lets it pass, and lets them go again. */
export async function passes(ms: number): Promise<void> {
  await settle();
  await vi.advanceTimersByTimeAsync(ms);
  await settle();
}

async function settle(): Promise<void> {
  for (let turn = 0; turn < turns; turn += 1) await new Promise<void>((done) => realTurn(done));
}
