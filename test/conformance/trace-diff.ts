/** Recorded frames, and differences between lists, for people to read. */

import { inspect } from 'node:util';
import type { FrameRecord } from './scenario.ts';

/** Equal lines around a difference that are worth reading. */
const contextLines = 3;

/** One frame on one line: `TextFrame upstream text='a'`. */
export function formatRecord({ frame, direction, broadcast, ...fields }: FrameRecord): string {
  const parts = [frame, ...(direction === undefined ? [] : [direction]), ...(broadcast ? ['broadcast'] : [])];
  const values = Object.entries(fields).map(
    ([field, value]) =>
      `${field}=${inspect(value, { compact: true, breakLength: Number.POSITIVE_INFINITY })}`,
  );
  return [...parts, ...values].join(' ');
}

interface Line {
  readonly mark: ' ' | '-' | '+';
  readonly text: string;
}

/** How the items of two lists are compared, and shown. */
export interface DiffOptions<Expected, Recorded> {
  /** Whether an item is the one that was expected. */
  readonly isSame: (expected: Expected, recorded: Recorded) => boolean;
  /** One line. */
  readonly format: (item: Expected | Recorded) => string;
}

/**
 * Both lists of frames as one, see {@link diffLists}.
 *
 * @param isSame Whether a frame is the one that was expected.
 */
export function diffRecords(
  expected: readonly FrameRecord[],
  recorded: readonly FrameRecord[],
  isSame: (expected: FrameRecord, recorded: FrameRecord) => boolean,
): string | undefined {
  return diffLists(expected, recorded, { isSame, format: formatRecord });
}

/**
 * Both lists as one, an item per line: `-` is missing, `+` is too much, and long equal stretches are left out.
 *
 * @returns `undefined` when there is no difference.
 */
export function diffLists<Expected, Recorded>(
  expected: readonly Expected[],
  recorded: readonly Recorded[],
  options: DiffOptions<Expected, Recorded>,
): string | undefined {
  const lines = align(expected, recorded, options);
  if (lines.every(({ mark }) => mark === ' ')) return undefined;
  return shorten(lines).join('\n');
}

/** The longest common subsequence, and what is not in it. */
function align<Expected, Recorded>(
  expected: readonly Expected[],
  recorded: readonly Recorded[],
  { isSame, format }: DiffOptions<Expected, Recorded>,
): Line[] {
  const rows = expected.length;
  const columns = recorded.length;
  const width = columns + 1;
  const common = new Uint32Array((rows + 1) * width);
  const at = (row: number, column: number): number => common[row * width + column] ?? 0;
  const same = (row: number, column: number): boolean =>
    isSame(expected[row] as Expected, recorded[column] as Recorded);
  for (let row = rows - 1; row >= 0; row -= 1) {
    for (let column = columns - 1; column >= 0; column -= 1) {
      common[row * width + column] = same(row, column)
        ? at(row + 1, column + 1) + 1
        : Math.max(at(row + 1, column), at(row, column + 1));
    }
  }
  const lines: Line[] = [];
  let row = 0;
  let column = 0;
  while (row < rows || column < columns) {
    if (row < rows && column < columns && same(row, column)) {
      lines.push({ mark: ' ', text: format(recorded[column] as Recorded) });
      row += 1;
      column += 1;
    } else if (column === columns || (row < rows && at(row + 1, column) >= at(row, column + 1))) {
      lines.push({ mark: '-', text: format(expected[row] as Expected) });
      row += 1;
    } else {
      lines.push({ mark: '+', text: format(recorded[column] as Recorded) });
      column += 1;
    }
  }
  return lines;
}

function shorten(lines: readonly Line[]): string[] {
  const isNearChange = lines.map((_, index) =>
    lines.slice(Math.max(0, index - contextLines), index + contextLines + 1).some(({ mark }) => mark !== ' '),
  );
  return lines.flatMap(({ mark, text }, index) => {
    if (isNearChange[index]) return [`${mark} ${text}`];
    return (isNearChange[index - 1] ?? index === 0) ? ['  …'] : [];
  });
}
