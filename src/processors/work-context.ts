/** Which call of a `process()` the running code continues, across everything it awaits. */

import { AsyncLocalStorage } from 'node:async_hooks';
import type { FrameWork } from './frame-work.ts';

// kept from before anybody installs fake timers
const nextTurn = setImmediate;

const contexts = new AsyncLocalStorage<FrameWork>();
/** Calls that go on in a context of their own. */
let unsettled = 0;
let usedInThisTurn = false;
let isWatched = false;

export const workContext = {
  get current(): FrameWork | undefined {
    return contexts.getStore();
  },

  /** Calls a function in the context of this work. */
  run<Args extends unknown[]>(
    work: FrameWork,
    action: (...args: Args) => void | Promise<void>,
    ...args: Args
  ): void | Promise<void> {
    noteUse();
    return contexts.run(work, action, ...args);
  },

  /** A call that was {@link run} goes on. */
  began(): void {
    unsettled += 1;
  },

  ended(): void {
    unsettled -= 1;
    if (unsettled === 0) noteUse();
  },
};

/**
 * Before Node 24 every promise of the process costs three times as much once a context was used, until the storage is
 * disabled; which is done when the event loop has turned without a use for it.
 */
function noteUse(): void {
  usedInThisTurn = true;
  if (isWatched) return;
  isWatched = true;
  nextTurn(look).unref();
}

function look(): void {
  if (usedInThisTurn) {
    usedInThisTurn = false;
    nextTurn(look).unref();
    return;
  }
  isWatched = false;
  if (unsettled === 0) contexts.disable();
}
