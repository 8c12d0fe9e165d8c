/** The lease: a counter that a bot's JavaScript loop bumps in its participant attributes, and nobody else. No rxjs. */

import { randomBytes } from 'node:crypto';

/** The participant attribute that holds it. */
export const leaseAttribute = 'endframe.lease';

/** How often it is bumped, in milliseconds. Observers wait for several beats before they act. */
export const leaseBeatMs = 5_000;

/** Observers compare only whether it changed; the parts are for people who read it. */
export interface Lease {
  /** Random for each process: a bot that starts again never repeats the value of the one before. */
  readonly run: string;
  /** Beats so far, from 0. */
  readonly count: number;
}

/** The lease of a bot that has just started. */
export function makeLease(run: string = randomBytes(6).toString('hex')): Lease {
  return { run, count: 0 };
}

export function nextLease({ run, count }: Lease): Lease {
  return { run, count: count + 1 };
}

/** As it stands in the attribute: `4f0c2a9be117.42`. */
export function formatLease({ run, count }: Lease): string {
  return `${run}.${count}`;
}

/** `undefined` for what is no lease of this form; it still counts as one when it changes. */
export function parseLease(text: string): Lease | undefined {
  const [, run, count] = /^([0-9a-z]{1,64})\.(\d{1,15})$/.exec(text) ?? [];
  return run === undefined || count === undefined ? undefined : { run, count: Number(count) };
}
