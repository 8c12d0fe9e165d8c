/** What happens in a random fault run, and when: everything follows from the seed. */

import type { Toxics } from './tcp-proxy.ts';

/** How a session comes to its end. `lost`: bot and guardian are killed together, as with a container. */
export type End = 'end' | 'cancel' | 'SIGTERM' | 'SIGKILL' | 'lost' | 'frozen';

export interface PlannedSession {
  readonly startMs: number;
  /** Counted from the moment at which its bot runs. */
  readonly livesMs: number;
  readonly end: End;
  /** Whether its human joins again, once, as soon as it is thrown out. */
  readonly rejoins: boolean;
  /** What it suffers while it lives, and should survive; counted like `livesMs`. */
  readonly suffers: 'nothing' | 'a short freeze' | 'the death of its guardian';
  readonly suffersAfterMs: number;
}

/** Something that happens to everybody, from `atMs` on for so long. */
export interface PlannedDisturbance {
  readonly atMs: number;
  readonly forMs: number;
  readonly what: (typeof disturbances)[number];
  /** What the way from the bots to LiveKit's REST API is like, where that is cut. */
  readonly toxics: Partial<Toxics>;
}

export interface Schedule {
  readonly seed: number;
  readonly sessions: readonly PlannedSession[];
  readonly disturbances: readonly PlannedDisturbance[];
  /** When somebody else makes a room with a name like ours. */
  readonly foreignRoomsMs: readonly number[];
}

const ends: readonly End[] = ['end', 'cancel', 'SIGTERM', 'SIGKILL', 'SIGKILL', 'lost', 'frozen'];
const sufferings = ['nothing', 'nothing', 'a short freeze', 'the death of its guardian'] as const;
const disturbances = [
  'cut',
  'cut',
  'LiveKit frozen',
  'sweepers killed',
  'sweepers frozen',
  'sweepers cut',
  'one sweeper killed',
  'one sweeper frozen',
] as const;
const cuts: readonly Partial<Toxics>[] = [
  { down: true },
  { blackHole: 'up' },
  { blackHole: 'down' },
  { reset: 'up' },
  { reset: 'down' },
  { limitBytes: 120 },
  { delayMs: 300 },
];
/** Sessions and disturbances come so often, on average. */
const sessionEveryMs = 3_000;
const disturbanceEveryMs = 4_000;

/** The same seed and length give the same schedule. */
export function planChaos(seed: number, lengthMs: number): Schedule {
  const dice = new Dice(seed);
  const sessionCount = Math.max(4, Math.round(lengthMs / sessionEveryMs));
  const sessions = Array.from({ length: sessionCount }, () => planSession(dice, lengthMs));
  const disturbanceCount = Math.max(2, Math.round(lengthMs / disturbanceEveryMs));
  const planned = Array.from({ length: disturbanceCount }, () => ({
    atMs: dice.between(1_500, lengthMs),
    forMs: dice.between(300, Math.min(5_000, lengthMs / 3)),
    what: dice.of(disturbances),
    toxics: dice.of(cuts),
  }));
  const foreignRoomsMs = Array.from({ length: 3 }, () => dice.between(0, lengthMs));
  return { seed, sessions, disturbances: planned, foreignRoomsMs };
}

function planSession(dice: Dice, lengthMs: number): PlannedSession {
  const livesMs = dice.between(500, lengthMs / 2);
  return {
    startMs: dice.between(0, lengthMs / 2),
    livesMs,
    end: dice.of(ends),
    rejoins: dice.between(0, 3) === 0,
    suffers: dice.of(sufferings),
    suffersAfterMs: dice.between(0, livesMs),
  };
}

/** Random numbers that can be had again: mulberry32. */
class Dice {
  #state: number;

  constructor(seed: number) {
    this.#state = seed;
  }

  /** A whole number from `from` on, below `to`. */
  between(from: number, to: number): number {
    return Math.floor(from + this.#next() * (to - from));
  }

  of<T>(values: readonly T[]): T {
    return values[this.between(0, values.length)] as T;
  }

  #next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }
}
