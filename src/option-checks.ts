/** What constructors refuse, in one wording; values that may be secret are never quoted. */

import { InvalidOptionError } from './errors.ts';

/** What `setTimeout` can hold; a longer one would fire at once. */
const longestTimerMs = 2_147_483_647;

/** @throws {InvalidOptionError} There are no options at all, where some are needed. */
export function checkOptions(options: unknown): asserts options is object {
  if (typeof options !== 'object' || options === null) throw new InvalidOptionError('options', 'an object');
}

/** @throws {InvalidOptionError} `value` is missing, empty or no string. */
export function checkText(option: string, value: unknown): asserts value is string {
  if (typeof value !== 'string' || value === '') throw new InvalidOptionError(option, 'a non-empty string');
}

/**
 * @param or What else would have been right.
 * @throws {InvalidOptionError} `value` is no number of milliseconds that a timer can wait.
 */
export function checkLimitMs(option: string, value: unknown, or = ''): asserts value is number {
  if (typeof value === 'number' && value > 0 && value <= longestTimerMs) return;
  throw new InvalidOptionError(
    option,
    `a number of milliseconds above 0, at most ${longestTimerMs}${or}`,
    value,
  );
}

/** @throws {InvalidOptionError} `value` is neither true nor false. */
export function checkBoolean(option: string, value: unknown): asserts value is boolean {
  if (typeof value !== 'boolean') throw new InvalidOptionError(option, 'true or false', value);
}

/** @throws {InvalidOptionError} `value` is no object with all of these methods. */
export function checkMethods(option: string, value: unknown, methods: readonly string[]): void {
  const has = (name: string): boolean => typeof (value as Record<string, unknown>)[name] === 'function';
  if (typeof value === 'object' && value !== null && methods.every(has)) return;
  throw new InvalidOptionError(option, `an object with ${methods.map((name) => `${name}()`).join(', ')}`);
}
