/** One table of everything measured, with what was asked for. */

/**
 * @typedef {object} Row
 * @property {string} what
 * @property {string} measured
 * @property {string} ratio
 * @property {string} must
 * @property {string} goal
 * @property {'goal' | 'must' | 'MISSED' | ''} verdict
 */

/**
 * Judges a figure.
 *
 * @param {object} figure
 * @param {string} figure.what
 * @param {string} figure.measured For people.
 * @param {string} [figure.ratio] For people.
 * @param {number} figure.value What is judged.
 * @param {number} figure.must
 * @param {number} figure.goal
 * @param {(limit: number) => string} figure.limit A limit, for people.
 * @param {'more' | 'less'} figure.better
 * @returns {Row}
 */
export function judged({ what, measured, ratio = '', value, must, goal, limit, better }) {
  /** @param {number} wanted */
  const reaches = (wanted) => (better === 'more' ? value >= wanted : value <= wanted);
  const sign = better === 'more' ? '≥' : '≤';
  return {
    what,
    measured,
    ratio,
    must: `${sign} ${limit(must)}`,
    goal: `${sign} ${limit(goal)}`,
    verdict: reaches(goal) ? 'goal' : reaches(must) ? 'must' : 'MISSED',
  };
}

/**
 * For comparison only.
 *
 * @param {string} what
 * @param {string} measured
 * @returns {Row}
 */
export function noted(what, measured) {
  return { what, measured, ratio: '', must: '', goal: '', verdict: '' };
}

/** @param {number} perSecond */
export function rate(perSecond) {
  return `${Math.round(perSecond).toLocaleString('en')}/s`;
}

/** @param {readonly Row[]} rows */
export function print(rows) {
  /** @type {Row} */
  const head = {
    what: 'what',
    measured: 'measured',
    ratio: 'ratio',
    must: 'must',
    goal: 'goal',
    verdict: '',
  };
  const columns = /** @type {(keyof Row)[]} */ (Object.keys(head));
  const widths = columns.map((column) => Math.max(...[head, ...rows].map((row) => row[column].length)));
  const lines = [head, ...rows].map((row) =>
    columns
      .map((column, index) => row[column].padEnd(widths[index] ?? 0))
      .join('  ')
      .trimEnd(),
  );
  lines.splice(1, 0, widths.map((width) => '─'.repeat(width)).join('  '));
  console.log(lines.join('\n'));
}

/**
 * Hands the rows to the program that started this one, or prints them when nobody did.
 *
 * @param {readonly Row[]} rows
 */
export function report(rows) {
  if (process.send === undefined) print(rows);
  else process.send(rows);
}
