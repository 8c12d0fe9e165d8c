import { LiveKitRESTError } from '../lib/errors.ts';
import { failureKind } from './classify-answer.ts';
import { networkCause } from './network-error-code.ts';
import { cut, redact } from './redact.ts';
import { isRetryable } from './retry-policy.ts';

/**
 * Whatever a `RoomRest` of another make rejected with, as our error.
 *
 * Reads `status` and `code` where they are, as livekit-server-sdk has them; without a status it counts as a
 * network failure. Tokens in its text are redacted.
 */
export function asRestError(roomName: string, error: unknown): LiveKitRESTError {
  if (error instanceof LiveKitRESTError) return error;
  const { status, code, message } = fields(error);
  if (status === undefined) {
    // `fetch` says why in the cause alone
    const isVague = error instanceof Error && error.cause !== undefined;
    const reason = message === undefined || isVague ? `(${networkCause(error)})` : '';
    const body = cut(redact([message ?? 'no answer', reason].join(' ').trim()));
    return new LiveKitRESTError(roomName, { kind: 'network', retryable: true, body });
  }
  const text = redact(message ?? '');
  const kind = failureKind({ status, code });
  const retryable = isRetryable(kind, status);
  return new LiveKitRESTError(roomName, { kind, retryable, status, code, body: cut(text) });
}

interface Fields {
  readonly status: number | undefined;
  readonly code: string | undefined;
  readonly message: string | undefined;
}

function fields(error: unknown): Fields {
  const { status, code, message } = Object(error) as Record<string, unknown>;
  return {
    status: typeof status === 'number' ? status : undefined,
    code: typeof code === 'string' ? code : undefined,
    message: typeof message === 'string' ? message : undefined,
  };
}
