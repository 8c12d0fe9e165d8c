/** Joins pieces of text, with white space where it belongs. */

/** A piece of text. */
export interface TextPart {
  /** The text. */
  readonly text: string;
  /** Whether the white space to its neighbours is in it. */
  readonly includesInterFrameSpaces: boolean;
}

/**
 * Joins pieces: as they are where both have their white space in them, with a blank between where neither has, and
 * otherwise with a blank unless there is one.
 *
 * @returns The text, without white space around it.
 */
export function joinText(parts: readonly TextPart[]): string {
  let text = '';
  let last: TextPart | undefined;
  for (const part of parts) {
    if (last !== undefined && needsBlank(last, part, text)) text += ' ';
    text += part.text;
    last = part;
  }
  return text.trim();
}

function needsBlank(last: TextPart, next: TextPart, text: string): boolean {
  if (last.includesInterFrameSpaces && next.includesInterFrameSpaces) return false;
  if (!last.includesInterFrameSpaces && !next.includesInterFrameSpaces && isUnspaced(text, next.text))
    return false;
  return !/\s$/u.test(text) && !/^\s/u.test(next.text);
}

const unspaced = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}。、！？]/u;

/** Whether two pieces meet in a script that is written without blanks. */
function isUnspaced(before: string, after: string): boolean {
  return unspaced.test(before.slice(-1)) && unspaced.test(after.slice(0, 1));
}
