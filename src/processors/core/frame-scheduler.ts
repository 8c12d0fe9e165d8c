/** Shares the event loop among all processors of the process. */

/** A queue of frames that the scheduler gives turns to. */
export interface Schedulable {
  /** Processes at most `limit` system frames. @returns How many it processed. */
  runSystem(limit: number): number;
  /** Processes at most `limit` other frames. @returns How many it processed. */
  run(limit: number): number;
}

// bound when the module loads: before fake timers are installed
const now = performance.now.bind(performance);
const realImmediate = setImmediate;
const realTick = process.nextTick;
const settled = Promise.resolve();

/** Whether fake timers are installed. */
function isTimeVirtual(): boolean {
  return setImmediate !== realImmediate;
}

/** How many turns there may be in virtual time before the real event loop turns. */
const mostVirtualTurns = 10_000;
let virtualTurns = 0;

/**
 * Calls back in the next turn of the event loop.
 *
 * With fake timers: as soon as no microtask is left. So frames settle although the clock stands still, and a clock
 * that is advanced between turns of the event loop never overtakes frames that have not settled.
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

/** Resolves in the next turn of the event loop: frames that could be processed until then, are. */
export function turnOfTheLoop(): Promise<void> {
  return new Promise((resolve) => nextTurn(resolve));
}

/** How long frames may block the event loop, in milliseconds. */
const budgetMs = 2;
/** Most frames between two readings of the clock; fewer when they take longer than {@link fastMs}. */
const longestStride = 8;
const fastMs = 0.25;
/** The budget in frames while time is virtual and stands still. */
const budgetFrames = 100_000;

/** A first-in-first-out ring buffer in one array. */
class TurnQueue {
  #slots: (Schedulable | undefined)[] = new Array(16).fill(undefined);
  #head = 0;
  #length = 0;

  add(schedulable: Schedulable): void {
    if (this.#length === this.#slots.length) this.#grow();
    this.#slots[(this.#head + this.#length) & (this.#slots.length - 1)] = schedulable;
    this.#length += 1;
  }

  take(): Schedulable | undefined {
    if (this.#length === 0) return undefined;
    const schedulable = this.#slots[this.#head];
    this.#slots[this.#head] = undefined;
    this.#head = (this.#head + 1) & (this.#slots.length - 1);
    this.#length -= 1;
    return schedulable;
  }

  #grow(): void {
    const old = this.#slots;
    this.#slots = [...old.slice(this.#head), ...old.slice(0, this.#head), ...old.map(() => undefined)];
    this.#head = 0;
  }
}

/**
 * Gives each processor with waiting frames its turn.
 *
 * One per process, because the event loop is one per process: system frames of all pipelines first, then a bounded
 * number of other frames of each processor, round-robin. Work begins in the next microtask; after {@link budgetMs} it
 * yields to timers and I/O.
 */
export class FrameScheduler {
  readonly #system = new TurnQueue();
  readonly #turns = new TurnQueue();
  #state: 'idle' | 'waking' | 'draining' | 'yielding' = 'idle';
  #sliceStart = 0;
  #isSliceOpen = false;
  #sliceFrames = 0;
  #clockReadMs = 0;
  #stride = 1;
  #sinceClockRead = 0;

  /** The latest reading of the clock, in milliseconds; exact enough for the times of frames. */
  get nowMs(): number {
    if (isTimeVirtual()) return performance.now();
    if (!this.#isSliceOpen) this.#openSlice(); // called by a timer or by I/O: the latest reading may be old
    return this.#clockReadMs;
  }

  /** Whether frames wait for the next turn of the event loop. */
  get isYielding(): boolean {
    return this.#state === 'yielding';
  }

  /** Has `runSystem` called, before any `run`. */
  addSystem(schedulable: Schedulable): void {
    this.#system.add(schedulable);
    this.#wake();
  }

  /** Has `run` called in its turn. */
  add(schedulable: Schedulable): void {
    this.#turns.add(schedulable);
    this.#wake();
  }

  /**
   * For callers in a microtask of their own: what they add until {@link begin} is processed there, not in a microtask
   * after theirs.
   *
   * @returns Whether `begin` is to be called.
   */
  willBegin(): boolean {
    if (this.#state !== 'idle') return false;
    this.#state = 'waking';
    return true;
  }

  /** Processes the waiting frames in this turn of the event loop; see `willBegin()`. */
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
    if (!this.#isSliceOpen) this.#openSlice();
    let isDone = false;
    try {
      isDone = this.#work();
    } finally {
      if (isDone) this.#state = 'idle';
      else {
        this.#state = 'yielding';
        realImmediate(this.#continue);
      }
    }
  };

  readonly #continue = (): void => {
    this.#isSliceOpen = false;
    this.#drain();
  };

  /** @returns Whether all is done; otherwise the budget is used up. */
  #work(): boolean {
    for (;;) {
      const system = this.#system.take();
      const next = system ?? this.#turns.take();
      if (next === undefined) return true;
      const handled = system === undefined ? next.run(this.#stride) : next.runSystem(this.#stride);
      this.#sinceClockRead += handled + 1;
      if (this.#sinceClockRead > this.#stride && this.#isTimeUp()) return false;
    }
  }

  #isTimeUp(): boolean {
    if (isTimeVirtual()) {
      this.#sliceFrames += this.#sinceClockRead;
      this.#sinceClockRead = 0;
      return this.#sliceFrames > budgetFrames;
    }
    const at = now();
    this.#stride = at - this.#clockReadMs > fastMs ? 1 : Math.min(this.#stride * 2, longestStride);
    this.#clockReadMs = at;
    this.#sinceClockRead = 0;
    return at - this.#sliceStart > budgetMs;
  }

  /**
   * A slice is what runs between two turns of the event loop, with all its microtasks. An unreferenced immediate marks
   * the next turn.
   */
  #openSlice(): void {
    this.#isSliceOpen = true;
    this.#sliceFrames = 0;
    if (isTimeVirtual()) this.#stride = longestStride;
    this.#sliceStart = now();
    this.#clockReadMs = this.#sliceStart;
    realImmediate(this.#closeSlice).unref();
  }

  readonly #closeSlice = (): void => {
    this.#isSliceOpen = false;
    virtualTurns = 0;
  };
}

/** The scheduler of this process, shared by all pipelines. */
export const frameScheduler: FrameScheduler = new FrameScheduler();

/** How deep direct calls nest; each takes about 3 kB of the stack. */
const deepestCall = 32;

/**
 * Calls of processors in direct mode, which nest: each one calls the next. So that a long chain does not exhaust the
 * stack, deeper calls run, in order, after those above have returned and before the outermost one returns.
 */
class DirectCalls {
  #depth = 0;
  readonly #waiting: (() => void)[] = [];

  run(call: () => void): void {
    if (this.#depth === deepestCall || (this.#depth > 0 && this.#waiting.length > 0)) {
      this.#waiting.push(call);
      return;
    }
    this.#depth += 1;
    try {
      call();
      if (this.#depth > 1) return;
      for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) next();
    } finally {
      this.#depth -= 1;
    }
  }
}

/** One per process, as there is one stack. */
export const directCalls: DirectCalls = new DirectCalls();
