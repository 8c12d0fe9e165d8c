/** Recorded lists compared with expected ones; each problem is a paragraph that shows both. */

import { diffLists } from '../trace-diff.ts';
import { splitCalls } from './messages.ts';
import { countMet, fits, type Strictness } from './patterns.ts';
import type { TurnEvent } from './scenario.ts';

type IsMet<Recorded> = (expected: unknown, recorded: Recorded) => boolean;

/** One item on one line. */
export function formatItem(item: unknown): string {
  return typeof item === 'string' ? item : JSON.stringify(item);
}

/** The messages of a context, or of a run of the model. */
export function compareMessages(
  name: string,
  expected: readonly unknown[],
  recorded: readonly unknown[],
  strictness: Strictness,
): string[] {
  return compareLists(name, splitCalls(expected), recorded, (one, other) => fits(one, other, strictness));
}

/** All events of one half. */
export function compareEvents(
  name: string,
  expected: readonly unknown[],
  recorded: readonly TurnEvent[],
  strictness: Strictness,
): string[] {
  return compareLists(name, expected, recorded, (one, other) => eventFits(one, other, strictness));
}

/** Lists that must have the same items. */
export function compareLists<Recorded>(
  name: string,
  expected: readonly unknown[],
  recorded: readonly Recorded[],
  isMet: IsMet<Recorded>,
): string[] {
  const difference = diffLists(expected, recorded, { isSame: isMet, format: formatItem });
  return difference === undefined ? [] : [`${name} (- expected, + got):\n${difference}`];
}

/** A list in which these must be met in this order. */
export function compareOrder<Recorded>(
  name: string,
  expected: readonly unknown[],
  recorded: readonly Recorded[],
  isMet: IsMet<Recorded>,
): string[] {
  const met = countMet(expected, recorded, isMet);
  if (met === expected.length) return [];
  return [`${name}: expected ${formatItem(expected[met])} in its turn, got:\n${formatList(recorded)}`];
}

/** A list in which none of these may be met. */
export function compareLack<Recorded>(
  name: string,
  unwanted: readonly unknown[],
  recorded: readonly Recorded[],
  isMet: IsMet<Recorded>,
): string[] {
  return recorded
    .filter((one) => unwanted.some((pattern) => isMet(pattern, one)))
    .map((one) => `${name}: expected no ${formatItem(one)}, got:\n${formatList(recorded)}`);
}

/** Whether an event is the one that was expected; with an empty text it is open whether it was interrupted. */
export function eventFits(expected: unknown, recorded: TurnEvent, strictness: Strictness): boolean {
  const isOpen = recorded[0] === 'stopped' && recorded[1] === '';
  if (!isOpen || !Array.isArray(expected)) return fits(expected, recorded, strictness);
  return fits(expected.slice(0, 2), recorded.slice(0, 2), strictness);
}

function formatList(items: readonly unknown[]): string {
  return items.length === 0 ? '  nothing' : items.map((item) => `  ${formatItem(item)}`).join('\n');
}
