/** Any failure of a REST call as a `LiveKitRESTError`: kind, network cause, redaction, hint. */

import { LiveKitRESTError, type LiveKitRESTErrorKind } from '../../lib/errors.ts';
import { isRetryable } from '../retry-policy.ts';

/**
 * Converts a rejection of any `RoomRest`.
 *
 * Reads `status` and `code`, as livekit-server-sdk has them; without a status it is a network failure. Tokens in
 * its text are redacted.
 */
export function toLiveKitRESTError(roomName: string, error: unknown): LiveKitRESTError {
  if (error instanceof LiveKitRESTError) return error;
  const { status, code: anyCode, message: anyMessage } = Object(error) as Record<string, unknown>;
  const code = typeof anyCode === 'string' ? anyCode : undefined;
  const message = typeof anyMessage === 'string' ? anyMessage : undefined;
  if (typeof status !== 'number') {
    // the reason of a failed `fetch` is in its cause alone
    const isVague = error instanceof Error && error.cause !== undefined;
    const reason = message === undefined || isVague ? `(${networkCause(error)})` : '';
    const body = truncate(redact([message ?? 'no answer', reason].join(' ').trim()));
    return new LiveKitRESTError(roomName, { kind: 'network', retryable: true, body });
  }
  const kind = failureKind({ status, code });
  const body = truncate(redact(message ?? ''));
  return new LiveKitRESTError(roomName, { kind, retryable: isRetryable(kind, status), status, code, body });
}

/** A clock difference above this is an error, in milliseconds; LiveKit itself allows 60 s. */
const clockToleranceMs = 30_000;

/** The parts of a failed answer that classify it; its wording differs by server version. */
export interface FailedAnswer {
  /** The HTTP status. */
  readonly status: number;
  /** The server's error code. */
  readonly code: string | undefined;
  /** How far the server's clock is ahead of the token's, in milliseconds. Default 0: unknown. */
  readonly aheadMs?: number | undefined;
}

/**
 * Classifies an answer that is not a success.
 *
 * A 404 means "no such room" only with Twirp's code: proxies, wrong paths and wrong methods answer 404 too.
 */
export function failureKind({ status, code, aheadMs = 0 }: FailedAnswer): LiveKitRESTErrorKind {
  if (status === 401) return Math.abs(aheadMs) > clockToleranceMs ? 'clock' : 'auth';
  if (status === 403) return 'auth';
  if (status === 404) return code === 'not_found' ? 'not_found' : 'bad_response';
  if (status === 408) return 'timeout';
  if (status === 429) return 'rate_limited';
  if (status === 425 || (status >= 500 && status < 600)) return 'unavailable';
  return status >= 400 && status < 500 ? 'rejected' : 'bad_response';
}

const hints: Partial<Record<LiveKitRESTErrorKind, string>> = {
  auth: 'check the API key and secret, and what proxies in between let through',
  clock: 'check the clocks of this machine and of the server',
  bad_response: 'check that apiUrl is the address of a LiveKit server',
};

/** Fields for a log line: the kind, and for failures that need a repair what to check. */
export function errorFields(error: LiveKitRESTError | undefined): {
  readonly kind: LiveKitRESTErrorKind | undefined;
  readonly hint?: string;
} {
  const hint = error && hints[error.kind];
  return { kind: error?.kind, ...(hint !== undefined && { hint }) };
}

const jsonWebToken = /eyJ[\w-]*(?:\.[\w-]*)*/g;
const hidden = '[redacted]';
const maxLength = 500;
const maxReasonLength = 100;

/** `text` without JSON Web Tokens (LiveKit repeats them in its 401 bodies) and without the secret. */
export function redact(text: string, secret?: string): string {
  const withoutTokens = text.replace(jsonWebToken, hidden);
  return secret === undefined
    ? withoutTokens
    : writtenForms(secret).reduce((rest, form) => rest.replaceAll(form, hidden), withoutTokens);
}

/** At most `length` characters of `text`, default 500. To be called after `redact`, or half a secret could stay. */
export function truncate(text: string, length: number = maxLength): string {
  if (text.length <= length) return text;
  // half a surrogate pair would make the message ill-formed
  return text.slice(0, length).replace(/[\uD800-\uDBFF]$/, '');
}

/** The secret as it is, and as JSON and URLs write it. */
function writtenForms(secret: string): string[] {
  // encodeURIComponent throws on a lone surrogate
  const inUrl = encodeURIComponent(secret.replace(/\p{Surrogate}/gu, '\uFFFD'));
  return [secret, JSON.stringify(secret).slice(1, -1), inUrl];
}

/**
 * The system's code for a request without an answer, such as `ECONNREFUSED`.
 *
 * Only the code: messages of a failed `fetch` can repeat header values, and so the token.
 */
export function networkErrorCode(error: unknown): string {
  return codeOf(causeOf(error)) ?? codeOf(error) ?? 'unknown reason';
}

/**
 * The cause of a request without an answer, and its address: `ENOTFOUND livekit.example.com`.
 *
 * @param host The address. Default: from the system's error.
 * @param secret Redacted in a message that replaces a missing code.
 */
export function networkCause(error: unknown, host?: string, secret?: string): string {
  const cause = causeOf(error) ?? error;
  const message = cause instanceof Error ? String(cause.message) : 'unknown reason';
  const text = codeOf(cause) ?? codeOf(error) ?? truncate(redact(message, secret), maxReasonLength);
  return [text, host ?? hostOf(cause)].filter((part) => part !== '').join(' ');
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
