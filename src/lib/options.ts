/** What constructors refuse, in one wording; values that may be secret are never quoted. */

import { InvalidOptionError } from './errors.ts';

/** What a timer can wait, in milliseconds; a longer one would fire at once. */
export const longestTimerMs = 2_147_483_647;
/** What microphones, telephones and codecs use, and a good deal more. */
const lowestRateHz = 1_000;
const highestRateHz = 768_000;

/** @throws {InvalidOptionError} There are no options at all, where some are needed. */
export function checkOptions(options: unknown): asserts options is object {
  if (typeof options !== 'object' || options === null) throw new InvalidOptionError('options', 'an object');
}

/** @throws {InvalidOptionError} `value` is missing, empty or no string. */
export function checkText(option: string, value: unknown): asserts value is string {
  if (typeof value !== 'string' || value === '') throw new InvalidOptionError(option, 'a non-empty string');
}

/** What is right besides a number of milliseconds above 0. */
export interface DurationRange {
  /** Whether 0 is right as well. Default false. */
  readonly zero?: boolean;
  /** What else would be, for the text, such as `null`. */
  readonly or?: string;
}

/** @throws {InvalidOptionError} `value` is no number of milliseconds that a timer can wait. */
export function checkDurationMs(
  option: string,
  value: unknown,
  { zero = false, or }: DurationRange = {},
): asserts value is number {
  if (typeof value === 'number' && value <= longestTimerMs && (value > 0 || (zero && value === 0))) return;
  const range = `a number of milliseconds ${zero ? 'from 0' : 'above 0'}, at most ${longestTimerMs}`;
  throw new InvalidOptionError(option, or === undefined ? range : `${range}, or ${or}`, value);
}

/** Whether it is a rate that sound can have, in hertz. */
export function isRateHz(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) >= lowestRateHz && (value as number) <= highestRateHz;
}

/**
 * @param multipleOf 100 where pieces of 10 ms must be whole samples. Default 1.
 * @throws {InvalidOptionError} `value` is no rate that sound can have.
 */
export function checkRateHz(option: string, value: unknown, multipleOf = 1): asserts value is number {
  if (isRateHz(value) && value % multipleOf === 0) return;
  const whole = multipleOf === 1 ? 'a whole number' : `a whole multiple of ${multipleOf}`;
  throw new InvalidOptionError(option, `${whole} of hertz from ${lowestRateHz} to ${highestRateHz}`, value);
}

/** @throws {InvalidOptionError} `value` is no whole number from `least` on. */
export function checkCount(option: string, value: unknown, least = 1): asserts value is number {
  if (Number.isSafeInteger(value) && (value as number) >= least) return;
  throw new InvalidOptionError(option, `a whole number, ${least} or more`, value);
}

/** @throws {InvalidOptionError} `value` is no number from 0 to 1. */
export function checkShare(option: string, value: unknown): asserts value is number {
  if (typeof value === 'number' && value >= 0 && value <= 1) return;
  throw new InvalidOptionError(option, 'a number from 0 to 1', value);
}

/** @throws {InvalidOptionError} `value` is neither true nor false. */
export function checkBoolean(option: string, value: unknown): asserts value is boolean {
  if (typeof value !== 'boolean') throw new InvalidOptionError(option, 'true or false', value);
}

/** @throws {InvalidOptionError} `value` is no function. */
export function checkFunction(option: string, value: unknown): void {
  if (typeof value !== 'function') throw new InvalidOptionError(option, 'a function', value);
}

/** @throws {InvalidOptionError} `value` is no object with all of these methods. */
export function checkMethods(option: string, value: unknown, methods: readonly string[]): void {
  const has = (name: string): boolean => typeof (value as Record<string, unknown>)[name] === 'function';
  if (typeof value === 'object' && value !== null && methods.every(has)) return;
  throw new InvalidOptionError(option, `an object with ${methods.map((name) => `${name}()`).join(', ')}`);
}

/** @throws {InvalidOptionError} `value` lacks one of a logger's four methods. */
export function checkLogger(option: string, value: unknown): void {
  checkMethods(option, value, ['debug', 'info', 'warn', 'error']);
}

/** @throws {InvalidOptionError} `value` is none of `choices`. */
export function checkOneOf<Choice extends string>(
  option: string,
  value: unknown,
  choices: readonly Choice[],
): asserts value is Choice {
  if ((choices as readonly unknown[]).includes(value)) return;
  throw new InvalidOptionError(option, `one of ${choices.map((choice) => `'${choice}'`).join(', ')}`, value);
}

/** @throws {InvalidOptionError} `options` has a name that is not known; a known one that is near is in the text. */
export function checkNames(options: object, known: readonly string[]): void {
  for (const name of Object.keys(options)) {
    if (known.includes(name)) continue;
    const nearest = nearestName(name, known);
    const hint = nearest === undefined ? '' : `; the nearest one is "${nearest}"`;
    throw new InvalidOptionError(name, `an option that exists${hint}`);
  }
}

/** The known name that was probably meant; `undefined` where more than half of it would have to change. */
export function nearestName(name: string, known: readonly string[]): string | undefined {
  const distances = known.map((one) => ({ one, distance: editDistance(name, one) }));
  const [nearest] = distances.toSorted((a, b) => a.distance - b.distance);
  return nearest !== undefined && nearest.distance <= name.length / 2 ? nearest.one : undefined;
}

/** How many characters must be added, removed or replaced (Levenshtein). */
function editDistance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (const [line, letter] of [...from].entries()) {
    const next = [line + 1];
    for (let index = 0; index < to.length; index += 1) {
      const replaced = (row[index] ?? 0) + (letter === to[index] ? 0 : 1);
      next.push(Math.min(replaced, (row[index + 1] ?? 0) + 1, (next[index] ?? 0) + 1));
    }
    row = next;
  }
  return row.at(-1) ?? 0;
}
