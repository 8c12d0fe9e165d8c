/**
 * The middle of some numbers; of an even count, the upper one of the two in the middle.
 *
 * @param {readonly number[]} numbers At least one.
 */
export function median(numbers) {
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}
