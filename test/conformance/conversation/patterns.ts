/** Whether a recorded value is what was expected: `conversation-traces/README.md`, sections 6 and 7. */

/** `exactly`: nothing else may be there; `loosely`: wildcards count, and other fields may be there. */
export type Strictness = 'exactly' | 'loosely';

interface Beginning {
  readonly beginningOf: string;
  readonly words: number;
  readonly plusMinus?: number;
}

/** Compares whatever JSON can hold; the beginning of a text counts in both ways of comparing. */
export function fits(expected: unknown, recorded: unknown, strictness: Strictness): boolean {
  if (isBeginning(expected)) return isHeard(expected, recorded);
  if (strictness === 'loosely') {
    if (expected === '*') return true;
    if (isContains(expected)) return typeof recorded === 'string' && recorded.includes(expected.contains);
    if (isAnyOf(expected)) return expected.anyOf.some((one) => fits(one, recorded, strictness));
  }
  if (Array.isArray(expected)) {
    return (
      Array.isArray(recorded) &&
      recorded.length === expected.length &&
      expected.every((item, index) => fits(item, recorded[index], strictness))
    );
  }
  return isObject(expected)
    ? isObject(recorded) && fieldsFit(expected, recorded, strictness)
    : Object.is(expected, recorded);
}

/** How many of these, from the first on, are met in this order; others may be between. */
export function countMet<Expected, Recorded>(
  expected: readonly Expected[],
  recorded: readonly Recorded[],
  isMet: (expected: Expected, recorded: Recorded) => boolean,
): number {
  let met = 0;
  for (const one of recorded) {
    if (met < expected.length && isMet(expected[met] as Expected, one)) met += 1;
  }
  return met;
}

function fieldsFit(
  expected: Record<string, unknown>,
  recorded: Record<string, unknown>,
  strictness: Strictness,
): boolean {
  const names = Object.keys(expected);
  if (strictness === 'exactly' && names.length !== Object.keys(recorded).length) return false;
  return names.every((name) => name in recorded && fits(expected[name], recorded[name], strictness));
}

/** Whether a text is the first words of another, about as many as were counted, joined by single blanks. */
function isHeard({ beginningOf, words, plusMinus = 1 }: Beginning, recorded: unknown): boolean {
  const all = beginningOf.split(/\s+/);
  const counts = Array.from({ length: 2 * plusMinus + 1 }, (_, index) => words - plusMinus + index);
  return counts.some((count) => count >= 0 && recorded === all.slice(0, count).join(' '));
}

function isBeginning(value: unknown): value is Beginning {
  return isObject(value) && typeof value.beginningOf === 'string' && typeof value.words === 'number';
}

function isContains(value: unknown): value is { readonly contains: string } {
  return isObject(value) && Object.keys(value).length === 1 && typeof value.contains === 'string';
}

function isAnyOf(value: unknown): value is { readonly anyOf: readonly unknown[] } {
  return isObject(value) && Object.keys(value).length === 1 && Array.isArray(value.anyOf);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
