/** Something with frames to work off. */
export interface Runnable {
  /** Works off system frames. */
  runUrgent(): void;
  /**
   * Works off other frames, at most `limit` of them.
   *
   * @returns How many it was.
   */
  run(limit: number): number;
}

// kept from before anybody installs fake timers: virtual time must not stop frames that are on their way
const now = performance.now.bind(performance);
const nextTurn = setImmediate;
const settled = Promise.resolve();

/** How long frames may keep the event loop to themselves, in milliseconds. */
const budgetMs = 2;
/** How many frames are handled between two looks at the clock, as long as that takes no time. */
const longestStride = 8;
const noTimeMs = 0.25;

/**
 * Gives every processor with something to do its turn.
 *
 * One for the process, because what it shares out, the event loop, is one for the process: system frames of
 * all pipelines first, then a bounded number of other frames from each processor, round and round. Work begins
 * in the next microtask; after {@link budgetMs} it gives way to timers and I/O.
 */
export class FrameScheduler {
  // arrays that keep their length, with counts beside them: shortening one is slow
  readonly #urgent: (Runnable | undefined)[] = [];
  #urgentCount = 0;
  #turns: (Runnable | undefined)[] = [];
  #turnCount = 0;
  #nextTurn = 0;
  #later: (Runnable | undefined)[] = [];
  #laterCount = 0;
  #state: 'idle' | 'waking' | 'draining' | 'giving-way' = 'idle';
  #sliceStart = 0;
  #sliceOpen = false;
  #lastLook = 0;
  #stride = 1;
  #sinceLook = 0;

  /** Time of the latest look at the clock: good enough for telling when a frame moved. */
  get lastLookMs(): number {
    if (!this.#sliceOpen) this.#openSlice(); // called by a timer or by I/O: the latest look may be long ago
    return this.#lastLook;
  }

  /** Has `runUrgent` called before anything else. */
  addUrgent(runnable: Runnable): void {
    this.#urgent[this.#urgentCount++] = runnable;
    this.#wake();
  }

  /** Has `run` called when its turn comes. */
  add(runnable: Runnable): void {
    this.#later[this.#laterCount++] = runnable;
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
        nextTurn(this.#continue);
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
      if (this.#urgentCount > 0) this.#workUrgently();
      if (this.#nextTurn === this.#turnCount && !this.#nextRound()) return true;
      const runnable = this.#turns[this.#nextTurn];
      this.#turns[this.#nextTurn] = undefined;
      this.#nextTurn += 1;
      this.#sinceLook += (runnable?.run(this.#stride) ?? 0) + 1;
      if (this.#sinceLook > this.#stride && this.#isTimeUp()) return false;
    }
  }

  #workUrgently(): void {
    for (let index = 0; index < this.#urgentCount; index += 1) {
      const runnable = this.#urgent[index];
      this.#urgent[index] = undefined;
      runnable?.runUrgent();
    }
    this.#urgentCount = 0;
  }

  /** @returns False when nobody wants a turn. */
  #nextRound(): boolean {
    const done = this.#turns;
    this.#turns = this.#later;
    this.#turnCount = this.#laterCount;
    this.#nextTurn = 0;
    this.#later = done;
    this.#laterCount = 0;
    return this.#turnCount > 0;
  }

  #isTimeUp(): boolean {
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
    this.#sliceStart = now();
    this.#lastLook = this.#sliceStart;
    nextTurn(this.#closeSlice).unref();
  }

  readonly #closeSlice = (): void => {
    this.#sliceOpen = false;
  };
}

export const frameScheduler: FrameScheduler = new FrameScheduler();
