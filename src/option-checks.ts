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

/** @throws {InvalidOptionError} `value` is none of `choices`. */
export function checkOneOf<Choice extends string>(
  option: string,
  value: unknown,
  choices: readonly Choice[],
): asserts value is Choice {
  if ((choices as readonly unknown[]).includes(value)) return;
  throw new InvalidOptionError(option, `one of ${choices.map((choice) => `'${choice}'`).join(', ')}`, value);
}

/** @throws {InvalidOptionError} `options` has a name that is not known; the nearest known one is in the text. */
export function checkNames(options: object, known: readonly string[]): void {
  for (const name of Object.keys(options)) {
    if (known.includes(name)) continue;
    const nearest = known.toSorted((a, b) => editDistance(name, a) - editDistance(name, b))[0];
    throw new InvalidOptionError(name, `an option that exists; the nearest one is "${nearest}"`);
  }
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
