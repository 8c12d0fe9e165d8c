/** What the simulated caller of each example does; without an entry, it only listens. */

import { setTimeout as sleep } from 'node:timers/promises';
import type { Caller } from 'endframe/testing';

export const callers: Readonly<Record<string, (caller: Caller) => Promise<void>>> = {
  '01': (caller) => caller.playTone(440, 2_000),
  '03': async (caller) => {
    await caller.waitFor('audioStarted', { timeoutMs: 60_000 });
    await sleep(1_000);
    await caller.pressKeys('1');
    await sleep(2_000);
    await caller.pressKeys('#');
  },
  '04': async (caller) => {
    await caller.playTone(440, 500);
    await caller.leave();
  },
  '05': async (caller) => {
    await caller.waitFor('audioStarted', { timeoutMs: 60_000 });
    await sleep(1_500);
    await caller.playTone(440, 600);
  },
  '10': (caller) => caller.playTone(440, 1_000),
};
