/** Why a request got no answer, fit for errors and logs. */

import { cut, redact } from './redact.ts';

const longestReason = 100;

/**
 * The system's code for a `fetch` that rejected, such as `ECONNREFUSED`.
 *
 * Only the code: messages of a failed fetch can repeat header values, and so the token.
 */
export function networkErrorCode(error: unknown): string {
  const code = codeOf(causeOf(error)) ?? codeOf(error);
  return code ?? 'unknown reason';
}

/**
 * Why no answer came, and from where: `ENOTFOUND livekit.example.com`.
 *
 * @param host Where it was sent to; by default what the system says of it.
 * @param secret Kept out of a text that stands for a code.
 */
export function networkCause(
  error: unknown,
  host: string = hostOf(causeOf(error) ?? error),
  secret?: string,
): string {
  const cause = causeOf(error) ?? error;
  const text = codeOf(cause) ?? codeOf(error) ?? cut(redact(messageOf(cause), secret), longestReason);
  return [text, host].filter((part) => part !== '').join(' ');
}

function messageOf(error: unknown): string {
  return error instanceof Error ? String(error.message) : 'unknown reason';
}

function hostOf(error: unknown): string {
  const { hostname, address, port } = Object(error) as Record<string, unknown>;
  if (typeof hostname === 'string') return hostname;
  return typeof address === 'string' ? `${address}${port === undefined ? '' : `:${port}`}` : '';
}

function causeOf(error: unknown): unknown {
  return error instanceof Error ? error.cause : undefined;
}

function codeOf(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'string' && /^[A-Z][A-Z0-9_]{1,60}$/.test(error.code) ? error.code : undefined;
}
