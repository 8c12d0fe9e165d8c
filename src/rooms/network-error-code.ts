/**
 * The system's code for a `fetch` that rejected, such as `ECONNREFUSED`.
 *
 * Only the code: messages of a failed fetch can repeat header values, and so the token.
 */
export function networkErrorCode(error: unknown): string {
  const code = codeOf(causeOf(error)) ?? codeOf(error);
  return code ?? 'unknown reason';
}

function causeOf(error: unknown): unknown {
  return error instanceof Error ? error.cause : undefined;
}

function codeOf(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'string' && /^[A-Z][A-Z0-9_]{1,60}$/.test(error.code) ? error.code : undefined;
}
