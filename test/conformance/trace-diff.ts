/** Recorded frames for people to read. */

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

/**
 * Both lists as one, a frame per line: `-` is missing, `+` is too much, and long equal stretches are left out.
 *
 * @param isSame Whether a frame is the one that was expected.
 * @returns `undefined` when there is no difference.
 */
export function diffRecords(
  expected: readonly FrameRecord[],
  recorded: readonly FrameRecord[],
  isSame: (expected: FrameRecord, recorded: FrameRecord) => boolean,
): string | undefined {
  const lines = align(expected, recorded, isSame);
  if (lines.every(({ mark }) => mark === ' ')) return undefined;
  return shorten(lines).join('\n');
}

/** The longest common subsequence, and what is not in it. */
function align(
  expected: readonly FrameRecord[],
  recorded: readonly FrameRecord[],
  isSame: (expected: FrameRecord, recorded: FrameRecord) => boolean,
): Line[] {
  const rows = expected.length;
  const columns = recorded.length;
  const width = columns + 1;
  const common = new Uint32Array((rows + 1) * width);
  const at = (row: number, column: number): number => common[row * width + column] ?? 0;
  const same = (row: number, column: number): boolean =>
    isSame(expected[row] as FrameRecord, recorded[column] as FrameRecord);
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
      lines.push({ mark: ' ', text: formatRecord(recorded[column] as FrameRecord) });
      row += 1;
      column += 1;
    } else if (column === columns || (row < rows && at(row + 1, column) >= at(row, column + 1))) {
      lines.push({ mark: '-', text: formatRecord(expected[row] as FrameRecord) });
      row += 1;
    } else {
      lines.push({ mark: '+', text: formatRecord(recorded[column] as FrameRecord) });
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
