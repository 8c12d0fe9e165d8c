/** Something with frames to work off. */
export interface Runnable {
  /**
   * Works off system frames, at most `limit` of them.
   *
   * @returns How many it was.
   */
  runUrgent(limit: number): number;
  /**
   * Works off other frames, at most `limit` of them.
   *
   * @returns How many it was.
   */
  run(limit: number): number;
}

// kept from before anybody installs fake timers
const now = performance.now.bind(performance);
const realImmediate = setImmediate;
const realTick = process.nextTick;
const settled = Promise.resolve();

/** Whether somebody has installed fake timers. */
function isTimeVirtual(): boolean {
  return setImmediate !== realImmediate;
}

/** How many turns there may be in virtual time before the event loop really turns. */
const mostVirtualTurns = 10_000;
let virtualTurns = 0;

/**
 * Calls back in the next turn of the event loop.
 *
 * With fake timers: as soon as no microtask is left. So frames settle although the clock stands still, and the clock,
 * which somebody advances between turns of the event loop, never passes by frames that have not settled.
 */
export function nextTurn(action: () => void): void {
  if (!isTimeVirtual()) realImmediate(action);
  else if (virtualTurns < mostVirtualTurns) {
    virtualTurns += 1;
    settled.then(() => realTick(action));
  } else {
    realImmediate(() => {
      virtualTurns = 0;
      action();
    });
  }
}

/** Resolves when the event loop has turned: whatever frames could be worked off in the meantime, is. */
export function turnOfTheLoop(): Promise<void> {
  return new Promise((resolve) => nextTurn(resolve));
}

/** How long frames may keep the event loop to themselves, in milliseconds. */
const budgetMs = 2;
/** How many frames are handled between two looks at the clock, as long as that takes no time. */
const longestStride = 8;
const noTimeMs = 0.25;
/** How many frames may do so while time is virtual, and stands still. */
const budgetFrames = 100_000;

/** Who waits for a turn, first come, first served: a ring in one array. */
class Line {
  #slots: (Runnable | undefined)[] = new Array(16).fill(undefined);
  #head = 0;
  #length = 0;

  add(runnable: Runnable): void {
    if (this.#length === this.#slots.length) this.#grow();
    this.#slots[(this.#head + this.#length) & (this.#slots.length - 1)] = runnable;
    this.#length += 1;
  }

  take(): Runnable | undefined {
    if (this.#length === 0) return undefined;
    const runnable = this.#slots[this.#head];
    this.#slots[this.#head] = undefined;
    this.#head = (this.#head + 1) & (this.#slots.length - 1);
    this.#length -= 1;
    return runnable;
  }

  #grow(): void {
    const old = this.#slots;
    this.#slots = [...old.slice(this.#head), ...old.slice(0, this.#head), ...old.map(() => undefined)];
    this.#head = 0;
  }
}

/**
 * Gives every processor with something to do its turn.
 *
 * One for the process, because what it shares out, the event loop, is one for the process: system frames of
 * all pipelines first, then a bounded number of other frames from each processor, round and round. Work begins
 * in the next microtask; after {@link budgetMs} it gives way to timers and I/O.
 */
export class FrameScheduler {
  readonly #urgent = new Line();
  readonly #turns = new Line();
  #state: 'idle' | 'waking' | 'draining' | 'giving-way' = 'idle';
  #sliceStart = 0;
  #sliceOpen = false;
  #sliceFrames = 0;
  #lastLook = 0;
  #stride = 1;
  #sinceLook = 0;

  /** Time of the latest look at the clock: good enough for telling when a frame moved. */
  get lastLookMs(): number {
    if (isTimeVirtual()) return performance.now();
    if (!this.#sliceOpen) this.#openSlice(); // called by a timer or by I/O: the latest look may be long ago
    return this.#lastLook;
  }

  /** Whether there are frames to work off that wait for the event loop to turn. */
  get isGivingWay(): boolean {
    return this.#state === 'giving-way';
  }

  /** Has `runUrgent` called before anybody's `run`. */
  addUrgent(runnable: Runnable): void {
    this.#urgent.add(runnable);
    this.#wake();
  }

  /** Has `run` called when its turn comes. */
  add(runnable: Runnable): void {
    this.#turns.add(runnable);
    this.#wake();
  }

  /**
   * For callers that are in a microtask of their own, with no handler below them: what they add until
   * {@link begin} is worked off then and there, not in a microtask after theirs.
   *
   * @returns Whether `begin` is to be called.
   */
  willBegin(): boolean {
    if (this.#state !== 'idle') return false;
    this.#state = 'waking';
    return true;
  }

  begin(): void {
    this.#drain();
  }

  #wake(): void {
    if (this.#state !== 'idle') return;
    this.#state = 'waking';
    settled.then(this.#drain);
  }

  readonly #drain = (): void => {
    if (this.#state === 'idle' || this.#state === 'draining') return;
    this.#state = 'draining';
    if (!this.#sliceOpen) this.#openSlice();
    let done = false;
    try {
      done = this.#work();
    } finally {
      if (done) this.#state = 'idle';
      else {
        this.#state = 'giving-way';
        realImmediate(this.#continue);
      }
    }
  };

  readonly #continue = (): void => {
    this.#sliceOpen = false;
    this.#drain();
  };

  /** @returns Whether all is done; otherwise the time is up. */
  #work(): boolean {
    for (;;) {
      const urgent = this.#urgent.take();
      const next = urgent ?? this.#turns.take();
      if (next === undefined) return true;
      const handled = urgent === undefined ? next.run(this.#stride) : next.runUrgent(this.#stride);
      this.#sinceLook += handled + 1;
      if (this.#sinceLook > this.#stride && this.#isTimeUp()) return false;
    }
  }

  #isTimeUp(): boolean {
    if (isTimeVirtual()) {
      this.#sliceFrames += this.#sinceLook;
      this.#sinceLook = 0;
      return this.#sliceFrames > budgetFrames;
    }
    const at = now();
    this.#stride = at - this.#lastLook > noTimeMs ? 1 : Math.min(this.#stride * 2, longestStride);
    this.#lastLook = at;
    this.#sinceLook = 0;
    return at - this.#sliceStart > budgetMs;
  }

  /**
   * A slice is what runs between two turns of the event loop, many microtasks included. An immediate that does
   * not keep the process alive tells when the loop has turned by itself.
   */
  #openSlice(): void {
    this.#sliceOpen = true;
    this.#sliceFrames = 0;
    if (isTimeVirtual()) this.#stride = longestStride;
    this.#sliceStart = now();
    this.#lastLook = this.#sliceStart;
    realImmediate(this.#closeSlice).unref();
  }

  readonly #closeSlice = (): void => {
    this.#sliceOpen = false;
    virtualTurns = 0;
  };
}

export const frameScheduler: FrameScheduler = new FrameScheduler();
