/** What every store of a sweeping engine has to do. */

import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { SweepStore } from '../../src/sweeper/engine/engine.ts';
import type { Observation } from '../../src/sweeper/observation.ts';

export interface StoreUnderTest {
  /** Called before the first test. */
  readonly open?: () => Promise<void>;
  readonly close?: () => Promise<void>;
  /** Makes an empty store. */
  readonly make: () => SweepStore;
}

const seen: Observation = {
  sid: 'RM_1',
  creationTimeMs: 1,
  probedMs: 2.5,
  dueMs: 3,
  silentSinceMs: undefined,
  silentProbes: 0,
  leases: { bot: 'run.1' },
  failedReaps: 0,
};
const silent: Observation = { ...seen, sid: 'RM_2', silentSinceMs: 1, silentProbes: 2, failedMs: 2 };

/** Runs the suite for one store. */
export function sweepStoreContract(name: string, { open, close, make }: StoreUnderTest): void {
  describe(`${name}, as every store`, () => {
    let store: SweepStore;
    beforeAll(async () => open?.());
    afterAll(async () => close?.());
    beforeEach(() => {
      store = make();
    });

    it('has a clock that goes on between two requests', async () => {
      const [one, other] = [await store.clock(), await store.clock()];
      const startedMs = one();
      expect(one()).toBeGreaterThanOrEqual(startedMs);
      // both are the same clock, as precise as a request is
      expect(Math.abs(other() - one())).toBeLessThan(2_000);
    });

    it('gives back what it was told to remember, in the order asked for', async () => {
      await store.remember('agents-1', seen);
      await store.remember('agents-2', silent);
      expect(await store.recall(['agents-2', 'agents-3', 'agents-1'])).toEqual([silent, undefined, seen]);
      expect(await store.observations()).toEqual(
        new Map([
          ['agents-1', seen],
          ['agents-2', silent],
        ]),
      );
    });

    it('keeps the newest observation of a room', async () => {
      await store.remember('agents-1', seen);
      await store.remember('agents-1', silent);
      expect(await store.recall(['agents-1'])).toEqual([silent]);
    });

    it('forgets these rooms and no others', async () => {
      for (const room of ['agents-1', 'agents-2', 'agents-3']) await store.remember(room, seen);
      await store.forget(['agents-1', 'agents-3', 'agents-unknown']);
      await store.forget([]);
      expect([...(await store.observations()).keys()]).toEqual(['agents-2']);
    });

    it('handles no rooms', async () => {
      expect(await store.recall([])).toEqual([]);
      expect((await store.observations()).size).toBe(0);
    });

    it('knows the owned rooms of the newest list, and counts deletions since then', async () => {
      expect(await store.owned()).toBe(0);
      expect([await store.takeDeletion(), await store.takeDeletion()]).toEqual([1, 2]);
      await store.beginPass(50);
      expect(await store.owned()).toBe(50);
      expect(await store.takeDeletion()).toBe(1);
    });

    it('gives the turn to the first who asks, and again when it was released', async () => {
      expect(await store.acquireTurn(60_000)).toBe(true);
      await store.releaseTurn();
      expect(await store.acquireTurn(60_000)).toBe(true);
    });

    it('knows when observation was interrupted last, by its own clock', async () => {
      expect(await store.lastGapMs()).toBeUndefined();
      const nowMs = await store.clock();
      const beforeMs = nowMs();
      await store.recordGap();
      const gapMs = (await store.lastGapMs()) ?? Number.NaN;
      // in whole milliseconds where they are shared
      expect(gapMs).toBeGreaterThanOrEqual(beforeMs - 2);
      expect(gapMs).toBeLessThanOrEqual(nowMs() + 2);
    });

    it('knows of no success of others before there is one', async () => {
      expect(await store.othersSucceed(60_000)).toBe(false);
    });
  });
}
