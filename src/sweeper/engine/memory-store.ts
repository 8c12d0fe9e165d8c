/** The store of one process: its content is lost when the process ends. */

import type { Observation } from '../observation.ts';
import type { SweepStore } from './engine.ts';

/** Keeps observations in a map, by the clock of this process. */
export class MemoryStore implements SweepStore {
  readonly #nowMs: () => number;
  readonly #observations = new Map<string, Observation>();
  #owned = 0;
  #deletions = 0;
  #lastGapMs: number | undefined;

  /** @param nowMs A monotonic clock, in milliseconds. */
  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  async clock(): Promise<() => number> {
    return this.#nowMs;
  }

  async acquireTurn(): Promise<boolean> {
    return true;
  }

  async releaseTurn(): Promise<void> {}

  async beginPass(owned: number): Promise<void> {
    this.#owned = owned;
    this.#deletions = 0;
  }

  async owned(): Promise<number> {
    return this.#owned;
  }

  async takeDeletion(): Promise<number> {
    this.#deletions += 1;
    return this.#deletions;
  }

  async observations(): Promise<ReadonlyMap<string, Observation>> {
    return this.#observations;
  }

  async recall(roomNames: readonly string[]): Promise<readonly (Observation | undefined)[]> {
    return roomNames.map((name) => this.#observations.get(name));
  }

  async remember(roomName: string, observation: Observation): Promise<void> {
    this.#observations.set(roomName, observation);
  }

  async forget(roomNames: readonly string[]): Promise<void> {
    for (const name of roomNames) this.#observations.delete(name);
  }

  async recordGap(): Promise<void> {
    this.#lastGapMs = this.#nowMs();
  }

  async lastGapMs(): Promise<number | undefined> {
    return this.#lastGapMs;
  }

  async recordSuccess(): Promise<void> {}

  async othersSucceed(): Promise<boolean> {
    return false;
  }
}
