/** The output of `endframe sweep`: a table, or JSON. */

import type { OrphanReport, SweepReport } from '../sweeper/sweeper-events.ts';

const outcomes: Record<OrphanReport['status'], string> = {
  deleted: 'deleted',
  'already-gone': 'was gone already',
  spared: 'spared by the last probe',
  capped: 'not yet: too many at once',
  'would-delete': 'would be deleted',
  failed: 'could not be deleted',
};
const columns = ['ROOM', 'WHY', 'SILENT', 'CREATED', 'OUTCOME'];

/** An aligned table; empty for no rows. */
export function sweepTable(
  orphans: readonly OrphanReport[],
  { heading = true }: { readonly heading?: boolean } = {},
): string {
  if (orphans.length === 0) return '';
  const rows = [...(heading ? [columns] : []), ...orphans.map(cells)];
  const widths = columns.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows
    .map((row) => `${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ')}`.trimEnd())
    .map((line) => `${line}\n`)
    .join('');
}

/** One sentence about a whole sweep. */
export function sweepSummary({ owned, undecided, orphans, unmarked }: SweepReport): string {
  const parts = [
    `${count(orphans.length, 'orphan')} found`,
    `${count(owned, 'room')} of yours left`,
    ...(undecided > 0 ? [`${undecided} undecided`] : []),
    ...(unmarked.length > 0 ? [`${unmarked.length} with your prefix and without a marker left alone`] : []),
  ];
  return `${parts.join(', ')}.\n`;
}

/** One line of JSON; errors keep their message. */
export function sweepJson(event: string, fields: object): string {
  const plain = (_key: string, value: unknown): unknown =>
    value instanceof Error ? { ...value, message: value.message } : value;
  return `${JSON.stringify({ event, ...fields }, plain)}\n`;
}

function cells({
  roomName,
  reason,
  silentMs,
  creationTimeMs,
  status,
  sparedBecause,
}: OrphanReport): string[] {
  const why = sparedBecause === undefined ? '' : ` (${sparedBecause})`;
  const created = new Date(creationTimeMs).toISOString().slice(0, 19);
  const silent = reason === 'too-old' ? '-' : `${Math.round(silentMs / 1_000)} s`;
  return [printable(roomName), reason, silent, created, outcomes[status] + why];
}

/** A name, quoted and escaped where it contains white space or control characters. */
export function printable(name: string): string {
  return /^[\p{L}\p{N}\p{P}\p{S}]+$/u.test(name) ? name : printableText(JSON.stringify(name));
}

/** A text on one line, with control characters escaped. */
export function printableText(text: string): string {
  return text.replace(/[\p{C}\p{Z}]/gu, (char) =>
    char === ' ' ? char : `\\u{${char.codePointAt(0)?.toString(16)}}`,
  );
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : 's'}`;
}
