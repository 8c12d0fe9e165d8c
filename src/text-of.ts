/** What was thrown, as text. Never fails, whatever it is: not everything can be made a string. */
export function textOf(thrown: unknown): string {
  try {
    return thrown instanceof Error ? String(thrown.message) : String(thrown);
  } catch {
    return typeof thrown === 'object' ? 'an object without a text' : `a ${typeof thrown} without a text`;
  }
}
